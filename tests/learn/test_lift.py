"""A lift and its interval mean what they say, also when many things are compared."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast_learn.lift import ALPHA, Counted, Lift, lifts

SEGMENT, EVERYONE = 200, 2_000


def test_a_lift_is_the_share_in_the_segment_over_the_share_in_everyone() -> None:
    (found,) = lifts([Counted(100, 200)], SEGMENT, EVERYONE)
    assert found.lift == pytest.approx(5.0)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 5.0 < found.high
    assert found.is_distinguishing


def counted() -> st.SearchStrategy[tuple[Counted, int, int]]:
    """A row that can be, with the sizes of the segment and of everyone."""
    return st.tuples(*[st.integers(0, 400)] * 4).map(
        lambda n: (Counted(n[0], n[0] + n[2]), n[0] + n[1], n[0] + n[1] + n[2] + n[3])
    )


@given(counted())
def test_the_interval_holds_the_lift_and_ends_where_lifts_end(
    told: tuple[Counted, int, int],
) -> None:
    row, segment, everyone = told
    (found,) = lifts([row], segment, everyone)
    if found.lift is None:
        assert not segment or segment == everyone or not row.everyone
        return
    assert found.low is not None
    assert found.high is not None
    near = 1e-9
    assert 0 <= found.low <= found.lift + near
    assert found.lift - near <= found.high <= everyone / segment + near


def test_where_nobody_else_has_it_the_lift_is_bounded_as_if_one_had() -> None:
    (found,) = lifts([Counted(40, 40)], SEGMENT, EVERYONE)
    (with_one,) = lifts([Counted(40, 41)], SEGMENT, EVERYONE)
    assert (found.low, found.high) == (with_one.low, EVERYONE / SEGMENT)
    (absent,) = lifts([Counted(0, 100)], SEGMENT, EVERYONE)
    assert (absent.lift, absent.low) == (0.0, 0.0)


def test_the_surer_of_two_differences_is_the_stronger() -> None:
    few, many = lifts([Counted(4, 8), Counted(100, 250)], SEGMENT, EVERYONE)
    assert few.lift is not None
    assert many.lift is not None
    assert few.lift > many.lift
    assert few.strength < many.strength


def test_strength_is_the_distance_of_the_nearer_end_from_no_difference() -> None:
    more, less = lifts([Counted(100, 250), Counted(10, 1_000)], SEGMENT, EVERYONE)
    assert more.low is not None
    assert less.high is not None
    assert more.strength == pytest.approx(log(more.low))
    assert less.strength == pytest.approx(-log(less.high))


def null(seed: int, rows: int = 200) -> list[Counted]:
    """Rows in which the segment differs from the others by chance alone."""
    draw = np.random.default_rng(seed)
    shares = draw.uniform(0.05, 0.6, rows)
    mine = draw.binomial(SEGMENT, shares)
    rest = draw.binomial(EVERYONE - SEGMENT, shares)
    return [Counted(int(a), int(a + b)) for a, b in zip(mine, rest, strict=True)]


def test_of_many_differences_by_chance_hardly_one_counts() -> None:
    found = [lifts(null(seed), SEGMENT, EVERYONE) for seed in range(3)]
    assert sum(one.is_distinguishing for rows in found for one in rows) <= 2
    naive = sum(one.p is not None and one.p <= ALPHA for rows in found for one in rows)
    assert naive > 10


def test_intervals_of_what_was_picked_are_wider_than_those_of_all() -> None:
    rows = [*null(3, 99), Counted(100, 250)]
    *rest, picked = lifts(rows, SEGMENT, EVERYONE)
    chosen = sum(one.is_distinguishing for one in (*rest, picked))
    assert picked.confidence == pytest.approx(1 - ALPHA * chosen / 100)
    alone: Lift = lifts([rows[-1]], SEGMENT, EVERYONE)[0]
    assert alone.low is not None
    assert picked.low is not None
    assert picked.low < alone.low


@pytest.mark.parametrize(
    "row", [Counted(201, 300), Counted(5, 4), Counted(0, 1_900), Counted(-1, 5), Counted(5, 2_001)]
)
def test_counts_that_cannot_be_are_refused(row: Counted) -> None:
    with pytest.raises(ValueError, match="impossible"):
        lifts([row], SEGMENT, EVERYONE)


def test_nothing_is_compared_without_a_segment_or_without_others() -> None:
    assert lifts([Counted(0, 5)], 0, 10)[0].lift is None
    assert lifts([Counted(5, 5)], 10, 10)[0].p is None
    assert lifts([], 5, 10) == []
