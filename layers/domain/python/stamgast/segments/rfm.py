"""Recency, frequency and monetary value: the scores, and the eleven cells of their grid.

Hughes, A. M. (1994), Strategic Database Marketing: quintiles of each measure. The names of the
cells are the customary ones; DESIGN of ties, small populations and one-time buyers is told at
`score` and in docs/segments.md.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

EPOCH_ON = date(1970, 1, 1)
DAY_MS = 86_400_000


class Cell(StrEnum):
    """The customary names of a customer's standing."""

    CHAMPIONS = "champions"
    LOYAL = "loyal"
    POTENTIAL_LOYALIST = "potential_loyalist"
    NEW = "new"
    PROMISING = "promising"
    NEED_ATTENTION = "need_attention"
    ABOUT_TO_SLEEP = "about_to_sleep"
    AT_RISK = "at_risk"
    CANNOT_LOSE = "cannot_lose"
    HIBERNATING = "hibernating"
    LOST = "lost"


# GRID[recency score - 1][value score - 1]
GRID: tuple[tuple[Cell, ...], ...] = (
    (Cell.LOST, Cell.LOST, Cell.AT_RISK, Cell.AT_RISK, Cell.CANNOT_LOSE),
    (Cell.HIBERNATING, Cell.HIBERNATING, Cell.AT_RISK, Cell.AT_RISK, Cell.CANNOT_LOSE),
    (Cell.ABOUT_TO_SLEEP, Cell.ABOUT_TO_SLEEP, Cell.NEED_ATTENTION, Cell.LOYAL, Cell.LOYAL),
    (Cell.PROMISING, Cell.POTENTIAL_LOYALIST, Cell.POTENTIAL_LOYALIST, Cell.LOYAL, Cell.LOYAL),
    (Cell.NEW, Cell.POTENTIAL_LOYALIST, Cell.POTENTIAL_LOYALIST, Cell.CHAMPIONS, Cell.CHAMPIONS),
)


@dataclass(frozen=True, slots=True)
class Spending:
    """What a person bought in one currency: number of orders, sum, and the latest order's time."""

    currency: str
    orders: int
    revenue_minor: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Rfm:
    """A buyer's measures and scores; money in minor units of the principal currency.

    Scores run from 1 (worst) to 5 (best). `population` is the number of buyers compared with.
    """

    recency_days: int
    last_order_on: date
    frequency: int
    monetary_minor: int
    currency: str
    recency_score: int
    frequency_score: int
    monetary_score: int
    cell: Cell
    population: int

    @property
    def code(self) -> str:
        """The three scores as one word, as marketers write it: "545"."""
        return f"{self.recency_score}{self.frequency_score}{self.monetary_score}"


@dataclass(frozen=True, slots=True)
class _Buyer:
    recency_days: int
    last_order_on: date
    frequency: int
    monetary_minor: int
    currency: str


def score(spendings: Mapping[str, Iterable[Spending]], moment_ms: int) -> dict[str, Rfm]:
    """Every buyer's `Rfm` by person id, as at the run moment; who never ordered has none.

    Ties share a score: a quintile is 1 + 5 × (buyers strictly below) ÷ (all buyers), rounded down.
    So recency scores count from the freshest (all who bought on the freshest day score 5), and the
    others from the lowest. A one-time buyer's frequency score is 1, and the repeat buyers share 2
    to 5 by quarters. Money is compared only between buyers of the same principal currency.
    """
    buyers = {
        person: buyer
        for person, spent in spendings.items()
        if (buyer := _buyer(list(spent), moment_ms))
    }
    days = sorted(buyer.recency_days for buyer in buyers.values())
    repeats = sorted(buyer.frequency for buyer in buyers.values() if buyer.frequency > 1)
    sums: dict[str, list[int]] = defaultdict(list)
    for buyer in buyers.values():
        sums[buyer.currency].append(buyer.monetary_minor)
    sums = {currency: sorted(amounts) for currency, amounts in sums.items()}
    return {
        person: _scored(
            buyer,
            6 - part_of(buyer.recency_days, days, 5),
            frequency_score(buyer.frequency, repeats),
            part_of(buyer.monetary_minor, sums[buyer.currency], 5),
            len(buyers),
        )
        for person, buyer in buyers.items()
    }


def part_of(value: int, ordered: list[int], parts: int) -> int:
    """Which of `parts` equal parts of the sorted values this one lies in, from 1; ties go down."""
    return 1 + parts * bisect_left(ordered, value) // len(ordered)


def frequency_score(frequency: int, repeats: list[int]) -> int:
    """1 for a one-time buyer, else 2 to 5 by quarters of the repeat buyers' sorted frequencies."""
    return 1 if frequency <= 1 else 1 + part_of(frequency, repeats, 4)


def value_score(frequency: int, monetary: int) -> int:
    """The grid's second axis: the mean of the two scores, halves up; a one-time buyer's is 1."""
    return 1 if frequency == 1 else (frequency + monetary + 1) // 2


def cell_of(recency: int, value: int) -> Cell:
    """The grid's cell at a recency score and a value score."""
    return GRID[recency - 1][value - 1]


def principal(spendings: Iterable[Spending]) -> Spending | None:
    """The currency in which the person ordered most often, then latest, then first by its code."""
    bought = [spent for spent in spendings if spent.orders > 0]
    return min(bought, key=lambda s: (-s.orders, -s.last_ms, s.currency), default=None)


def recency_days(last_ms: int, moment_ms: int) -> int:
    """Whole dates (UTC) between the last order and the moment; 0 for an order after it."""
    return max(0, (_on(moment_ms) - _on(last_ms)).days)


def _on(ms: int) -> date:
    return EPOCH_ON + timedelta(days=ms // DAY_MS)


def _buyer(spendings: list[Spending], moment_ms: int) -> _Buyer | None:
    main = principal(spendings)
    if main is None:
        return None
    last_ms = max(spent.last_ms for spent in spendings if spent.orders > 0)
    return _Buyer(
        recency_days(last_ms, moment_ms),
        _on(last_ms),
        sum(spent.orders for spent in spendings if spent.orders > 0),
        main.revenue_minor,
        main.currency,
    )


def _scored(buyer: _Buyer, recency: int, frequency: int, monetary: int, population: int) -> Rfm:
    return Rfm(
        recency_days=buyer.recency_days,
        last_order_on=buyer.last_order_on,
        frequency=buyer.frequency,
        monetary_minor=buyer.monetary_minor,
        currency=buyer.currency,
        recency_score=recency,
        frequency_score=frequency,
        monetary_score=monetary,
        cell=cell_of(recency, value_score(frequency, monetary)),
        population=population,
    )
