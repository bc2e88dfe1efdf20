"""process_events from an SQS event to items, archive lines and events on the bus, over moto."""

import gzip
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import orjson
import pytest
from moto import mock_aws

from functions.process_events import handler as function
from stamgast.identity.keys import Keyring
from stamgast.profile.steps import read_facts
from stamgast.workspace.compiler import compile_files
from stamgast_aws.clients import client
from stamgast_aws.fact_store import DynamoFactStore, partition_of
from stamgast_aws.workspaces import S3WorkspaceStore
from tests.fakes.live_batches import NOON_MS, accepted, message, order, receipt, refused

REGION = "eu-west-1"
SECRET = b"a secret of this test"
SOURCES = "sources: {server: {name: Server}}"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PROFILES_TABLE": "profiles",
    "CONTROL_TABLE": "control",
    "RAW_STREAM": "raw",
    "REJECTED_STREAM": "rejected",
    "DISCLOSURES_STREAM": "disclosures",
    "WORKSPACE_SECRET": "workspace",
    "LAKE_BUCKET": "lake",
    "EVENT_BUS": "bus",
    "TIMELINE_DAYS": "36500",
    "POWERTOOLS_SERVICE_NAME": "process_events",
    "POWERTOOLS_METRICS_NAMESPACE": "Stamgast",
}


WORKSPACE = {
    "sources.yaml": SOURCES,
    "segments.yaml": "segments: {buyer: {rule: \"count(event = 'Order Completed') >= 1\"}}",
    "tracking_plan.yaml": """tracking_plan:
  events:
    Order Completed: {on_fault: quarantine, properties: {revenue: {type: number}}}
""",
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """An account with what the function reads and writes, and an empty process."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        _forget()
        clients = SimpleNamespace(
            **{
                name: boto3.client(name)  # type: ignore[call-overload]
                for name in ("dynamodb", "s3", "firehose", "events", "secretsmanager", "iam")
            }
        )
        _provision(clients)
        yield clients
    _forget()


def _forget() -> None:
    from stamgast_aws.clients import _session

    for cached in (client, _session, function._settings, function._workspaces, function._keyrings):
        cached.cache_clear()


def _provision(aws: SimpleNamespace) -> None:
    for table in ("profiles", "control"):
        aws.dynamodb.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    aws.s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    for stream in ("raw", "rejected", "disclosures"):
        aws.firehose.create_delivery_stream(
            DeliveryStreamName=stream,
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::123456789012:role/firehose",
                "BucketARN": "arn:aws:s3:::lake",
                "Prefix": f"{stream}/",
            },
        )
    aws.events.create_event_bus(Name="bus")
    aws.secretsmanager.create_secret(
        Name="workspace", SecretString=f'{{"version": 1, "secret": "{SECRET.decode()}"}}'
    )
    S3WorkspaceStore(
        s3=aws.s3, dynamodb=aws.dynamodb, bucket="lake", table="control", now=lambda: 0.0
    ).publish(compile_files(WORKSPACE))


def _deliver(*bodies: str, tries: int = 1) -> list[str]:
    """The ids of the messages that the function gives back; ids are m0, m1 …"""
    attributes = {"SentTimestamp": str(NOON_MS), "ApproximateReceiveCount": str(tries)}
    records = [
        {"messageId": f"m{n}", "body": body, "attributes": attributes}
        for n, body in enumerate(bodies)
    ]
    answer = function.handler({"Records": records}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def _archived(aws: SimpleNamespace, prefix: str) -> list[Any]:
    found = aws.s3.list_objects_v2(Bucket="lake", Prefix=f"{prefix}/").get("Contents", [])
    lines = []
    for one in found:
        text = aws.s3.get_object(Bucket="lake", Key=one["Key"])["Body"].read()
        text = gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text
        lines += [orjson.loads(line) for line in text.splitlines()]
    return lines


def _facts(aws: SimpleNamespace, user_id: str) -> Any:
    anchor = Keyring(1, SECRET).identifier_key("user_id", user_id)
    store = DynamoFactStore(aws.dynamodb, "profiles", lambda _: None)
    return read_facts(store, [anchor], lambda _: None)[anchor]


def test_a_batch_is_archived_identified_and_folded(aws: SimpleNamespace) -> None:
    identify = {"type": "identify", "userId": "u1", "traits": {"email": "ann@example.org"}}
    text = message(
        receipt("r1"),
        accepted(0, "a", identify),
        accepted(1, "b", order("b", "u1", 12.5)),
        rejected=(refused(2),),
    )
    assert _deliver(text) == []
    assert [line["receipt_id"] for line in _archived(aws, "raw")] == ["r1:0", "r1:1"]
    assert [line["code"] for line in _archived(aws, "rejected")] == ["type_unknown"]
    facts = _facts(aws, "u1")
    assert facts.values == {"email": "ann@example.org"}
    assert facts.counters == {"$identify": 1, "Order Completed": 1}
    assert facts.orders["EUR"].revenue_minor == 1250
    keys = Keyring(1, SECRET)
    for name, value in (("user_id", "u1"), ("email", "ann@example.org")):
        key = keys.identifier_key(name, value)
        pointer = aws.dynamodb.get_item(
            TableName="profiles", Key={"PK": {"S": partition_of(key)}, "SK": {"S": "@"}}
        )
        assert "Item" in pointer


@pytest.mark.failure_line(13)
def test_a_poison_message_is_quarantined_and_the_others_progress(aws: SimpleNamespace) -> None:
    """Line 13: a poison message: quarantined within three tries; the others progress."""
    good = message(receipt("r1"), accepted(0, "a", order("a", "u1", 1)))
    assert _deliver(good, "no envelope", "{}") == ["m1", "m2"]
    assert _archived(aws, "rejected") == []
    assert _deliver("no envelope", "{}", tries=3) == []
    assert [line["code"] for line in _archived(aws, "rejected")] == ["poison", "poison"]
    assert _facts(aws, "u1").counters == {"Order Completed": 1}


@pytest.mark.failure_line(1)
def test_a_batch_that_the_client_sends_again_has_one_effect(aws: SimpleNamespace) -> None:
    """Line 1 (live): the client resends the same batch: one effect per messageId."""
    first = message(receipt("r1"), accepted(0, "a", order("a", "u1", 1)))
    again = message(receipt("r2", NOON_MS + 900), accepted(0, "a", order("a", "u1", 1)))
    assert _deliver(first) == []
    assert _deliver(again, again) == []
    assert _facts(aws, "u1").counters == {"Order Completed": 1}
    assert _facts(aws, "u1").orders["EUR"].count == 1


def test_who_enters_a_live_segment_stands_there_and_is_told_once(aws: SimpleNamespace) -> None:
    text = message(receipt("r1"), accepted(0, "a", order("a", "u1", 12.5)))
    assert _deliver(text) == []
    assert _deliver(text) == []
    (item,) = [
        one
        for one in aws.dynamodb.scan(TableName="profiles")["Items"]
        if one["SK"]["S"].startswith("M#")
    ]
    assert (item["SK"]["S"], item["state"]["S"]) == ("M#buyer", "entered")
    assert "untold" not in item


def test_a_change_that_the_bus_does_not_take_brings_its_message_back(aws: SimpleNamespace) -> None:
    aws.events.delete_event_bus(Name="bus")
    text = message(receipt("r1"), accepted(0, "a", order("a", "u1", 12.5)))
    assert _deliver(text) == ["m0"]
    aws.events.create_event_bus(Name="bus")
    assert _deliver(text) == []
    assert _facts(aws, "u1").counters == {"Order Completed": 1}


def test_what_the_tracking_plan_sets_aside_is_archived_among_the_rejected(
    aws: SimpleNamespace,
) -> None:
    text = message(receipt("r1"), accepted(0, "a", order("a", "u1", "many")))  # type: ignore[arg-type]
    assert _deliver(text) == []
    assert _archived(aws, "raw") == []
    (line,) = _archived(aws, "rejected")
    assert (line["code"], line["path"]) == ("plan_property_type", "properties.revenue")
    assert orjson.loads(line["original"])["properties"]["revenue"] == "many"


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("is_granted", [True, False])
def test_a_segment_with_a_purpose_tells_the_bus_of_those_who_allow_it(
    aws: SimpleNamespace, is_granted: bool
) -> None:
    """Line 38: of who does not allow it the bus hears nothing, and why is kept."""
    rule = WORKSPACE["segments.yaml"].replace("}}", ", purpose: email}}")
    S3WorkspaceStore(
        s3=aws.s3, dynamodb=aws.dynamodb, bucket="lake", table="control", now=lambda: 0.0
    ).publish(compile_files({**WORKSPACE, "segments.yaml": rule}))
    aws.events.delete_event_bus(Name="bus")
    told = order("a", "u1", 12.5)
    told["context"] = {"consent": {"categoryPreferences": {"email": is_granted}}}
    text = message(receipt("r1"), accepted(0, "a", told))
    # There is no bus: what is told comes back, and what is not told is done.
    assert _deliver(text) == (["m0"] if is_granted else [])
    (kept,) = {line["reason"] for line in _archived(aws, "disclosures")}
    assert kept == ("consent_granted" if is_granted else "consent_refused")
