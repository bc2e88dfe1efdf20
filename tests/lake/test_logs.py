"""The way of an event from the door to the erasure, function by function: no log line tells of it.

The store `logs` of the registry holds nothing of persons because of this, and is not erased.
"""

import json
import logging
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from functions.carry_out_rights import handler as rights
from functions.collect_events import handler as collect
from functions.look_up_profile import handler as look_up
from functions.process_events import handler as process
from stamgast.erasure.stores import Kind, named
from stamgast.lookup.reader import Action, Reader
from stamgast.workspace.compiler import compile_files
from stamgast_aws.source_registry import DynamoSourceRegistry
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore
from tests.fakes.dynamodb import Fault
from tests.lake.erasure_world import SOURCES, ErasureWorld, erasure_world
from tests.lake.world import KEYRING

KEY, TOKEN = "sec_seeded-write-key", "sgr_seeded-reader-token"
USER, MAIL, DEVICE, NAME = "canary-7731", "canary.bird@example.com", "device-5519", "Canarina Bird"
SEEDED = (USER, MAIL, DEVICE, NAME, KEY, TOKEN, "192.0.2.77", KEYRING.secret.decode())
REQUEST = str(UUID(int=7, version=4))
IDENTIFY = {
    "type": "identify",
    "messageId": "m1",
    "userId": USER,
    "anonymousId": DEVICE,
    "traits": {"email": MAIL, "name": NAME},
}


class Stubs:
    """The services beside the world's own: a secret, a bus, and streams into its archive."""

    def __init__(self, world: ErasureWorld) -> None:
        self.world = world

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        told = {"version": KEYRING.version, "secret": KEYRING.secret.decode()}
        return {"SecretString": json.dumps(told)}

    def put_events(self, **_: Any) -> dict[str, int]:
        return {"FailedEntryCount": 0}

    def put_record_batch(self, *, DeliveryStreamName: str, Records: Any) -> Any:  # noqa: N803
        lines = [line for one in Records for line in one["Data"].splitlines()]
        self.world.archive_lines(DeliveryStreamName, lines)
        return {"RequestResponses": [{"RecordId": "1"} for _ in Records]}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        wire(made, monkeypatch)
        yield made
        forget()


def wire(world: ErasureWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The four functions over the world, as their environment would wire them."""
    stubs, tables = Stubs(world), world.dynamodb
    queue = world.sqs.create_queue(QueueName="events")["QueueUrl"]
    clients = {"dynamodb": tables, "s3": world.s3, "sqs": world.sqs}
    for name in ("firehose", "events", "secretsmanager"):
        clients[name] = stubs
    for module in (collect, process, look_up):
        monkeypatch.setattr(module, "client", lambda name, *_: clients[name])
    for name in ("PROFILES_TABLE", "CONTROL_TABLE"):
        monkeypatch.setenv(name, name.split("_")[0].lower())
    for name in ("RAW", "REJECTED", "DISCLOSURES"):
        monkeypatch.setenv(f"{name}_STREAM", name.lower())
    told = {"EVENT_QUEUE_URL": queue, "LAKE_BUCKET": "lake", "WORKSPACE_SECRET": "secret"}
    told |= {"EVENT_BUS": "bus", "TIMELINE_DAYS": "90", "LOG_LEVEL": "DEBUG"}
    told |= {"POWERTOOLS_SERVICE_NAME": "tests", "POWERTOOLS_METRICS_NAMESPACE": "Stamgast"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    registry = DynamoSourceRegistry(tables, "control")
    registry.declare("web", "Web", None)
    registry.issue("web", "secret", "2026-11-22T00:00:00Z", KEY)
    may = (Action.CARRY_OUT_RIGHTS,)
    tokens = DynamoTokenStore(tables, "control", time.monotonic)
    tokens.put(TOKEN, Reader("desk", ("*",), may=may))
    S3WorkspaceStore(
        s3=world.s3, dynamodb=tables, bucket="lake", table="control", now=lambda: 0.0
    ).publish(compile_files({"sources.yaml": SOURCES}))
    monkeypatch.setattr(rights, "work", world.work)
    monkeypatch.setattr(rights, "requests", lambda: world.requests)
    monkeypatch.setattr(rights, "lake", lambda: world.lake)
    monkeypatch.setattr(rights, "tokens", lambda: tokens)
    monkeypatch.setattr(rights, "signer", lambda: Unsigned())
    monkeypatch.setattr(rights, "worker", lambda: Worker())
    monkeypatch.setattr(rights, "plans", lambda: Plans())
    monkeypatch.setattr(rights, "settings", lambda: Local())
    monkeypatch.setattr(rights, "now_ms", lambda: world.now_ms)
    forget()


class Unsigned:
    """No key."""

    def sign(self, _text: bytes) -> None:
        return None

    def certificate(self) -> str:
        return ""


class Worker:
    """Begins nothing: the test calls the function itself."""

    def begin(self, _request_ids: list[str]) -> None:
        return None

    def begin_all(self) -> None:
        return None


class Unhurried:
    """The context of a function with time enough."""

    aws_request_id = "11112222-3333"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Plans:
    """Nobody asks for a plan."""

    def ask(self, _subject: Any) -> None:
        return None


class Local:
    """The one setting that answering asks for."""

    callbacks_may_be_local = "no"


def forget() -> None:
    cached: list[Any] = [collect._collector, collect._settings, collect._workspaces]
    cached += [process._settings, process._workspaces, process._keyrings, look_up.wiring]
    for one in cached:
        one.cache_clear()


def sent(*events: Any, key: str = KEY) -> int:
    basic = "Basic " + b64encode(f"{key}:".encode()).decode()
    event = {
        "httpMethod": "POST",
        "path": "/v1/batch",
        "headers": {"Authorization": basic},
        "queryStringParameters": None,
        "body": json.dumps({"batch": events}),
        "isBase64Encoded": False,
        "requestContext": {"requestId": "r-1", "identity": {"sourceIp": "192.0.2.77"}},
    }
    status: int = collect.handler(event, None)["statusCode"]
    return status


def delivered(world: ErasureWorld, *more: str) -> None:
    queue = world.sqs.get_queue_url(QueueName="events")["QueueUrl"]
    found = world.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [*(one["Body"] for one in found), *more]
    told = {"SentTimestamp": str(world.now_ms), "ApproximateReceiveCount": "9"}
    records = [
        {"messageId": f"q{n}", "body": body, "attributes": told} for n, body in enumerate(bodies)
    ]
    process.handler({"Records": records}, None)


def asked(module: ModuleType, method: str, path: str, body: Any, token: str = TOKEN) -> Any:
    event = {
        "rawPath": path,
        "headers": {"authorization": f"Bearer {token}"},
        "requestContext": {"http": {"method": method}, "domainName": "lookup.example.com"},
        "body": json.dumps(body),
    }
    answer = module.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def looked_up(token: str = TOKEN) -> Any:
    body = {"identifiers": [f"email:{MAIL}"], "include": ["traits"]}
    return asked(look_up, "POST", "/v1/profiles:lookup", body, token)


@pytest.mark.failure_line(37)
@pytest.mark.failure_line(39)
def test_no_log_line_from_the_door_to_the_erasure_tells_of_anybody(
    world: ErasureWorld,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """FAILURES lines 37 and 39: the logs are searched for the seeded person, key and token."""
    caplog.set_level(logging.INFO)
    assert sent(IDENTIFY, {"type": "track", "userId": USER}, {"type": MAIL, "userId": USER}) == 200
    assert sent(IDENTIFY, key=USER) == 401
    delivered(world, f"no message, but {MAIL}")
    figures = world.run()
    status, told = looked_up()
    assert (status, told["results"][0]["profile"]["traits"]["email"]) == (200, MAIL)
    assert looked_up(f"sgr_{USER}")[0] == 401
    assert asked(look_up, "GET", f"/v1/profiles/email:{MAIL}", None)[0] == 200
    world.dynamodb.before = lambda *_: Fault.LOST_REQUEST
    assert looked_up()[0] == 503
    world.dynamodb.before = lambda *_: None
    identity = {"identity_type": "email", "identity_value": MAIL}
    wanted = {"subject_request_id": REQUEST, "subject_request_type": "erasure"}
    body = {**wanted, "subject_identities": [identity]}
    assert asked(rights, "POST", "/v3/requests", body)[0] == 201
    assert rights.handler({"requests": [REQUEST]}, Unhurried())["states"] == ["completed"]
    assert asked(rights, "GET", f"/v3/requests/{REQUEST}", None)[0] == 200
    assert looked_up()[1]["results"][0].get("profile") is None

    output = capfd.readouterr()
    lines = [output.out, output.err, caplog.text, json.dumps(figures, default=str)]
    assert sum(text.count("answered") for text in lines) >= 6
    assert [seed for seed in SEEDED if any(seed in text for text in lines)] == []
    assert named(Kind.LOG) == {"logs"}
