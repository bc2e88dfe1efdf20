"""The law of timelines: however lines fell into items, each is told once, in order, in windows."""

from collections.abc import Iterator, Sequence
from random import Random
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.profile import timeline_items as items_module
from stamgast.profile.timeline import Entry, entry_of
from stamgast.profile.timeline_items import SPAN_MS, items_of, place_of
from stamgast_aws import fact_store as module
from stamgast_aws.dynamo_values import item_of
from stamgast_aws.fact_store import DynamoFactStore, Window, key_of
from tests.fakes.dynamodb import DynamoDB, size
from tests.fakes.told_events import ANCHOR, NOON_MS, event

LONG_AFTER_MS = NOON_MS + 100 * SPAN_MS
SEEDS = st.integers(0, 2**32)


def lines(random: Random) -> list[Entry]:
    """Lines that crowd around few moments, some of them equal, some far apart."""
    properties = {f"property-{n}": "x" * random.randrange(60) for n in range(random.randrange(6))}
    return [
        entry_of(event(n, _minutes(random), properties=properties), 90)
        for n in range(random.randrange(1, 40))
    ]


def _minutes(random: Random) -> int:
    return random.choice((0, 0, 1, 2, 3, 4, random.randrange(30)))


def batches(random: Random, told: Sequence[Entry]) -> Iterator[list[tuple[str, Entry]]]:
    """The lines as they come: shuffled, in batches of any size, many of them twice."""
    copies = [*told, *random.sample(told, random.randrange(len(told) + 1))]
    random.shuffle(copies)
    while copies:
        count = random.randrange(1, 12)
        yield [(ANCHOR, entry) for entry in copies[:count]]
        copies = copies[count:]


def window(random: Random, told: Sequence[Entry]) -> tuple[Window, str | None]:
    since, until = sorted(random.choice(told).original_ms + random.randrange(-2, 3) for _ in "ab")
    after = place_of(random.choice(told)) if random.random() < 0.5 else None
    bound = None if random.random() < 0.3 else until
    return Window(max(since, 0), bound, random.random() < 0.5), after


def expected(told: Sequence[Entry], part: Window, after: str | None) -> list[Entry]:
    until_ms = LONG_AFTER_MS if part.until_ms is None else part.until_ms
    within = [one for one in told if part.since_ms <= one.original_ms < until_ms]
    ordered = sorted(within, key=place_of, reverse=not part.is_ascending)
    if after is None:
        return ordered
    return [
        one
        for one in ordered
        if (place_of(one) > after) == part.is_ascending and place_of(one) != after
    ]


def check(seed: int) -> None:
    random = Random(seed)
    told = lines(random)
    store = DynamoFactStore(DynamoDB("profiles"), "profiles", lambda _: None)
    for batch in batches(random, told):
        store.put_entries(batch)
    for _ in range(6):
        part, after = window(random, told)
        assert list(store.entries(ANCHOR, NOON_MS, after, part)) == expected(told, part, after)


@given(SEEDS)
def test_every_line_of_a_window_is_told_once_and_in_order(seed: int) -> None:
    check(seed)


def _fails(seeds: range) -> bool:
    for seed in seeds:
        try:
            check(seed)
        except AssertionError:
            return True
    return False


def test_a_reader_that_looks_no_further_than_its_window_misses_lines() -> None:
    with mock.patch.object(module, "SPAN_MS", 0):
        assert _fails(range(60))


def test_a_reader_that_tells_an_item_at_a_time_tells_lines_twice_or_out_of_order() -> None:
    def one_by_one(
        items: Iterator[tuple[str, Sequence[Entry]]], *, is_ascending: bool
    ) -> Iterator[tuple[str, Entry]]:
        for _, told in items:
            ordered = sorted(told, key=place_of, reverse=not is_ascending)
            yield from ((place_of(entry), entry) for entry in ordered)

    with mock.patch.object(module, "in_order", one_by_one):
        assert _fails(range(60))


def test_items_named_by_their_newest_line_alone_lose_what_came_with_it() -> None:
    def newest_alone(pack: Sequence[Entry]) -> str:
        return place_of(pack[0])

    with mock.patch.object(items_module, "_sort_key", newest_alone):
        assert _fails(range(60))


@given(SEEDS)
def test_an_item_of_several_lines_takes_one_write_unit(seed: int) -> None:
    anchor = f"{'n' * 50}:{ANCHOR.partition(':')[2]}"
    for sort_key, attributes in items_of(lines(Random(seed))):
        assert size({**key_of(anchor, sort_key), **item_of(attributes)}) <= 1024


@pytest.mark.parametrize("apart_ms", [0, SPAN_MS, SPAN_MS + 1])
def test_lines_share_an_item_within_two_minutes(apart_ms: int) -> None:
    first = entry_of(event(1), 90)
    second = Entry(first.original_ms - apart_ms, "1m", first.event_ms, "page", "$page", "web", 1)
    assert len(list(items_of([first, second]))) == (1 if apart_ms <= SPAN_MS else 2)
