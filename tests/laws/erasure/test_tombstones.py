"""The law of tombstones over all histories: what was erased stays away, what is new stays."""

from collections.abc import Callable, Collection
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast.erasure.tombstones import Fate, Judged, Tombstone, Tombstones, judge
from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event, Seen
from stamgast.identity.settings import Kind

UNTIL = 1_000
KEYS = ("u:a", "u:b", "u:c", "e:a", "e:b")
MOMENTS = st.sampled_from((UNTIL - 1, UNTIL, UNTIL + 1))
STONES = {key: Tombstone(key, UNTIL, frozenset({"u:b"})) for key in ("u:a", "e:a")}
BARE = Event(
    "m", "m", "r:0", "h", "web", "track", None, 0, None, 0, Assurance.VERIFIED, (), (), {}, {}, {}
)
Law = Callable[[Event, Tombstones, Collection[str]], Judged]


def event_of(keys: Collection[str], received_ms: int, event_ms: int) -> Event:
    named = tuple(Seen(key, key[0], Kind.LINKED, KEYS.index(key), key) for key in sorted(keys))
    seen = tuple(sorted(named, key=lambda one: one.priority))
    return replace(BARE, identifiers=seen, received_ms=received_ms, event_ms=event_ms)


EVENTS = st.builds(event_of, st.sets(st.sampled_from(KEYS), min_size=1), MOMENTS, MOMENTS)


def breaks(law: Law, event: Event, is_copy: bool) -> bool:
    """Whether a law lets something back, or takes what it should leave."""
    gone = {event.message_key} if is_copy else set()
    fate = law(event, STONES, gone).fate
    named = {one.key for one in event.identifiers} & STONES.keys()
    is_old = is_copy or min(event.received_ms, event.event_ms) <= UNTIL
    if not named or not is_old:
        return fate is not Fate.KEPT
    is_apart = event.anchor == "u:b"
    return fate is not (Fate.REDACTED if is_apart else Fate.SUPPRESSED)


@pytest.mark.failure_line(36)
@settings(max_examples=200)
@given(event=EVENTS, is_copy=st.booleans())
def test_what_names_the_erased_and_is_not_younger_stays_away_and_nothing_else_does(
    event: Event, is_copy: bool
) -> None:
    """FAILURES line 36: an event arrives after an erasure, an archive is replayed."""
    assert not breaks(judge, event, is_copy)


def by_receipt(event: Event, stones: Tombstones, gone: Collection[str]) -> Judged:
    return judge(replace(event, event_ms=event.received_ms), stones, gone)


def by_anchor(event: Event, stones: Tombstones, gone: Collection[str]) -> Judged:
    return judge(replace(event, identifiers=event.identifiers[:1]), stones, gone)


def for_ever(event: Event, stones: Tombstones, gone: Collection[str]) -> Judged:
    return judge(replace(event, event_ms=0), stones, gone)


def without_copies(event: Event, stones: Tombstones, _gone: Collection[str]) -> Judged:
    return judge(event, stones)


def taking_others(event: Event, stones: Tombstones, gone: Collection[str]) -> Judged:
    return judge(event, {k: replace(s, apart=frozenset()) for k, s in stones.items()}, gone)


def keeping_strangers(event: Event, stones: Tombstones, gone: Collection[str]) -> Judged:
    known = frozenset(KEYS) - stones.keys()
    return judge(event, {k: replace(s, apart=known) for k, s in stones.items()}, gone)


LATE = event_of({"u:a"}, UNTIL + 1, UNTIL - 1)
NEW = event_of({"u:a"}, UNTIL + 1, UNTIL + 1)
OF_ANOTHER = event_of({"u:b", "e:a"}, UNTIL - 1, UNTIL - 1)
OF_A_STRANGER = event_of({"u:c", "e:a"}, UNTIL + 1, UNTIL - 1)


@pytest.mark.parametrize(
    ("law", "event", "is_copy"),
    [
        (by_receipt, LATE, False),
        (by_anchor, OF_ANOTHER, False),
        (for_ever, NEW, False),
        (without_copies, NEW, True),
        (taking_others, OF_ANOTHER, False),
        (keeping_strangers, OF_A_STRANGER, False),
    ],
)
def test_a_law_that_leaves_one_rule_out_is_found(law: Law, event: Event, is_copy: bool) -> None:
    assert breaks(law, event, is_copy)
    assert not breaks(judge, event, is_copy)


def test_a_short_value_counts_between_quotes_alone() -> None:
    needles = needles_of([Subject("r", 0, frozenset(), {"u:x": "42"})])
    assert needles.found_in(b'{"userId":"42"}')
    assert not needles.found_in(b'{"price":1042}')
    assert needles.is_cell("42")
