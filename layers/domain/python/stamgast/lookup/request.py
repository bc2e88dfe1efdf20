"""What a request asks for, read once and bounded: identifier, sections, view."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import unquote

from stamgast.identity.identifiers import Identifier, normalise
from stamgast.identity.settings import IdentitySettings
from stamgast.lookup.faults import NOT_FOUND, Fault, bad, forbidden
from stamgast.lookup.reader import Reader

SECTIONS = (
    "traits",
    "segments",
    "rfm",
    "computed",
    "activity",
    "scores",
    "consents",
    "identifiers",
    "links",
)
DEFAULT_SECTIONS = frozenset(("traits", "segments", "rfm", "activity"))
LONGEST_VALUE = 1024

Query: TypeAlias = Mapping[str, str]


class View(StrEnum):
    """How much of a person a look-up may tell, by how well the way to it is known."""

    VERIFIED = "verified"
    CLAIMED = "claimed"


def identifier_of(
    told: str, settings: IdentitySettings, reader: Reader, *, is_encoded: bool = True
) -> Identifier | Fault:
    """The identifier that `namespace:value` names, normalised exactly as ingestion does.

    A value that identifies nobody (blocked, malformed) is simply not found.
    """
    namespace, colon, value = told.partition(":")
    known = settings.by_name.get(namespace)
    if not colon or known is None:
        names = ", ".join(settings.by_name)
        return bad("bad_identifier", f"An identifier is namespace:value; namespaces are {names}.")
    if not reader.may_name(namespace):
        return forbidden(f"This token may not look people up by {namespace}.")
    if len(value) > LONGEST_VALUE:
        return bad("bad_identifier", f"A value has at most {LONGEST_VALUE} characters.")
    decoded = unquote(value) if is_encoded else value
    normal = normalise(known, decoded, settings, settings.default_region)
    return normal if isinstance(normal, Identifier) else NOT_FOUND


def sections_of(query: Query) -> frozenset[str] | Fault:
    """The sections that `include=` names; without it, those that most readers want."""
    told = query.get("include")
    if not told:
        return DEFAULT_SECTIONS
    wanted = frozenset(part.strip() for part in told.split(",") if part.strip())
    unknown = wanted.difference(SECTIONS)
    if unknown:
        return bad("bad_include", f"include takes a list of {', '.join(SECTIONS)}.")
    return wanted


def view_of(query: Query) -> View | Fault:
    """The most that may be told: `as=claimed` lowers it, nothing raises it above the evidence."""
    told = query.get("as", View.VERIFIED)
    if told not in set(View):
        return bad("bad_as", f"as takes one of {', '.join(View)}.")
    return View(told)
