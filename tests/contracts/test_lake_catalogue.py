"""What holds for the Iceberg catalogue and for its in-memory stand-in alike."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from stamgast_lake import catalogue as module
from stamgast_lake.catalogue import Catalogue, Commit, one_of
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVIDENCE, ICEBERG, RAW_FILES
from tests.fakes.glue import Glue
from tests.fakes.lake_catalogue import MemoryCatalogue

ONE, TWO = Commit("run-1", "load"), Commit("run-2", "load")


def rows(*names: str, on: date = date(2026, 1, 1), run: str = "run-1") -> pa.RecordBatchReader:
    schema = arrow_schema(RAW_FILES)
    told = [
        {
            "object": name,
            "etag": "e",
            "kind": "raw",
            "bytes": 1,
            "lines": 1,
            "unreadable": 0,
            "arrived_on": on,
            "run_id": run,
        }
        for name in names
    ]
    return pa.Table.from_pylist(told, schema=schema).to_reader()


@pytest.fixture
def motos(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("glue", region_name="eu-central-1")
        client.create_database(DatabaseInput={"Name": "lake"})
        yield client


@pytest.fixture(params=["in process", "moto"])
def glue(request: pytest.FixtureRequest) -> Any:
    return _glue(request)


def _glue(request: pytest.FixtureRequest) -> Any:
    return Glue() if request.param == "in process" else request.getfixturevalue("motos")


def iceberg(glue: Any, folder: Path) -> Catalogue:
    return Catalogue(glue=glue, database="lake", warehouse=folder.as_uri(), file_properties={})


@pytest.fixture(params=["memory", "in process", "moto"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        return MemoryCatalogue()
    return iceberg(_glue(request), tmp_path)


def names(catalogue: Any) -> list[str]:
    return sorted(catalogue.dataset(RAW_FILES).to_table().column("object").to_pylist())


def test_a_table_that_was_never_written_is_empty(catalogue: Any) -> None:
    assert names(catalogue) == []
    assert catalogue.files(RAW_FILES) == ()
    assert catalogue.last_commit(RAW_FILES, "load") is None


def test_a_stage_whose_snapshot_exists_writes_nothing_again(catalogue: Any) -> None:
    assert catalogue.append(RAW_FILES, rows("a", "b"), ONE) == 2
    assert catalogue.append(RAW_FILES, rows("a", "b"), ONE) == 0
    assert names(catalogue) == ["a", "b"]
    assert catalogue.is_done(RAW_FILES, ONE)
    assert not catalogue.is_done(RAW_FILES, TWO)
    assert catalogue.last_commit(RAW_FILES, "load") == ONE


def test_a_commit_without_rows_still_says_that_the_stage_is_done(catalogue: Any) -> None:
    catalogue.append(RAW_FILES, rows(), ONE)
    assert catalogue.is_done(RAW_FILES, ONE)


def test_only_the_files_of_the_named_partition_are_read(catalogue: Any) -> None:
    catalogue.append(RAW_FILES, rows("a"), ONE)
    catalogue.append(RAW_FILES, rows("b", on=date(2026, 1, 2)), TWO)
    found = catalogue.dataset(RAW_FILES, one_of("arrived_on", ["2026-01-02"]))
    assert found.to_table().column("object").to_pylist() == ["b"]
    assert catalogue.files(RAW_FILES, one_of("arrived_on", [])) == ()


def test_replacing_files_leaves_the_rows_of_the_others(catalogue: Any) -> None:
    catalogue.append(RAW_FILES, rows("a"), ONE)
    catalogue.append(RAW_FILES, rows("b", on=date(2026, 1, 2)), Commit("run-1", "more"))
    gone = catalogue.files(RAW_FILES, one_of("arrived_on", ["2026-01-01"]))
    catalogue.replace(RAW_FILES, rows("c", "d"), gone, TWO)
    assert names(catalogue) == ["b", "c", "d"]


@pytest.mark.failure_line(18)
def test_commits_that_meet_are_retried_without_lost_or_double_rows(
    glue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 18: commit conflicts between a writer and a compaction are retried."""
    mine, other = iceberg(glue, tmp_path), iceberg(glue, tmp_path)
    mine.append(RAW_FILES, rows("a"), ONE)
    during(monkeypatch, lambda: other.append(RAW_FILES, rows("b"), Commit("x", "other")))
    mine.replace(RAW_FILES, rows("a", "c"), mine.files(RAW_FILES), TWO)
    assert names(mine) == ["a", "b", "c"]


@pytest.mark.failure_line(18)
def test_of_two_that_replace_the_same_file_one_fails_and_nothing_doubles(
    glue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 18: what cannot be retried is refused, never written twice."""
    mine, other = iceberg(glue, tmp_path), iceberg(glue, tmp_path)
    mine.append(RAW_FILES, rows("a"), ONE)
    gone = mine.files(RAW_FILES)
    during(monkeypatch, lambda: other.replace(RAW_FILES, rows("b"), gone, Commit("x", "other")))
    with pytest.raises(module.CONFLICTS):
        mine.replace(RAW_FILES, rows("c"), gone, TWO)
    assert names(mine) == ["b"]


def during(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Lets `act` commit once, after the next writer has read the table and before it commits."""
    write = module.write

    def interrupted(*args: Any) -> Any:
        files = write(*args)
        monkeypatch.setattr(module, "write", write)
        act()
        return files

    monkeypatch.setattr(module, "write", interrupted)


def test_every_declared_table_can_be_created_and_keeps_its_documentation(
    glue: Any, tmp_path: Path
) -> None:
    lake = iceberg(glue, tmp_path)
    lake.create_all()
    for table in ICEBERG:
        found = lake.find(table)
        assert found is not None
        assert tuple(field.name for field in found.schema().fields) == table.column_names
        assert found.schema().find_field(table.columns[0].name).doc == table.columns[0].doc


def test_a_column_that_was_added_later_is_null_in_older_files(glue: Any, tmp_path: Path) -> None:
    lake = iceberg(glue, tmp_path)
    without = [column for column in EVIDENCE.columns if column.name != "probability"]
    narrow = module.LakeTable(
        EVIDENCE.name, EVIDENCE.doc, tuple(without), EVIDENCE.partition, EVIDENCE.sort
    )
    lake.table(narrow)
    assert "probability" in lake.table(EVIDENCE).schema().column_names


def told_of(glue: Any, call: str, **request: Any) -> Any:
    """What a catalogue answers: the table without when it was made, or the error."""
    try:
        answer = getattr(glue, call)(DatabaseName="lake", **request)
    except ClientError as error:
        return type(error).__name__, error.response["Error"]["Code"]
    table = (answer or {}).get("Table", {})
    return {name: table[name] for name in ("Name", "Parameters", "VersionId") if name in table}


def test_the_glue_in_process_answers_as_motos_does(motos: Any) -> None:
    one, two = ({"Name": "t", "Parameters": {"at": at}} for at in ("1", "2"))
    steps: list[tuple[str, dict[str, Any]]] = [
        ("get_table", {"Name": "t"}),
        ("update_table", {"TableInput": two}),
        ("create_table", {"TableInput": one}),
        ("create_table", {"TableInput": two}),
        ("get_table", {"Name": "t"}),
        ("update_table", {"TableInput": two, "VersionId": "1", "SkipArchive": True}),
        ("get_table", {"Name": "t"}),
        ("delete_table", {"Name": "t"}),
        ("delete_table", {"Name": "t"}),
    ]
    mine = Glue()
    for call, request in steps:
        assert told_of(mine, call, **request) == told_of(motos, call, **request), call


def test_the_glue_in_process_refuses_what_was_read_before_another_wrote() -> None:
    """As Glue does; moto looks at no version."""
    glue = Glue()
    told = {"DatabaseName": "lake", "TableInput": {"Name": "t"}}
    glue.create_table(**told)
    glue.update_table(**told, VersionId="1")
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(**told, VersionId="1")
