"""Runs of models in one process: the very functions of a run, over an in-memory lake."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stamgast_lake.lake import Lake
from stamgast_lake.models.plan import Asked
from stamgast_lake.models.prepare import prepare_run
from stamgast_lake.models.registry import register_run
from stamgast_lake.models.store import store_run
from stamgast_lake.publishing.parted_since import Cuts
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.runs import Run
from stamgast_learn.stages import score, train


@dataclass(frozen=True)
class Documents:
    """What a run keeps, in the lake."""

    lake: Lake
    run_id: str

    def get(self, name: str) -> bytes:
        return self.lake.document(self.run_id, name)

    def put(self, name: str, body: bytes) -> None:
        self.lake.put_document(self.run_id, name, body)

    def artefact(self, key: str) -> bytes:
        body: bytes = self.lake.s3.get_object(Bucket=self.lake.bucket, Key=key)["Body"].read()
        return body


@dataclass
class ModelRuns:
    """Runs over one lake; `items` are those of the live view by person and sort key."""

    lake: Lake
    items: dict[tuple[str, str], Any] = field(default_factory=dict)
    puts: int = 0
    seq: int = 0
    cuts: Cuts = lambda _: {}

    def run(self, moment: datetime, **asked: Any) -> dict[str, Any]:
        """One whole run; `has_work` alone where nothing was due."""
        run = self.begin(moment)
        told = prepare_run(self.lake, run, Asked.of(asked))
        if not told["has_work"]:
            return told
        self.learn(run, told["train"])
        return self.finish(run)

    def begin(self, moment: datetime) -> Run:
        self.seq += 1
        return Run(f"models-{moment:%Y%m%dT%H%M%SZ}-{self.seq}", self.seq, moment)

    def learn(self, run: Run, names: Iterable[str]) -> None:
        for name in names:
            train(Documents(self.lake, run.run_id), name)

    def finish(self, run: Run) -> dict[str, Any]:
        registered = register_run(self.lake, run)
        for one in registered["shards"]:
            score(Documents(self.lake, run.run_id), one["model"], one["shard"])
        return {**registered, **store_run(self.lake, run, self.put, self.cuts, run.moment)}

    def put(self, rows: Iterable[PersonRow]) -> int:
        told = list(rows)
        for row in told:
            self.items.pop((row.person_id, row.sort_key), None)
            if row.attributes is not None:
                self.items[row.person_id, row.sort_key] = row.attributes
        self.puts += len(told)
        return len(told)
