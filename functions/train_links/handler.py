"""Trains, calibrates and judges the model of device links where it is due, and scores the pairs.

Works on documents of the run alone: it reads no table, holds no lease and commits nothing.
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
from stamgast_learn.run import Order, Outcome, learn_run

PAIRS, ORDER = "device-pairs.parquet", "device-order.json"
SCORES, OUTCOME = "device-scores.parquet", "device-outcome.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    lake_bucket: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with what became of the model."""
    documents = Documents(read_settings(Settings).lake_bucket, event["run_id"])
    with TemporaryDirectory(prefix="stamgast-learn-") as folder:
        outcome = _learn(documents, Path(folder))
    figures = {"version": outcome.scored_by, "is_new": outcome.is_new, "why": outcome.why}
    LineLog().info("links scored", run_id=event["run_id"], figures=figures)
    return {**event, "figures": {**event.get("figures", {}), "train_links": figures}}


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
    pairs, scores = folder / PAIRS, folder / SCORES
    pairs.write_bytes(documents.get(PAIRS))
    outcome = learn_run(Order.of(json.loads(documents.get(ORDER))), pairs, scores)
    documents.put(SCORES, scores.read_bytes())
    documents.put(OUTCOME, outcome.to_json())
    return outcome


@cache
def _s3() -> Any:
    return client("s3")
