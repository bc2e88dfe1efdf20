"""What became of each version of a model, as the log of versions tells it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]


class State(StrEnum):
    """`champion` scores; `retired` did; `kept_out` was not better; `abstained` had too little."""

    CHAMPION = "champion"
    RETIRED = "retired"
    KEPT_OUT = "kept_out"
    ABSTAINED = "abstained"


def newest(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """The row that holds of each (model, version)."""
    told: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=_order):
        told[row["model"], row["version"]] = row
    return told


def champions(rows: Iterable[Row]) -> dict[str, Row]:
    """The version in use of each model that has one."""
    in_use = (row for row in newest(rows).values() if row["state"] == State.CHAMPION)
    return {row["model"]: row for row in sorted(in_use, key=_order)}


def before(rows: Iterable[Row], model: str) -> Row | None:
    """The version that was in use before the present one: what a roll back returns to."""
    told = list(rows)
    present = champions(told).get(model)
    ever = [
        row
        for row in sorted(told, key=_order)
        if row["model"] == model and row["state"] == State.CHAMPION
    ]
    others = [row for row in ever if present is None or row["version"] != present["version"]]
    return others[-1] if others else None


def _order(row: Row) -> tuple[Any, str]:
    return row["recorded_at"], row["run_id"]
