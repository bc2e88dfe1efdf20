"""Recency, frequency and money: what the scores promise."""

import pytest

from stamgast.segments.rfm import DAY_MS, GRID, Cell, Spending, cell_of, score, value_score

MOMENT_MS = 20_000 * DAY_MS


def bought(orders: int, revenue_minor: int, days_ago: int, currency: str = "EUR") -> list[Spending]:
    return [Spending(currency, orders, revenue_minor, MOMENT_MS - days_ago * DAY_MS)]


def test_the_grid_holds_all_eleven_cells_and_no_other() -> None:
    assert {cell for row in GRID for cell in row} == set(Cell)
    assert [len(row) for row in GRID] == [5] * 5


def test_nobody_ordered_means_nobody_is_scored() -> None:
    assert score({}, MOMENT_MS) == {}
    assert score({"p": [Spending("EUR", 0, 0, MOMENT_MS)]}, MOMENT_MS) == {}


def test_a_single_buyer_is_as_recent_as_anybody_and_new() -> None:
    only = score({"p": bought(1, 500, 300)}, MOMENT_MS)["p"]
    assert (only.code, only.cell, only.population) == ("511", Cell.NEW, 1)


def test_equal_buyers_share_their_scores() -> None:
    found = score({f"p{n}": bought(3, 900, 10) for n in range(7)}, MOMENT_MS)
    assert {rfm.code for rfm in found.values()} == {"521"}


def test_a_one_time_buyer_scores_one_in_frequency_however_rare_repeat_buyers_are() -> None:
    buyers = {f"p{n:02}": bought(1, 100 * n, n) for n in range(18)}
    buyers |= {"q1": bought(2, 100, 5), "q2": bought(9, 100, 5)}
    found = score(buyers, MOMENT_MS)
    assert {found[f"p{n:02}"].frequency_score for n in range(18)} == {1}
    assert (found["q1"].frequency_score, found["q2"].frequency_score) == (2, 4)


def test_a_one_time_buyer_is_never_a_champion_however_much_was_spent() -> None:
    assert cell_of(5, value_score(1, 5)) is Cell.NEW
    assert cell_of(1, value_score(1, 5)) is Cell.LOST


def test_a_hundred_distinct_buyers_fall_into_quintiles() -> None:
    found = score({f"p{n:03}": bought(n + 2, n * 100, n) for n in range(100)}, MOMENT_MS)
    assert [found[f"p{n:03}"].code for n in (0, 20, 40, 60, 80, 99)] == [
        "521",
        "422",
        "333",
        "244",
        "155",
        "155",
    ]


def test_money_is_compared_within_one_currency_only() -> None:
    found = score({"e": bought(2, 100, 1), "y": bought(2, 90_000, 1, "JPY")}, MOMENT_MS)
    assert found["e"].monetary_score == found["y"].monetary_score == 1


def test_the_principal_currency_is_the_one_ordered_in_most_often() -> None:
    both = [*bought(1, 10**9, 1, "JPY"), *bought(2, 500, 40)]
    found = score({"p": both}, MOMENT_MS)["p"]
    assert (found.currency, found.monetary_minor, found.frequency) == ("EUR", 500, 3)
    assert found.recency_days == 1


@pytest.mark.failure_line(33)
def test_a_buyer_becomes_less_recent_although_nothing_happened() -> None:
    """Line 33: someone leaves a segment with no new event, for a time window passes."""
    buyers = {"p": bought(1, 500, 0), **{f"q{n}": bought(1, 500, 30) for n in range(9)}}
    today = score(buyers, MOMENT_MS)["p"]
    later = score(buyers, MOMENT_MS + 3 * DAY_MS)["p"]
    assert (today.recency_days, later.recency_days) == (0, 3)
    fresher = {**buyers, **{f"n{n}": bought(1, 500, -3) for n in range(9)}}
    assert score(fresher, MOMENT_MS + 3 * DAY_MS)["p"].cell is not today.cell


@pytest.mark.failure_line(33)
def test_an_order_after_the_moment_counts_as_today() -> None:
    """Line 33: a purchase that is late, or dated ahead by a clock."""
    assert score({"p": bought(1, 500, -2)}, MOMENT_MS)["p"].recency_days == 0
