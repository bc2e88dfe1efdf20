"""Upkeep changes no row, forgets no stage, and deletes nothing that a snapshot names."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from stamgast_lake.catalogue import Catalogue, Commit
from stamgast_lake.maintenance import compact, expire, referenced
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import RAW_FILES
from tests.fakes.glue import Glue


def rows(name: str) -> pa.RecordBatchReader:
    row = {"object": name, "etag": "e", "kind": "raw", "bytes": 1, "lines": 1, "unreadable": 0}
    told = [{**row, "arrived_on": date(2026, 1, 1), "run_id": name}]
    return pa.Table.from_pylist(told, schema=arrow_schema(RAW_FILES)).to_reader()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(glue=Glue(), database="lake", warehouse=tmp_path.as_uri(), file_properties={})


def filled(catalogue: Catalogue, times: int) -> list[str]:
    names = [f"run-{number:02d}" for number in range(times)]
    for name in names:
        catalogue.append(RAW_FILES, rows(name), Commit(name, "load"))
    return names


def test_compaction_keeps_every_row_in_one_file_and_every_stage_done(catalogue: Catalogue) -> None:
    names = filled(catalogue, 9)
    assert compact(catalogue, RAW_FILES, "run-08") == 1
    assert len(catalogue.files(RAW_FILES)) == 1
    assert catalogue.dataset(RAW_FILES).to_table().column("object").to_pylist() == names
    assert all(catalogue.is_done(RAW_FILES, Commit(name, "load")) for name in names)
    assert compact(catalogue, RAW_FILES, "run-08") == 0


def test_expiry_keeps_the_newest_snapshot_of_each_stage(catalogue: Catalogue) -> None:
    filled(catalogue, 9)
    compact(catalogue, RAW_FILES, "run-08")
    later = datetime.now(UTC) + timedelta(days=1)
    assert expire(catalogue, RAW_FILES, later) == 8
    assert catalogue.last_commit(RAW_FILES, "load") == Commit("run-08", "load")
    assert catalogue.dataset(RAW_FILES).count_rows() == 9


def test_of_a_table_whose_rows_end_the_newest_snapshot_alone_stays(catalogue: Catalogue) -> None:
    """An older one would keep the files of what ended, however long nothing is compacted."""
    filled(catalogue, 9)
    compact(catalogue, RAW_FILES, "run-08")
    filled(catalogue, 10)
    found = catalogue.find(RAW_FILES)
    assert found is not None
    later = datetime.now(UTC) + timedelta(days=1)
    assert expire(catalogue, RAW_FILES, later, is_ending=True) == len(found.snapshots()) - 1
    assert catalogue.dataset(RAW_FILES).count_rows() == 10


def test_no_file_that_is_read_counts_as_an_orphan(catalogue: Catalogue) -> None:
    filled(catalogue, 9)
    compact(catalogue, RAW_FILES, "run-08")
    found = catalogue.find(RAW_FILES)
    assert found is not None
    paths = referenced(found)
    assert {file.file_path for file in catalogue.files(RAW_FILES)} <= paths
    assert all(snapshot.manifest_list in paths for snapshot in found.snapshots())
