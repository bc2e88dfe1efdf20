"""Scores by a pinned model: pairs of records with a probability, and what each column weighs."""

import math
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast_lake.logs import keep
from stamgast_lake.records.comparisons import class_sql, columns_in
from stamgast_lake.records.linker import UNIQUE_ID, linking, settings_of_model
from stamgast_lake.records.model import Dependence, Model

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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
    )
    select a, b, match_weight, {weights} {codes} from compared
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
    most = sum(max(0.0, *one.gains.values(), 0.0) for one in model.dependences)
    engine.execute(BLOCKED)
    with linking(engine, settings_of_model(model), "record") as (linker, database):
        blocked = database.register("blocked")
        linker.table_management.register_blocked_pairs_for_predict(blocked)
        scored = linker.inference.predict(threshold_match_weight=least - most, warning_mode="never")
        _keep_likely(engine, model, scored.physical_name)
    return _corrected(engine, model, least)


def _keep_likely(engine: "DuckDBPyConnection", model: Model, scored: str) -> None:
    weights = ", ".join(
        f'"mw_{column}" + coalesce("mw_tf_adj_{column}", 0) as "weight_{column}"'
        for column in model.columns
    )
    weights += "".join(
        f', coalesce("mw_tf_adj_{one.columns[0]}", 0) as rarity_{number}'
        for number, one in enumerate(model.dependences)
    )
    told = {
        one.column: {"comparison_levels": [lev.told for lev in one.levels]}
        for one in model.comparisons
    }
    columns = ", ".join(
        f'l."{one}" as "{one}_l", r."{one}" as "{one}_r"' for one in columns_in(told.values())
    )
    codes = "".join(
        ", "
        + " + ".join(
            f"{4**place} * ({class_sql(told[column])})" for place, column in enumerate(one.columns)
        )
        + f" as code_{number}"
        for number, one in enumerate(model.dependences)
    )
    engine.execute(
        LIKELY.format(columns=columns, scored=scored, id=UNIQUE_ID, weights=weights, codes=codes)
    )


def _corrected(engine: "DuckDBPyConnection", model: Model, least: float) -> pa.Table:
    """The likely pairs with what dependences add, each to the weight of its first column."""
    children = {}
    for number, one in enumerate(model.dependences):
        keep(engine, f"gain_{number}", _gains(one))
        children[one.columns[0]] = number
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


def _gains(one: Dependence) -> pa.Table:
    return pa.table(
        {
            "code": pa.array(list(one.gains), pa.int32()),
            "bits": pa.array(list(one.gains.values()), pa.float64()),
            "is_expected": pa.array([code in one.expected for code in one.gains], pa.bool_()),
        }
    )
