"""Records in, links out: record linkage over a table, by a new model or a pinned one."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stamgast.identity.records import RecordSettings, rule_of
from stamgast_lake.records.blocking import pinned_pairs
from stamgast_lake.records.columns import comparison_columns
from stamgast_lake.records.model import Model
from stamgast_lake.records.relation import add_frequencies, number
from stamgast_lake.records.score import score
from stamgast_lake.records.train import train

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from duckdb import DuckDBPyConnection

Step = Callable[[str], "AbstractContextManager[Any]"]


def learn_and_link(
    engine: "DuckDBPyConnection",
    raw: pa.Table,
    settings: RecordSettings,
    least_probability: float,
    step: Step = nullcontext,
) -> tuple[Model, pa.Table]:
    """A model trained on these records without labels, and their links (`score.score`).

    `raw` has `record_id` and any comparison columns; `step` is told what begins.
    """
    with step("values normalised"):
        records = number(engine, comparison_columns(raw))
    with step("model trained"):
        model = train(engine, settings, records)
    with step("pairs scored"):
        return model, score(engine, model, least_probability)


def link(
    engine: "DuckDBPyConnection", raw: pa.Table, model: Model, least_probability: float
) -> pa.Table:
    """The links of records by a pinned model."""
    number(engine, comparison_columns(raw))
    add_frequencies(engine, model.frequencies)
    pinned_pairs(engine, [rule_of(block.rule) for block in model.blocks], model.blocks)
    return score(engine, model, least_probability)
