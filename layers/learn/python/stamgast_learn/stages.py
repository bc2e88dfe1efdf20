"""The stages `train_model` and `score_profiles` of a run of models, over documents of the run.

Works on documents alone: it reads no table, holds no lease and commits nothing. What it is handed
of a model is checked against the SHA-256 that the run pinned.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeAlias

import numpy as np

from stamgast.models.declaration import model_of
from stamgast.models.documents import (
    COUNTED,
    MADE,
    OUTCOME,
    PANEL,
    PEOPLE,
    PINNED,
    PLAN,
    SCORED,
)
from stamgast.models.drift import SCORE
from stamgast_learn.canonical import canonical
from stamgast_learn.kinds import learn_run, order_of, score_run
from stamgast_learn.parquet import Columns, read_columns
from stamgast_learn.predict.run import Order
from stamgast_learn.reference import counted, reference_of

Json: TypeAlias = dict[str, Any]


class TamperedError(Exception):
    """An artefact is not the one that the run pinned."""


class Documents(Protocol):
    """What a run keeps, and the artefacts of models."""

    def get(self, name: str) -> bytes:
        """A document of the run."""
        ...

    def put(self, name: str, body: bytes) -> None:
        """Keeps a document of the run."""
        ...

    def artefact(self, key: str) -> bytes:
        """An artefact by its key."""
        ...


def train(documents: Documents, model: str) -> Json:
    """Trains and judges a version as the plan asks; what became of it, in short."""
    told = json.loads(documents.get(PLAN))[model]
    order = _order(told["declaration"], told["version"], told["history_days"], is_training=True)
    champion = told["champion"] and _artefact(documents, told["champion"])
    with TemporaryDirectory(prefix="stamgast-train-") as folder:
        panel = _file(documents, PANEL.format(model=model), folder)
        outcome, made = learn_run(order, panel, champion)
        document = json.loads(outcome.to_json())
        if outcome.is_used and made is not None:
            made = canonical(made)
            document |= {"sha256": sha256(made).hexdigest()}
            document |= _now(order, made, panel, Path(folder) / "scores.parquet")
            document["before"] = _before(order, told, champion, panel)
            documents.put(MADE.format(model=model), made)
    documents.put(OUTCOME.format(model=model), _dumped(document))
    return {"version": outcome.version, "is_used": outcome.is_used, "why": outcome.why}


def score(documents: Documents, model: str, shard: int) -> Json:
    """Scores one shard of people by the pinned version, and counts them by its bins."""
    pinned = json.loads(documents.get(PINNED.format(model=model)))
    order = _order(pinned["declaration"], pinned["version"], 0, is_training=False)
    artefact = _artefact(documents, pinned)
    names = {"model": model, "shard": shard, "definition": pinned["definition"]}
    with TemporaryDirectory(prefix="stamgast-score-") as folder:
        panel, scores = _file(documents, PEOPLE.format(**names), folder), Path(folder) / "scores"
        figures = score_run(order, artefact, panel, scores)
        measured = _measured(order, panel, scores)
        documents.put(SCORED.format(**names), scores.read_bytes())
    bins = counted(pinned["reference"] or {}, measured)
    told = {"version": pinned["version"], "figures": figures, "bins": bins}
    documents.put(COUNTED.format(**names), _dumped(told))
    return {"version": pinned["version"], "scored": figures["scored"]}


def _dumped(told: Json) -> bytes:
    """As JSON, in which a figure that could not be worked out is null."""
    return json.dumps(_finite(told), sort_keys=True, allow_nan=False).encode()


def _finite(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _finite(one) for name, one in told.items()}
    if isinstance(told, list | tuple):
        return [_finite(one) for one in told]
    return None if isinstance(told, float) and not isfinite(told) else told


def _order(declaration: Mapping[str, Any], version: str, days: int, *, is_training: bool) -> Order:
    return order_of(model_of(declaration), version, days, is_training=is_training)


def _artefact(documents: Documents, pinned: Mapping[str, Any]) -> bytes:
    """The artefact that was pinned; raises TamperedError for any other bytes."""
    body = documents.artefact(pinned["artefact"])
    if sha256(body).hexdigest() != pinned["sha256"]:
        raise TamperedError(f"{pinned['artefact']} is not what was registered")
    return body


def _now(order: Order, made: bytes, panel: Path, scores: Path) -> Json:
    """What the new version says of people now, and the bins by which later drift is told."""
    figures = score_run(order, made, panel, scores)
    if not scores.exists():
        return {"now": figures, "reference": None}
    return {"now": figures, "reference": reference_of(_measured(order, panel, scores))}


def _before(order: Order, told: Json, champion: bytes | None, panel: Path) -> Json:
    """People now by the bins of the version in use, and by what that one says of them.

    Of one of another declaration nothing: it says other things of other features.
    """
    pinned = told["champion"]
    if (
        not champion
        or not pinned["reference"]
        or pinned["definition"] != told["about"]["definition"]
    ):
        return {}
    scores = panel.with_name("before.parquet")
    score_run(order, champion, panel, scores)
    return counted(pinned["reference"], _measured(order, panel, scores))


def _measured(order: Order, panel: Path, scores: Path) -> Columns:
    """Features of the people who are to be scored, and their scores, by name."""
    columns, told = read_columns(panel), read_columns(scores)
    rows = np.isnan(columns["label"])
    if "product" in columns:
        rows &= np.array([one is None for one in columns["product"]], dtype=bool)
    features = {
        name: columns[f"f{place}"].astype(np.float64)[rows]
        for place, name in enumerate(order.features)
        if f"f{place}" in columns
    }
    return {**features, SCORE: told["value"].astype(np.float64)}


def _file(documents: Documents, name: str, folder: str) -> Path:
    path = Path(folder) / "people.parquet"
    path.write_bytes(documents.get(name))
    return path
