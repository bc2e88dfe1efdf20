"""Splink over the relation `record` of a session, with the parameters that a model pins."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from splink import DuckDBAPI, Linker, SettingsCreator

from stamgast_lake.records.model import Model

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNIQUE_ID = "unique_id"


def settings_of(
    comparisons: Sequence[dict[str, Any]],
    *,
    prior: float = 0.0001,
    keeps_weights: bool = False,
) -> SettingsCreator:
    """Splink's settings for one set of records; the pairs to score are given, not blocked."""
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=list(comparisons),
        blocking_rules_to_generate_predictions=[{"blocking_rule": "1 = 0"}],
        probability_two_random_records_match=prior,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=keeps_weights,
        unique_id_column_name=UNIQUE_ID,
    )


def settings_of_model(model: Model) -> SettingsCreator:
    """Splink's settings with the model's parameters, which keep the weight of every column."""
    comparisons = [
        {
            "output_column_name": one.column,
            "comparison_levels": [
                {**level.told, **_parameters(level.told, level.m, level.u)} for level in one.levels
            ],
        }
        for one in model.comparisons
    ]
    return settings_of(comparisons, prior=model.prior, keeps_weights=True)


def _parameters(told: Any, m: float, u: float) -> dict[str, float]:
    return {} if told.get("is_null_level") else {"m_probability": m, "u_probability": u}


@contextmanager
def linking(
    engine: "DuckDBPyConnection", settings: SettingsCreator, relation: str
) -> Iterator[tuple[Linker, DuckDBAPI]]:
    """A linker over a relation, silent; the tables that it makes are gone at the end."""
    database = DuckDBAPI(connection=engine)
    records = database.register(relation)
    try:
        yield Linker(records, settings, log_level=None, validate_settings=False), database
    finally:
        database.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
