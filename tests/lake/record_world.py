"""A lake of persons with generated traits, and whole runs of links between their records."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError

from stamgast.identity.links import LinkKind
from stamgast.identity.records import RecordSettings
from stamgast.identity.settings import DEFAULT
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.links.run import OUTCOME, SCORES, store_run
from stamgast_lake.records.run import LABELS, ORDER, RAW, link_records_run
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import IDENTITY, LINK_MODELS, LINKS, PERSONS, PROFILES
from stamgast_learn.records import RecordOrder, calibrate_run
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.lake.world import MemoryObjects


class Objects(MemoryObjects):
    """Objects that answer as S3 does when there is none."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.bodies:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return super().get_object(Bucket=Bucket, Key=Key)


class Persons:
    """A lake of persons with the generated traits, and runs of links over it.

    Each is known by one identifier of `namespace`, whose value is the record's id.
    """

    def __init__(self, settings: RecordSettings, namespace: str = "user_id") -> None:
        self.namespace = namespace
        self.catalogue, self.objects = MemoryCatalogue(), Objects()
        self.settings = settings
        workspace = Workspace("1", "UTC", {}, DEFAULT)
        self.lake = Lake(self.objects, "bucket", self.catalogue, lambda: workspace, None)  # type: ignore[arg-type]

    def tell(self, rows: pa.Table, moment: datetime, seq: int) -> None:
        told = [self._rows(row, moment, seq) for row in rows.to_pylist()]
        for place, table in enumerate((IDENTITY, PERSONS, PROFILES)):
            schema = arrow_schema(table)
            said = pa.Table.from_pylist([row[place] for row in told], schema=schema)
            self.catalogue.append(table, said.to_reader(), Commit(f"r{seq}", "told"))

    def leave(self, rows: pa.Table, moment: datetime, seq: int) -> None:
        """These persons are none any more, as if they had been erased."""
        told = [self._rows(row, moment, seq)[1] for row in rows.to_pylist()]
        gone = [{**row, "state": "erased"} for row in told]
        said = pa.Table.from_pylist(gone, schema=arrow_schema(PERSONS))
        self.catalogue.append(PERSONS, said.to_reader(), Commit(f"r{seq}", "left"))

    def log_in(self, owners: Mapping[str, str], moment: datetime, seq: int) -> None:
        """Users log in on records: each record's identifier belongs to its user's person since."""
        rows = [
            {"identifier": key, "namespace": key.partition(":")[0], "person_id": f"person-{owner}",
             "cause": "joined", "support": "m", "recorded_at": moment, "shard": 0,
             "run_id": f"r{seq}"}
            for record_id, owner in owners.items()
            for key in (f"{self.namespace}:{record_id}", f"user_id:{owner}")
        ]  # fmt: skip
        said = pa.Table.from_pylist(rows, schema=arrow_schema(IDENTITY))
        self.catalogue.append(IDENTITY, said.to_reader(), Commit(f"r{seq}", "logged in"))

    def _rows(self, row: dict[str, Any], moment: datetime, seq: int) -> tuple[dict[str, Any], ...]:
        person = f"person-{row['record_id']}"
        traits = {
            name: {"value": value}
            for name, value in row.items()
            if value and name not in ("record_id", "truth")
        }
        stamp = {"recorded_at": moment, "shard": 0, "run_id": f"r{seq}"}
        text = orjson.dumps(traits).decode()
        spent = {"orders": 0, "revenue_minor": 0, "spending": []}
        key = f"{self.namespace}:{row['record_id']}"
        return (
            {"identifier": key, "namespace": self.namespace, "person_id": person,
             "cause": "founded", "support": "m", **stamp},
            {"person_id": person, "state": "active", "born_at": moment, "founding_source": "s",
             "founding_message": key, "founding_position": 0, "identifiers": 1, **stamp},
            {"person_id": person, "traits": text, "counters": "{}", **spent,
             "profile_hash": str(hash(text)), **stamp},
        )  # fmt: skip

    def run(self, moment: datetime, **more: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        run = Run(f"links-{moment:%Y%m%dT%H%M%S}", 1, moment)
        figures = link_records_run(self.lake, run, self.settings, **more)
        with TemporaryDirectory() as folder:
            self.calibrate(run.run_id, Path(folder))
        days = {LinkKind.RECORD: self.settings.expiry_days}
        return figures, store_run(self.lake, run, days, lambda rows: len(list(rows)), moment)

    def calibrate(self, run_id: str, folder: Path) -> None:
        """The stage `train_links` over records, on documents in memory."""
        labels, raw, scores = (folder / name for name in ("labels", "raw", "scores"))
        labels.write_bytes(self.lake.document(run_id, LABELS))
        raw.write_bytes(self.lake.document(run_id, RAW))
        order = RecordOrder(**json.loads(self.lake.document(run_id, ORDER)))
        outcome = calibrate_run(order, labels, raw, scores)
        self.lake.put_document(run_id, SCORES.format(kind=LinkKind.RECORD), scores.read_bytes())
        self.lake.put_document(run_id, OUTCOME.format(kind=LinkKind.RECORD), outcome.to_json())

    def models(self) -> list[dict[str, Any]]:
        """What was learnt, oldest first, with its report read."""
        rows = self.catalogue.dataset(LINK_MODELS).to_table().to_pylist()
        told = [{**row, "report": json.loads(row["report"])} for row in rows]
        return sorted(told, key=lambda row: row["trained_at"])

    def stated(self) -> set[tuple[str, str]]:
        rows = self.catalogue.dataset(LINKS).to_table().to_pylist()
        newest: dict[tuple[str, str], dict[str, Any]] = {}
        for row in sorted(rows, key=lambda one: one["recorded_at"]):
            newest[row["a"], row["b"]] = row
        return {pair for pair, row in newest.items() if row["state"] == "standing"}
