"""What a run takes in: hours, ledger, drop zone, and what happens when two want to run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stamgast.identity.keys import Keyring
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.run_lease import DynamoRunLease, LeaseLostError
from stamgast_lake.archive import LakeObject
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.loading.load import ledger_rows
from stamgast_lake.loading.run import load_run
from stamgast_lake.loading.stage import Taken
from stamgast_lake.runs import Run, close_run, inputs_of, is_owed, open_run
from stamgast_lake.tables import EVENTS, RAW_FILES, RECEIPTS, RUNS
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.lake_bench import request, track
from tests.fakes.lake_catalogue import CrashError, MemoryCatalogue

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        yield client


@pytest.fixture
def lake(s3: Any) -> Lake:
    workspace = workspace_of(compile_files({"sources.yaml": "sources: {web: {name: Web}}"}))
    return Lake(
        s3=s3,
        bucket="lake",
        catalogue=MemoryCatalogue(),  # type: ignore[arg-type]  # the fake
        workspace=lambda: workspace,
        keyring=lambda: Keyring(1, b"a secret of the tests"),
    )


def put(lake: Lake, name: str, lines: list[tuple[str, bytes]], at: datetime = NOW) -> None:
    """Archives lines as Firehose would, plain and uncompressed."""
    for kind in ("raw", "rejected"):
        text = b"".join(line + b"\n" for of, line in lines if of == kind)
        if text:
            key = f"{kind}/date={at:%Y-%m-%d}/hour={at:%H}/{name}"
            lake.s3.put_object(Bucket="lake", Key=key, Body=text)


def run(number: int, moment: datetime = NOW) -> Run:
    return Run(f"run-{number}", number, moment)


def whole(lake: Lake, number: int, moment: datetime = NOW) -> dict[str, int]:
    """A run that opens, loads and closes."""
    open_run(lake, run(number, moment))
    figures = load_run(lake, f"run-{number}")
    told = {"load_events": figures}
    close_run(lake, run(number, moment), figures=told, error=None, closed_at=moment)
    return figures


def test_nothing_is_taken_in_twice(lake: Lake) -> None:
    put(lake, "a", request([track("m1")]))
    assert whole(lake, 1)["stored"] == 1
    assert open_run(lake, run(2)).count == 0
    put(lake, "b", request([track("m2")], request_id="r2"))
    assert [one.key[-1] for one in open_run(lake, run(3)).objects] == ["b"]


def test_hours_before_the_span_are_read_once_a_day_only(lake: Lake) -> None:
    whole(lake, 1)
    put(lake, "old", request([track("m1")]), NOW - timedelta(days=3))
    assert open_run(lake, run(2)).count == 0
    assert open_run(lake, run(3, NOW + timedelta(days=1))).count == 1


def test_the_list_is_written_before_anything_is_read(lake: Lake) -> None:
    put(lake, "a", request([track("m1")]))
    inputs = open_run(lake, run(1))
    assert inputs_of(lake, "run-1") == inputs
    assert lake.catalogue.files(RAW_FILES) == ()


def test_a_file_of_the_drop_zone_is_new_until_its_version_was_taken(lake: Lake) -> None:
    lake.s3.put_object(Bucket="lake", Key="imports/web/a.csv", Body=b"x")
    lake.s3.put_object(Bucket="lake", Key="imports/web/", Body=b"")
    (given,) = open_run(lake, run(1)).imports
    assert (given.source_id, given.path) == ("web", "a.csv")

    done = Taken(LakeObject(given.key, given.etag, 1, "import", "2026-03-01"), 1, 0)
    lake.catalogue.append(RAW_FILES, ledger_rows([done], "run-1"), Commit("run-1", "load"))
    assert open_run(lake, run(2)).imports == ()
    lake.s3.put_object(Bucket="lake", Key="imports/web/a.csv", Body=b"y")
    assert len(open_run(lake, run(3)).imports) == 1


@pytest.mark.failure_line(13)
def test_what_a_dead_run_began_to_commit_is_finished_by_the_next(lake: Lake) -> None:
    """Line 13: a run dies after a commit; the next, under another id, doubles nothing."""
    put(lake, "a", request([track("m1")]))
    open_run(lake, run(1))

    def crash(table: object, _commit: object) -> None:
        if table is EVENTS:
            raise CrashError

    lake.catalogue.after = crash  # type: ignore[attr-defined]  # the fake
    with pytest.raises(CrashError):
        load_run(lake, "run-1")
    lake.catalogue.after = lambda table, commit: None  # type: ignore[attr-defined]  # the fake
    put(lake, "b", request([track("m1"), track("m2")], request_id="r2"))
    open_run(lake, run(2))
    load_run(lake, "run-2")
    catalogue: Any = lake.catalogue
    assert sorted(row["message_id"] for row in catalogue.rows(EVENTS)) == ["m1", "m2"]
    assert len(catalogue.rows(RECEIPTS)) == 3
    assert len(catalogue.rows(RAW_FILES)) == 2


def test_a_failed_run_is_owed_to_the_next_and_its_rows_say_why(lake: Lake) -> None:
    put(lake, "a", request([track("m1")]))
    open_run(lake, run(1))
    told = {"load_events": load_run(lake, "run-1")}
    close_run(lake, run(1), figures=told, error="LeaseLost", closed_at=NOW)
    assert is_owed(lake, run(2))
    whole(lake, 2)
    assert not is_owed(lake, run(3))
    catalogue: Any = lake.catalogue
    failed = [row for row in catalogue.rows(RUNS) if row["status"] == "failed"]
    assert [(row["stage"], row["error"]) for row in failed] == [("run", "LeaseLost")]


class Clock:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lease(client: Any, clock: Clock) -> DynamoRunLease:
    return DynamoRunLease(client=client, table="control", now=clock)


def test_a_second_run_gets_nothing_while_the_first_holds_the_lease() -> None:
    client, clock = DynamoDB("control"), Clock()
    assert lease(client, clock).acquire("a") == 1
    assert lease(client, clock).acquire("b") is None
    assert lease(client, clock).acquire("a") == 1


def test_a_stale_lease_is_taken_over_with_a_higher_number_and_fences_the_first_off() -> None:
    client, clock = DynamoDB("control"), Clock()
    lease(client, clock).acquire("a")
    clock.now += 20 * 60 + 1
    assert lease(client, clock).acquire("b") == 2
    with pytest.raises(LeaseLostError):
        lease(client, clock).renew("a", 1)
    key = {"PK": {"S": "RUN"}, "SK": {"S": "fence"}}
    assert client.get_item(TableName="control", Key=key)["Item"]["seq"] == {"N": "2"}


def test_a_released_lease_is_free_and_its_number_is_never_given_again() -> None:
    client, clock = DynamoDB("control"), Clock()
    lease(client, clock).acquire("a")
    lease(client, clock).release("a", 1)
    assert lease(client, clock).acquire("b") == 2


def test_of_two_that_find_the_lease_free_at_once_one_gets_it() -> None:
    client, clock = DynamoDB("control"), Clock()
    second = lease(client, clock)
    won: list[int | None] = []

    class Racing(DynamoRunLease):
        def read(self) -> Any:
            found = super().read()
            if not won:
                won.append(second.acquire("b"))
            return found

    first = Racing(client=client, table="control", now=clock)
    assert (first.acquire("a"), won) == (None, [1])
