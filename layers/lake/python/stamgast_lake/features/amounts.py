"""Amounts among features, in one currency: of people who pay in another nobody knows any.

Nothing is converted. Each amount is in its person's principal currency; those in another than the
panel's are made null, and what is counted stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stamgast.models.declaration import Model
from stamgast.models.money import is_in_money
from stamgast.segments.definitions import ComputedTrait

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAYING = """
    select currency, count(*) as people
    from (
        select person_id, arg_max(principal, cut_on) as currency
        from panel where principal is not null group by person_id
    ) group by currency order by people desc, currency
"""
UNKNOWN = "update panel set {places} where principal <> ?"


@dataclass(frozen=True, slots=True)
class Amounts:
    """The currency of amounts, how many people pay in which, and the features that hold any."""

    currency: str
    people: Mapping[str, int]
    features: tuple[str, ...]


def in_one_currency(
    engine: "DuckDBPyConnection", model: Model, traits: Sequence[ComputedTrait]
) -> Amounts | None:
    """Makes amounts in another currency null in table `panel`; None where there are no amounts.

    The currency is the model's, else the one in which most of its people pay.
    """
    places = dict(_places(model, traits))
    paying = dict(engine.execute(PAYING).fetchall()) if places else {}
    if not paying:
        return None
    currency = model.currency or next(iter(paying))
    columns = {column for (column, *_) in engine.execute("describe panel").fetchall()}
    named = [f"{of}{place}" for place in places for of in "fg" if f"{of}{place}" in columns]
    engine.execute(UNKNOWN.format(places=", ".join(f"{one} = null" for one in named)), [currency])
    return Amounts(currency, paying, tuple(places.values()))


def _places(model: Model, traits: Sequence[ComputedTrait]) -> Iterator[tuple[int, str]]:
    """The features that hold an amount, by their places."""
    computed = frozenset(one.name for one in traits if is_in_money(one))
    for place, feature in enumerate(model.features):
        if is_in_money(feature.tree, computed):
            yield place, feature.name
