"""Which part of a timeline a request asks for, read once and bounded."""

from collections.abc import Mapping
from dataclasses import dataclass

from stamgast.lookup.cursor import Position, decode
from stamgast.lookup.faults import Fault, bad
from stamgast.moments import parse_iso
from stamgast.profile.timeline import Entry

MOST_IN_A_PAGE = 200
PAGE = 50
# How many events of an anchor a page looks through for those that it shall name.
MOST_LOOKED_THROUGH = 500
MOST_NAMES, LONGEST_NAME = 50, 200
SORTS = ("desc", "asc")
TYPES = ("identify", "track", "page", "screen", "group", "alias")


@dataclass(frozen=True, slots=True)
class Page:
    """How many events, from where on, in which order and window, and of which names or types.

    The window `[since_ms, until_ms)` and the order go by the client's own time, as cursors do.
    """

    limit: int
    after: Position | None = None
    since_ms: int = 0
    until_ms: int | None = None
    is_ascending: bool = False
    only: frozenset[str] = frozenset()
    but_not: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    @property
    def reach(self) -> int:
        """How many events are looked through: all count where nothing is left out."""
        is_chosen = self.only or self.but_not or self.types
        return max(self.limit, MOST_LOOKED_THROUGH) if is_chosen else self.limit

    def takes(self, entry: Entry) -> bool:
        """Whether the page names this event."""
        name = entry.name if entry.type == "track" else entry.type
        return (
            (not self.only or name in self.only)
            and name not in self.but_not
            and (not self.types or entry.type in self.types)
        )


def timeline_page(query: Mapping[str, str]) -> Page | Fault:
    """The page of our own path: `since`, `until`, `sort`, `types`, `limit` and `cursor`."""
    return _page(query, since="since", until="until", cursor="cursor", extra_ms=0)


def segment_page(query: Mapping[str, str]) -> Page | Fault:
    """The page of Segment's path: `start`, `end`, `sort`, `include`, `exclude`, `limit`, `next`.

    Segment's `end` is within its window, ours is not.
    """
    return _page(query, since="start", until="end", cursor="next", extra_ms=1)


def _page(
    query: Mapping[str, str], *, since: str, until: str, cursor: str, extra_ms: int
) -> Page | Fault:
    limit, sort = limit_of(query), query.get("sort", SORTS[0])
    begin, end = _moment(query, since), _moment(query, until)
    names = [_names(query, name) for name in ("include", "exclude", "types")]
    after = decode(query[cursor]) if query.get(cursor) else None
    for fault in (limit, begin, end, *names):
        if isinstance(fault, Fault):
            return fault
    if sort not in SORTS:
        return bad("bad_sort", f"sort takes one of {', '.join(SORTS)}.")
    if query.get(cursor) and after is None:
        return bad("bad_cursor", "The cursor is not one that this API gave out.")
    only, but_not, types = (told for told in names if isinstance(told, frozenset))
    if not types.issubset(TYPES):
        return bad("bad_types", f"types takes a list of {', '.join(TYPES)}.")
    return Page(
        limit=limit if isinstance(limit, int) else PAGE,
        after=after,
        since_ms=begin if isinstance(begin, int) else 0,
        until_ms=end + extra_ms if isinstance(end, int) else None,
        is_ascending=sort == "asc",
        only=only,
        but_not=but_not,
        types=types,
    )


def limit_of(query: Mapping[str, str], default: int = PAGE) -> int | Fault:
    """What `limit=` asks for."""
    told = query.get("limit", str(default))
    if not told.isascii() or not told.isdigit() or not 1 <= int(told[:9]) <= MOST_IN_A_PAGE:
        return bad("bad_limit", f"limit is a whole number from 1 to {MOST_IN_A_PAGE}.")
    return int(told)


def _moment(query: Mapping[str, str], name: str) -> int | Fault | None:
    told = query.get(name)
    if not told:
        return None
    try:
        # A plus that nobody encoded has become a blank on its way.
        return max(parse_iso(told.replace(" ", "+") if "T" in told else told), 0)
    except (ValueError, OverflowError):
        return bad(f"bad_{name}", f"{name} takes a moment or a date in the form of ISO 8601.")


def _names(query: Mapping[str, str], name: str) -> frozenset[str] | Fault:
    told = frozenset(part.strip() for part in query.get(name, "").split(",") if part.strip())
    if len(told) > MOST_NAMES or any(len(one) > LONGEST_NAME for one in told):
        return bad(f"bad_{name}", f"{name} takes up to {MOST_NAMES} names, separated by commas.")
    return told
