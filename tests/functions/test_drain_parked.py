"""drain_parked finishes open jobs and parked stars, and tells what changed, over moto."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.drain_parked import handler as function
from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.edge import Support
from stamgast.identity.live import settle
from stamgast.identity.root import RootState
from stamgast.identity.settings import DEFAULT
from stamgast.identity.star import Sighting, Star
from stamgast.identity.store import MovePointer, OpenJob, PutRoot, UnlockRoot
from stamgast.workspace.compiler import compile_files
from stamgast_aws.clients import _session, client
from stamgast_aws.identity_jobs import DynamoJobStore
from stamgast_aws.workspaces import S3WorkspaceStore

REGION = "eu-west-1"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PROFILES_TABLE": "profiles",
    "CONTROL_TABLE": "control",
    "WORKSPACE_SECRET": "workspace",
    "LAKE_BUCKET": "lake",
    "EVENT_BUS": "bus",
    "RAW_STREAM": "raw",
    "POWERTOOLS_SERVICE_NAME": "drain_parked",
    "POWERTOOLS_METRICS_NAMESPACE": "Stamgast",
}


class Context:
    """Lambda's context as far as the function asks."""

    def __init__(self, left_ms: int = 240_000) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoJobStore]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    cached = (client, _session, function._settings, function._workspaces)
    with mock_aws():
        for one in cached:
            one.cache_clear()
        yield provision()
    for one in cached:
        one.cache_clear()


def provision() -> DynamoJobStore:
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    for table in ("profiles", "control"):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
            ],
        )
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    boto3.client("events").create_event_bus(Name="bus")
    S3WorkspaceStore(
        s3=s3, dynamodb=dynamodb, bucket="lake", table="control", now=lambda: 0.0
    ).publish(compile_files({"sources.yaml": "sources: {web: {name: Web}}"}))
    return DynamoJobStore(dynamodb, "profiles", "control", lambda seconds: None)


def star(mid: str, at: int, *keys: str) -> Star:
    sightings, supports = {}, {}
    for n, key in enumerate(keys):
        namespace = DEFAULT.by_name[key.split(":")[0]]
        born = Birth(at, mid, n, f"p{mid}.{n}")
        word = Assurance.VERIFIED
        sightings[key] = Sighting(key, namespace.name, namespace.kind, word, born, key)
        if n:
            supports[key] = Support(0, namespace.priority, at, mid, n)
    return Star(keys[0], mid, sightings, supports)


def live(store: DynamoJobStore, *stars: Star) -> Mapping[str, Any]:
    return settle(store, stars, DEFAULT, lambda seconds: None).persons


@pytest.mark.failure_line(26)
def test_a_parked_change_is_made_good(
    store: DynamoJobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line 26: the change is made, counted and told, and nothing stays parked."""
    live(store, star("m1", 1, "user_id:1"), star("m2", 2, "email:1"))
    store.park(star("m3", 3, "user_id:1", "email:1"))
    answer = function.handler({}, Context())
    assert answer == {"jobs": 0, "cuts": 0, "changed": 1, "parked": 0}
    assert store.parked(10) == []
    assert len(set(live(store, star("m3", 3, "user_id:1", "email:1")).values())) == 1
    told = capsys.readouterr().out
    assert '"IdentityChanged"' in told
    assert "email:1" not in told


def test_nothing_is_begun_when_time_runs_out(store: DynamoJobStore) -> None:
    store.park(star("m3", 3, "user_id:1", "email:1"))
    assert function.handler({}, Context(left_ms=5_000))["parked"] == 1
    assert len(store.parked(10)) == 1


def test_a_job_that_a_dead_run_began_is_finished(store: DynamoJobStore) -> None:
    live(store, star("m1", 1, "user_id:1"))
    root = store.read_persons(["pm1.0"])[0]["pm1.0"]
    pointer = store.read_pointers(["user_id:1"])["user_id:1"]
    locked = replace(root, state=RootState.SPLITTING, version=2, job="1-x")
    store.write_chunks(
        "1-x",
        [[MovePointer(replace(pointer, version=3))], [UnlockRoot(replace(root, version=3), "1-x")]],
    )
    store.commit([OpenJob("1-x", 2), PutRoot(locked, (1, RootState.ACTIVE))])
    assert function.handler({}, Context())["jobs"] == 1
    assert store.open_jobs() == []
    assert store.read_persons(["pm1.0"])[0]["pm1.0"].state is RootState.ACTIVE
