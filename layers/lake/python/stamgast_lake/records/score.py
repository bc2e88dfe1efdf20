"""Scores by a pinned model: pairs of records with a probability, and what each column weighs."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stamgast_lake.logs import keep
from stamgast_lake.records.comparisons import class_sql, columns_in, place_sql
from stamgast_lake.records.dependence import CLASSES, DIFFERENT, EQUAL
from stamgast_lake.records.linker import UNIQUE_ID, linking, settings_of_model
from stamgast_lake.records.model import Dependence, Model

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS = CLASSES - 1
"""Rows of a parent's gains: every class but missing."""
BLOCKED = """
    create or replace temp table blocked as
    select '0' as match_key, a as join_key_l, b as join_key_r from pair
"""
LIKELY = """
    create or replace temp table likely as
    with compared as (
        select p.*, l.record_id as a, r.record_id as b, {columns}
        from {scored} p
        join record l on l.{id} = p.{id}_l join record r on r.{id} = p.{id}_r
    ),
    placed as (select *, {places} from compared)
    select a, b, match_weight, {weights} {codes} from placed
"""
PAIRS = """
    with weighed as (
        select a, b, match_weight {sum} as weight, {weights}
        from (select likely.* {gains} from likely {joins})
    )
    select a, b, 1 / (1 + pow(2::double, -weight)) as probability, weight, {names}
    from weighed where weight >= {least} order by a, b
"""


def score(engine: "DuckDBPyConnection", model: Model, least_probability: float) -> pa.Table:
    """The pairs of relation `pair` from a probability on: a, b, probability, weight, weights.

    `a` is smaller than `b`; `weight_<column>` is what the column adds to the weight, in bits, with
    what the columns that it follows from leave of that.
    """
    least = math.log2(least_probability / (1 - least_probability))
    most = sum(_most_added(model, one) for one in model.dependences)
    engine.execute(BLOCKED)
    with linking(engine, settings_of_model(model), "record") as (linker, database):
        blocked = database.register("blocked")
        linker.table_management.register_blocked_pairs_for_predict(blocked)
        scored = linker.inference.predict(threshold_match_weight=least - most, warning_mode="never")
        _keep_likely(engine, model, scored.physical_name)
    return _corrected(engine, model, least)


def _most_added(model: Model, one: Dependence) -> float:
    """How much a dependence adds at most; where a common value was expected, its discount too."""
    equal = next(told.levels[1] for told in model.comparisons if told.column == one.column)
    told = model.frequencies[one.column]
    discount = math.log2(max(told.rest, *told.common.values(), equal.u) / equal.u)
    size = len(one.gains[0][0])
    added = (
        gain.bits + (discount if gain.is_expected and gain.code % size == 0 else 0.0)
        for gain in _gains(one)
    )
    return max(0.0, *added)


def _keep_likely(engine: "DuckDBPyConnection", model: Model, scored: str) -> None:
    weights = ", ".join(
        f'"mw_{column}" + coalesce("mw_tf_adj_{column}", 0) as "weight_{column}"'
        for column in model.columns
    )
    weights += "".join(
        f', coalesce("mw_tf_adj_{one.column}", 0) as rarity_{number}'
        for number, one in enumerate(model.dependences)
    )
    told = {
        one.column: {"comparison_levels": [lev.told for lev in one.levels]}
        for one in model.comparisons
    }
    columns = ", ".join(
        f'l."{one}" as "{one}_l", r."{one}" as "{one}_r"' for one in columns_in(told.values())
    )
    places = ", ".join(f'{place_sql(one)} as "place_{name}"' for name, one in told.items())
    codes = "".join(
        f", {_code_sql(one, told)} as code_{number}" for number, one in enumerate(model.dependences)
    )
    engine.execute(
        LIKELY.format(
            columns=columns,
            scored=scored,
            id=UNIQUE_ID,
            places=places,
            weights=weights,
            codes=codes,
        )
    )


def _code_sql(one: Dependence, told: Mapping[str, Mapping[str, Any]]) -> str:
    """Which of `_gains` counts: the level of the column under the class of the parent that counts.

    As `dependence.which_counts` has it; null where the column, or every parent, is missing.
    """
    child = f'"place_{one.column}"'
    size = len(one.gains[0][0])
    agreeing, known, differing = [], [], ["false"]
    for number, parent in enumerate(one.parents):
        places = {name: f'"place_{name}"' for name in parent}
        is_known = " and ".join(f"{place} >= 0" for place in places.values())
        classes = ", ".join(class_sql(place, told[name]) for name, place in places.items())
        way = f"{number} + if({' or '.join(differing)}, {len(one.parents) - 1}, 0)"
        row = f"({way}) * {ROWS} + greatest({classes}) - {EQUAL}"
        code = f"{child} + {size} * ({row})"
        differs = f"{is_known} and greatest({classes}) = {DIFFERENT}"
        agreeing.append(f"when {is_known} and greatest({classes}) < {DIFFERENT} then {code}")
        known.append(f"when {is_known} then {code}")
        differing.append(f"({differs})")
    whens = [*agreeing, *known]
    return f"case when {child} < 0 then null {' '.join(whens)} end"


def _corrected(engine: "DuckDBPyConnection", model: Model, least: float) -> pa.Table:
    """The likely pairs with what dependences add, each to the weight of its first column."""
    children = {}
    for number, one in enumerate(model.dependences):
        keep(engine, f"gain_{number}", pa.Table.from_pylist([asdict(told) for told in _gains(one)]))
        children[one.column] = number
    names = [f'"weight_{column}"' for column in model.columns]
    statement = PAIRS.format(
        sum="".join(f" + together_{n}" for n in children.values()),
        weights=", ".join(
            f"{name} + together_{children[column]} as {name}" if column in children else name
            for name, column in zip(names, model.columns, strict=True)
        ),
        names=", ".join(names),
        gains="".join(
            f", coalesce(gain_{n}.bits - if(gain_{n}.is_expected, rarity_{n}, 0), 0)"
            f" as together_{n}"
            for n in children.values()
        ),
        joins="".join(
            f" left join gain_{n} on gain_{n}.code = code_{n}" for n in children.values()
        ),
        least=least,
    )
    return engine.sql(statement).to_arrow_table()


@dataclass(frozen=True, slots=True)
class Gain:
    """What is added under a code, and whether the parent agrees: a rare value is no news then."""

    code: int
    bits: float
    is_expected: bool


def _gains(one: Dependence) -> list[Gain]:
    rows = [
        (level, nth % ROWS + EQUAL != DIFFERENT)
        for nth, row in enumerate(row for parent in one.gains for row in parent)
        for level in row
    ]
    return [Gain(code, bits, is_expected) for code, (bits, is_expected) in enumerate(rows)]
