"""Trains, calibrates and judges models of links where that is due, and states probabilities.

Devices are trained by their labels; records come scored, and are calibrated by theirs. Works on
documents of the run alone: it reads no table, holds no lease and commits nothing.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stamgast_aws.clients import client
from stamgast_aws.line_log import LineLog
from stamgast_aws.settings import read_settings
from stamgast_learn.records import RecordOrder, calibrate_run
from stamgast_learn.run import Order, Outcome, learn_run

RECORD = "record"
STATED = "scores.parquet"
PAIRS, RAW, LABELS = "device-pairs.parquet", "record-raw.parquet", "record-labels.parquet"
ORDER, SCORES, OUTCOME = "{kind}-order.json", "{kind}-scores.parquet", "{kind}-outcome.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    lake_bucket: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with what became of the model; `learn` in it says of which kind."""
    documents = Documents(read_settings(Settings).lake_bucket, event["run_id"])
    kind = event.get("learn", "device")
    with TemporaryDirectory(prefix="stamgast-learn-") as folder:
        outcome = (_calibrate if kind == RECORD else _learn)(documents, Path(folder))
        documents.put(SCORES.format(kind=kind), (Path(folder) / STATED).read_bytes())
        documents.put(OUTCOME.format(kind=kind), outcome.to_json())
    figures = {"version": outcome.scored_by, "is_new": outcome.is_new, "why": outcome.why}
    LineLog().info("links scored", run_id=event["run_id"], kind=kind, figures=figures)
    name = "calibrate_records" if kind == RECORD else "train_links"
    return {**event, "figures": {**event.get("figures", {}), name: figures}}


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one run of links."""

    bucket: str
    run_id: str

    def get(self, name: str) -> bytes:
        """A document of the run."""
        answer = _s3().get_object(Bucket=self.bucket, Key=self._key(name))
        text: bytes = answer["Body"].read()
        return text

    def put(self, name: str, text: bytes) -> None:
        """Keeps a document of the run."""
        _s3().put_object(Bucket=self.bucket, Key=self._key(name), Body=text)

    def _key(self, name: str) -> str:
        return f"runs/{self.run_id}/links/{name}"


def _learn(documents: Documents, folder: Path) -> Outcome:
    order = json.loads(documents.get(ORDER.format(kind="device")))
    (pairs,) = _files(documents, folder, PAIRS)
    return learn_run(Order.of(order), pairs, folder / STATED)


def _calibrate(documents: Documents, folder: Path) -> Outcome:
    order = json.loads(documents.get(ORDER.format(kind=RECORD)))
    labels, raw = _files(documents, folder, LABELS, RAW)
    return calibrate_run(RecordOrder(**order), labels, raw, folder / STATED)


def _files(documents: Documents, folder: Path, *names: str) -> list[Path]:
    """Documents as files of this machine."""
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(documents.get(path.name))
    return paths


@cache
def _s3() -> Any:
    return client("s3")
