"""The functions of a run that open, import, load and close, called as the state machine does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from functions.close_run import handler as close_run
from functions.import_file import handler as import_file
from functions.load_events import handler as load_events
from functions.open_run import handler as open_run
from stamgast.identity.keys import Keyring
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.executions import StepFunctionsExecutions
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.run_lease import DynamoRunLease, LeaseLostError
from stamgast_lake.health import HealthError, newest_figures
from stamgast_lake.lake import Lake
from stamgast_lake.tables import EVENTS, RUNS
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.lake_catalogue import MemoryCatalogue

CONTEXT = SimpleNamespace(aws_request_id="11112222-3333")
SOURCES = "sources: {shop: {name: Shop, imports: [{match: '*'}]}}"
FILE = b"type,userId,event,messageId\ntrack,u1,Seen,m1\ntrack,,Seen,m2\n"


@dataclass
class Stack:
    """What the functions work with, and a clock that the test moves."""

    lake: Lake
    catalogue: MemoryCatalogue
    lease: DynamoRunLease
    now: float = 1_000.0
    at_rest: set[str] = field(default_factory=set)

    def open(self, **told: Any) -> dict[str, Any]:
        # Each request has an id of its own: two runs of one second must not share theirs.
        return open_run.handler(told, SimpleNamespace(aws_request_id=str(uuid4())))

    def run(self, **told: Any) -> dict[str, Any]:
        """Every state from the opening to the close."""
        payload = self.open(**told)
        for one in payload["imports"]:
            import_file.handler({**payload, "import": one}, CONTEXT)
        return close_run.handler(load_events.handler(payload, CONTEXT), CONTEXT)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "test")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Stamgast/test")
    workspace = workspace_of(compile_files({"sources.yaml": SOURCES}))
    with mock_aws():
        s3: Any = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="lake")
        memory: Any = MemoryCatalogue()
        lake = Lake(s3, "lake", memory, lambda: workspace, lambda: Keyring(1, b"tests"))
        client = DynamoDB("control")
        lease = DynamoRunLease(
            client=client,
            table="control",
            now=lambda: made.now,
            is_at_rest=lambda execution: execution in made.at_rest,
        )
        made = Stack(lake, memory, lease)
        for module in (open_run, import_file, load_events, close_run):
            monkeypatch.setattr(module, "_lake", lambda: lake)
            monkeypatch.setattr(module, "_lease", lambda: lease)
        live = DynamoIdentityStore(DynamoDB("profiles"), "profiles", "control", lambda _: None)
        monkeypatch.setattr(close_run, "_store", lambda: live)
        monkeypatch.setattr(close_run, "maintain_daily", lambda *_: None)  # needs Iceberg's files
        yield made


def put(stack: Stack, name: str = "a.csv", body: bytes = FILE) -> None:
    stack.lake.s3.put_object(Bucket="lake", Key=f"imports/shop/{name}", Body=body)


def test_a_run_takes_a_file_all_the_way_into_the_tables(stack: Stack) -> None:
    put(stack)
    closed = stack.run()
    assert closed["status"] == "done"
    assert [row["message_id"] for row in stack.catalogue.rows(EVENTS)] == ["m1"]
    stages = {row["stage"]: row["status"] for row in stack.catalogue.rows(RUNS)}
    assert stages == dict.fromkeys(("open_run", "load_events", "identity_health", "run"), "done")


def test_identity_is_measured_and_told_as_metrics_when_a_run_closes(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack)
    stack.run()
    [figures] = newest_figures(stack.lake, 5)
    assert figures["persons"] == 0  # nothing was resolved between the load and the close
    assert figures["findings"] == []
    assert '"HealthFindings":[0.0]' in capsys.readouterr().out


def test_a_run_is_closed_when_identity_cannot_be_measured(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise HealthError("the engine could not measure")

    monkeypatch.setattr(close_run, "measure", down)
    put(stack)
    assert stack.run()["status"] == "done"
    assert newest_figures(stack.lake, 5) == []


def test_nothing_new_ends_the_run_at_its_first_state_and_frees_the_lease(stack: Stack) -> None:
    assert stack.open()["inputs"] == 0
    held = stack.lease.read()
    assert held is not None
    assert held.expires_at_s == 0


def test_a_tick_during_a_run_does_nothing(stack: Stack) -> None:
    put(stack)
    first = stack.open(run_id="first")
    second = stack.open(run_id="second")
    assert (first["inputs"], second["inputs"], second["status"]) == (1, 0, "busy")


def test_a_run_whose_stage_and_close_both_failed_holds_up_no_other(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stack)
    assert stack.open(input={"run_id": "first"}, execution="arn:first")["inputs"] == 1

    def down(*_: Any, **__: Any) -> str:
        raise ConnectionError("the catalogue is away")

    monkeypatch.setattr(close_run, "close_run", down)
    with pytest.raises(ConnectionError):
        close_run.handler(
            {"run_id": "first", "seq": 1, "moment": "2026-02-03", "figures": {}}, CONTEXT
        )
    assert stack.open(input={"run_id": "second"}, execution="arn:second")["status"] == "busy"
    stack.at_rest.add("arn:first")
    second = stack.open(input={"run_id": "third"}, execution="arn:third")
    assert (second["seq"], second["inputs"]) == (2, 1)


def test_a_run_whose_execution_was_stopped_keeps_its_lease_until_it_expires(stack: Stack) -> None:
    statuses = {"arn:stopped": "ABORTED", "arn:failed": "FAILED", "arn:going": "RUNNING"}
    told = SimpleNamespace(
        describe_execution=lambda **asked: {"status": statuses[asked["executionArn"]]}
    )
    executions = StepFunctionsExecutions(told)
    assert [executions.is_at_rest(one) for one in statuses] == [False, True, False]


def test_a_run_that_lost_its_lease_writes_nothing_more(stack: Stack) -> None:
    put(stack)
    first = stack.open(run_id="first")
    stack.now += 3_600
    assert stack.open(run_id="second")["inputs"] == 1
    with pytest.raises(LeaseLostError):
        load_events.handler(first, CONTEXT)
    assert stack.catalogue.rows(EVENTS) == []


def test_a_failed_run_closes_frees_the_lease_and_is_made_up_for(stack: Stack) -> None:
    put(stack)
    payload = stack.open(run_id="first")
    for one in payload["imports"]:
        import_file.handler({**payload, "import": one}, CONTEXT)
    loaded = load_events.handler(payload, CONTEXT)
    failed = {**loaded, "status": "failed", "error": {"Error": "Oops", "Cause": "u1@example.com"}}
    assert close_run.handler(failed, CONTEXT)["status"] == "failed"
    assert "example.com" not in str(stack.catalogue.rows(RUNS))
    again = stack.open(run_id="second")
    assert (again["inputs"], again["imports"]) == (1, [])
    assert load_events.handler(again, CONTEXT)["figures"]["load_events"]["receipts"] == 0


def test_an_opening_that_fails_gives_the_lease_back(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Lake:
        raise LookupError("no workspace is published")

    monkeypatch.setattr(open_run, "_lake", missing)
    with pytest.raises(LookupError):
        stack.open(run_id="first")
    held = stack.lease.read()
    assert held is not None
    assert held.expires_at_s == 0


def test_one_moment_holds_for_the_whole_run(stack: Stack) -> None:
    put(stack)
    moment = "2026-02-03T04:05:06+00:00"
    assert stack.run(moment=moment)["moment"] == moment
    assert {row["moment"].isoformat() for row in stack.catalogue.rows(RUNS)} == {moment}


@pytest.mark.failure_line(33)
def test_the_first_tick_of_a_day_runs_although_nothing_is_new(stack: Stack) -> None:
    """FAILURES line 33: someone leaves a segment with no new event, because a window passes."""
    put(stack)
    assert stack.run(moment="2026-02-03T22:00:00+00:00")["inputs"] > 0
    assert stack.open(moment="2026-02-03T23:59:00+00:00")["inputs"] == 0
    assert stack.run(moment="2026-02-04T00:01:00+00:00")["inputs"] == 1
    assert stack.open(moment="2026-02-04T00:31:00+00:00")["inputs"] == 0
