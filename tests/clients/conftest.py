"""The real handler behind a gateway on loopback, and what its queue received."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from moto import mock_aws

from functions.collect_events import handler as module
from stamgast.ingestion.envelope import decode
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast.raw.unfold import unfold
from stamgast_aws import clients
from stamgast_aws.source_registry import DynamoSourceRegistry
from tests.clients.gateway import Form, Gateway

ROOT = Path(__file__).parents[2]
NODE_MODULES = Path(os.environ.get("NODE_PATH") or ROOT / "node_modules")
PUBLIC_KEY = "pub_of_the_tests"
SECRET_KEY = "sec_of_the_tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Clients speak over loopback, and some close their sockets only when collected."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))
            item.add_marker(
                pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
            )


@dataclass
class World:
    """A gateway to the handler, and the queue behind it."""

    gateway: Gateway
    sqs: Any
    queue_url: str

    def received(self) -> tuple[list[RawRecord], list[RejectedRecord]]:
        """Every record of every message that the queue holds, which is then empty."""
        raw: list[RawRecord] = []
        rejected: list[RejectedRecord] = []
        while messages := self._messages():
            for message in messages:
                some_raw, some_rejected = unfold(decode(message["Body"]))
                raw += some_raw
                rejected += some_rejected
        return raw, rejected

    def _messages(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages


@pytest.fixture(scope="module")
def queue() -> Iterator[tuple[Any, str]]:
    """The function's world over moto: a control table with two sources, and its queue."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        session = Session()
        sqs, dynamodb = session.create_client("sqs"), session.create_client("dynamodb")
        url = sqs.create_queue(QueueName="events")["QueueUrl"]
        patch.setenv("CONTROL_TABLE", "control")
        patch.setenv("EVENT_QUEUE_URL", url)
        patch.setenv("LAKE_BUCKET", "lake")
        dynamodb.create_table(
            TableName="control",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("PK", "SK")],
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
        )
        registry = DynamoSourceRegistry(dynamodb, "control")
        registry.declare("web", "Web", None)
        registry.declare("server", "Server", None)
        registry.issue("web", "public", "2026-11-22T00:00:00Z", PUBLIC_KEY)
        registry.issue("server", "secret", "2026-11-22T00:00:00Z", SECRET_KEY)
        _forget()
        yield sqs, url
        _forget()


@pytest.fixture
def world(queue: tuple[Any, str]) -> Iterator[World]:
    """A gateway to the function; its `form` may be changed before the first request."""
    gateway = Gateway(module.handler, Form.INFLATED_TEXT)
    found = World(gateway, *queue)
    found.received()
    yield found
    gateway.close()


def _forget() -> None:
    for cached in (module._collector, clients.client, clients._session):
        cached.cache_clear()


@pytest.fixture(scope="session")
def node() -> str:
    """The Node that runs the vendors' JavaScript clients."""
    found = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None or not (NODE_MODULES / "@segment").is_dir():
        pytest.skip("Node or node_modules is missing: `make setup` brings both")
    return found


@pytest.fixture(scope="session")
def chromium() -> str:
    """A Chromium of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
    return found
