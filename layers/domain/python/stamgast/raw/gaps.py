"""Gaps: the places in a message whose identifiers an erasure took out, as its line notes them.

Persons are founded by a place in a message, so those who stay in it keep theirs.
"""

from collections.abc import Collection, Iterable

GAP = "gap:"
NO_GAPS: frozenset[int] = frozenset()


def gaps_of(notes: Collection[str]) -> frozenset[int]:
    """The places, from 0, that the notes of a line tell as gaps."""
    if not notes:
        return NO_GAPS
    places = (note.removeprefix(GAP) for note in notes if note.startswith(GAP))
    return frozenset(int(place) for place in places if place.isdecimal())


def noted(gaps: Iterable[int]) -> tuple[str, ...]:
    """The notes that tell of these places."""
    return tuple(f"{GAP}{place}" for place in sorted(gaps))
