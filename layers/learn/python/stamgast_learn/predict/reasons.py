"""The features that moved a person's score most, as JSON beside it."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import Column
from stamgast_learn.predict.contributions import Explainer

TOLD = 5
EXPLAINED_AT_ONCE = 50_000


def told_reasons(names: tuple[str, ...], measured: Floats, explain: Explainer, unit: str) -> Column:
    """For each row of features the five that moved it most: a feature, its value (null where it is
    unknown), and what it adds to the score, in a `unit`."""
    told: list[str] = []
    for start in range(0, len(measured), EXPLAINED_AT_ONCE):
        part = measured[start : start + EXPLAINED_AT_ONCE]
        told += _told(names, part, explain(part), unit)
    return np.array(told, dtype=object)


def _told(names: tuple[str, ...], measured: Floats, moved: Floats, unit: str) -> list[str]:
    most = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :TOLD]
    rows: NDArray[Any] = np.arange(len(moved))[:, None]
    value, by = np.round(measured[rows, most], 4).tolist(), np.round(moved[rows, most], 3)
    begins = [f'{{"feature": {json.dumps(name)}, "value": ' for name in names]
    return [
        f"[{', '.join(_reason(*one, unit) for one in zip(*row, strict=True))}]"
        for row in zip(
            ([begins[place] for place in places] for places in most.tolist()),
            value,
            by.tolist(),
            strict=True,
        )
    ]


def _reason(begin: str, value: float, moved: float, unit: str) -> str:
    return f'{begin}{value if value == value else "null"}, "{unit}": {moved}}}'
