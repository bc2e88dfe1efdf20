"""What a purpose lets out: which uses, which segments, and which fields."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from stamgast.consent.purposes import Purpose, Purposes, Use
from stamgast.lookup.reader import EVERYTHING, Reader

# Everybody who may export a segment may know who is in it, and as of when.
OPEN = frozenset(("person_id", "segment", "since", "as_of"))
SCOPES = {"first_at": "first_seen_at", "last_at": "last_seen_at"}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a use is refused, whoever it is about; `is_unknown` where the purpose is no purpose."""

    message: str
    is_unknown: bool = False


def export_refused(
    purposes: Purposes, name: str, stated: str | None, segment: str, fields: Iterable[str]
) -> Refused | None:
    """Why a segment's fields may not be exported for a purpose; None where they may.

    What the segment itself states must cover the export of it, too.
    """
    for one in dict.fromkeys((name, stated or name)):
        purpose = purposes.of(one)
        if purpose is None:
            return no_purpose(one, purposes)
        for use, what in ((Use.EXPORTS, None), (Use.SEGMENTS, segment)):
            if not purpose.allows(use, what):
                covered = use.value if what is None else f"{use.value}.{what}"
                return Refused(f"The purpose {one} does not cover {covered}.")
    asked = purposes.of(name)
    outside = [] if asked is None else [one for one in fields if not lets_out(asked, one)]
    if outside:
        return Refused(f"The purpose {name} does not cover {', '.join(outside)}.")
    return None


def lets_out(purpose: Purpose, field: str) -> bool:
    """Whether a field is in the purpose's manifest; who is in a segment since when always is."""
    return field in OPEN or purpose.allows(Use.FIELDS, SCOPES.get(field, field))


def within(reader: Reader, purpose: Purpose) -> Reader:
    """The reader, cut to the fields that the purpose covers."""
    listed = (one for one in purpose.covers if one.partition(".")[0] == Use.FIELDS)
    fields = tuple(one.partition(".")[2] or EVERYTHING for one in listed)
    return replace(reader, manifest=fields)


def no_purpose(name: str, purposes: Purposes) -> Refused:
    """That a workspace with purposes does not have this one."""
    near = get_close_matches(name, list(purposes.by_name), n=1)
    known = f"did you mean {near[0]}?" if near else f"known are {', '.join(purposes.by_name)}"
    return Refused(f"There is no purpose of this name; {known}.", is_unknown=True)
