"""What a request asks for, read once and bounded: identifier, sections, view, page."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import unquote

from stamgast.identity.identifiers import Identifier, normalise
from stamgast.identity.settings import IdentitySettings
from stamgast.lookup.cursor import Position, decode
from stamgast.lookup.faults import NOT_FOUND, Fault, bad, forbidden
from stamgast.lookup.reader import Reader

SECTIONS = ("traits", "segments", "rfm", "activity", "scores", "consents", "identifiers")
DEFAULT_SECTIONS = frozenset(("traits", "segments", "rfm", "activity"))
LONGEST_VALUE = 1024
MOST_IN_A_PAGE = 200
PAGE = 50

Query: TypeAlias = Mapping[str, str]


class View(StrEnum):
    """How much of a person a look-up may tell, by how well the way to it is known."""

    VERIFIED = "verified"
    CLAIMED = "claimed"


@dataclass(frozen=True, slots=True)
class Page:
    """How many events, and from where on."""

    limit: int
    after: Position | None = None


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


def page_of(query: Query, name_of_cursor: str = "cursor") -> Page | Fault:
    """The page that `limit=` and a cursor ask for."""
    told = query.get("limit", str(PAGE))
    if not told.isascii() or not told.isdigit() or not 1 <= int(told[:9]) <= MOST_IN_A_PAGE:
        return bad("bad_limit", f"limit is a whole number from 1 to {MOST_IN_A_PAGE}.")
    cursor = query.get(name_of_cursor)
    if not cursor:
        return Page(int(told))
    after = decode(cursor)
    if after is None:
        return bad("bad_cursor", "The cursor is not one that this API gave out.")
    return Page(int(told), after)
