"""A delivery that brings more people than its time allows ends in time, and loses none."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamgast.profile.batch import Message
from stamgast.profile.loop import Outcome
from stamgast.profile.slices import SLICE_CHARACTERS, in_slices, process_in_time


def messages(*sizes: int) -> list[Message]:
    return [Message(f"m{place}", "x" * size, 0) for place, size in enumerate(sizes)]


class Process:
    """Takes a millisecond for each hundred characters, and at first what connecting takes."""

    def __init__(self, left_ms: int, connecting_ms: int = 0) -> None:
        self.left, self.connecting = left_ms, connecting_ms
        self.done: list[str] = []

    def __call__(self, told: Sequence[Message]) -> Outcome:
        self.left -= sum(len(one.body) for one in told) // 100 + self.connecting
        self.connecting = 0
        assert self.left >= 0, "the process was ended from outside"
        self.done += [one.id for one in told]
        return Outcome()


def test_messages_of_a_few_events_fold_together_and_packed_ones_stand_alone() -> None:
    few, packed = messages(*[2_000] * 10), messages(SLICE_CHARACTERS, 900_000, 2_000, 2_000)

    assert list(in_slices(few)) == [few]
    assert list(in_slices(packed)) == [packed[:1], packed[1:2], packed[2:]]
    assert list(in_slices([])) == []


@pytest.mark.failure_line(14)
@example([43_000, 97_100], 1_400)  # neither is full: the longer one goes first all the same
@given(st.lists(st.integers(1, 130_000), max_size=10), st.integers(1_400, 5_000))
def test_what_no_time_is_left_for_comes_again_and_the_rest_does_not(
    sizes: list[int], left_ms: int
) -> None:
    """Line 14: a time-out would deliver again what is done; nobody begins what cannot end."""
    process, told = Process(left_ms), messages(*sizes)

    outcomes = process_in_time(process, told, lambda: process.left)

    returned = {one for outcome in outcomes for one in outcome.returned}
    assert sorted([*process.done, *returned]) == sorted(one.id for one in told)


def test_a_process_that_never_looks_at_its_time_is_ended_from_outside() -> None:
    process, told = Process(2_000), messages(*[120_000] * 3)

    with pytest.raises(AssertionError, match="ended from outside"):
        process_in_time(process, told, lambda: 10**9)


@pytest.mark.parametrize("sizes", [(300, 130_800, 130_800), (130_800, 300, 130_800)])
def test_a_slow_beginning_with_little_sends_nothing_of_weight_away(sizes: tuple[int, ...]) -> None:
    process, told = Process(120_000, connecting_ms=3_000), messages(*sizes)

    outcomes = process_in_time(process, told, lambda: process.left)

    assert sorted(process.done) == [one.id for one in told]
    assert not any(outcome.returned for outcome in outcomes)
