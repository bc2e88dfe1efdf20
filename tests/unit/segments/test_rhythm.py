"""The rhythm of purchases is each person's own, and time alone moves the stage that follows."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.segments import rhythm
from stamgast.segments.rhythm import Rhythm, Stage, nearest_rank, rhythm_of, stage_of

START = date(2026, 3, 1)
days = st.integers(0, 1500).map(lambda n: START + timedelta(days=n))


def every(step: int, times: int, start: date = START) -> list[date]:
    return [start + timedelta(days=step * n) for n in range(times)]


def told(ordered: list[date]) -> Rhythm:
    found = rhythm_of(ordered)
    assert found is not None
    return found


def test_the_same_silence_is_a_drop_for_one_and_nothing_for_another() -> None:
    weekly, monthly = told(every(7, 10)), told(every(30, 10))
    assert weekly.stage(weekly.last_on + timedelta(days=20)) is Stage.LATE
    assert monthly.stage(monthly.last_on + timedelta(days=20)) is Stage.ACTIVE


def test_slowness_counts_usual_gaps() -> None:
    weekly = told(every(7, 5))
    assert weekly.slowness(weekly.last_on + timedelta(days=21)) == 3.0


def test_who_takes_long_now_and_then_is_not_late_before_that() -> None:
    ordered = [*every(7, 8), START + timedelta(days=49 + 40)]
    assert told(ordered).late_after_days == 40


def test_three_orders_are_no_habit() -> None:
    few = told(every(7, 3))
    assert few.usual_days is None
    assert few.slowness(few.last_on) is None
    assert few.stage(few.last_on + timedelta(days=rhythm.LATE_DAYS)) is Stage.ACTIVE
    assert few.stage(few.last_on + timedelta(days=rhythm.LATE_DAYS + 1)) is Stage.LATE


def test_who_never_ordered_is_a_prospect_and_who_ordered_on_one_day_is_new() -> None:
    assert rhythm_of([]) is None
    assert stage_of(None, START) is Stage.PROSPECT
    assert stage_of(rhythm_of([START, START]), START) is Stage.NEW


def test_who_comes_back_after_having_lapsed_has_returned() -> None:
    ordered = [*every(7, 5), START + timedelta(days=28 + 43)]
    assert told(ordered).stage(ordered[-1]) is Stage.RETURNED
    assert told([*ordered[:-1], START + timedelta(days=28 + 42)]).stage(ordered[-1]) is Stage.ACTIVE


@given(st.lists(days, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_order_and_repetition_of_days_do_not_matter(ordered: list[date], random: object) -> None:
    again = ordered + ordered[::2]
    random.shuffle(again)  # type: ignore[attr-defined]
    assert rhythm_of(again) == rhythm_of(ordered)


@given(st.lists(days, min_size=1, max_size=30), st.integers(0, 2000), st.integers(0, 2000))
def test_silence_alone_only_moves_a_customer_towards_lapsed(
    ordered: list[date], sooner: int, later: int
) -> None:
    found, order = told(ordered), (Stage.LATE, Stage.LAPSED)
    first, second = (found.last_on + timedelta(days=n) for n in sorted((sooner, later)))
    before, after = found.stage(first), found.stage(second)
    assert after is before or after in order
    assert before is not Stage.LAPSED or after is Stage.LAPSED
    assert (after in order) == (second >= found.late_since())


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 100))
def test_the_percentile_is_the_smallest_value_that_covers_enough(
    values: list[int], percent: int
) -> None:
    found = nearest_rank(values, percent)
    covered = [sum(v <= limit for v in values) * 100 >= percent * len(values) for limit in values]
    assert found == min(v for v, enough in zip(values, covered, strict=True) if enough)


def test_a_percentile_that_counts_from_below_is_caught() -> None:
    with pytest.raises(AssertionError):
        assert sorted([1, 2, 3, 4])[90 * 4 // 100 - 1] == nearest_rank([1, 2, 3, 4], 90)
