"""The ports of ingestion keep their word, as fakes and as adapters over moto alike."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.session import Session

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.collect import EventQueue, NotDurableError
from stamgast.ingestion.rate import RateLedger, RateLedgerError
from stamgast.ingestion.write_key import KeyStore, KeyStoreError, Source, hash_of
from stamgast_aws.event_queue import SqsEventQueue
from stamgast_aws.key_store import DynamoKeyStore
from stamgast_aws.rate_ledger import DynamoRateLedger
from stamgast_aws.source_registry import DynamoSourceRegistry, TooManyKeysError, UnknownKeyError
from tests.contracts.conftest import CONTROL_TABLE
from tests.fakes.ingestion import MemoryEventQueue, MemoryKeyStore, MemoryRateLedger

MIB = 1024 * 1024


class Broken:
    """A client whose every call fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(**_: Any) -> Any:
            raise self._error

        return fail


FAILURES = [
    EndpointConnectionError(endpoint_url="http://127.0.0.1"),
    ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Any"),
]


class Queues:
    """A queue and a way to see what it keeps."""

    def __init__(self, aws: Session) -> None:
        client = aws.create_client("sqs")
        url = client.create_queue(QueueName="events")["QueueUrl"]
        self.sqs = (SqsEventQueue(client, url), lambda: self._received(client, url))
        memory = MemoryEventQueue()
        self.memory = (memory, lambda: sorted(memory.messages))

    @staticmethod
    def _received(client: Any, url: str) -> list[str]:
        found: list[str] = []
        while told := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in told]
        return sorted(found)


@pytest.mark.parametrize("kind", ["memory", "sqs"])
class TestEventQueue:
    """What every event queue does."""

    @pytest.fixture
    def pair(self, kind: str, aws: Session) -> tuple[EventQueue, Callable[[], list[str]]]:
        found: tuple[EventQueue, Callable[[], list[str]]] = getattr(Queues(aws), kind)
        return found

    def test_it_keeps_each_message_as_it_is(
        self, pair: tuple[EventQueue, Callable[[], list[str]]]
    ) -> None:
        queue, kept = pair
        queue.put(['{"a": "é\\u0000"}', "x" * MIB])
        queue.put([])
        assert kept() == ["x" * MIB, '{"a": "é\\u0000"}']


@pytest.mark.parametrize("error", FAILURES)
def test_a_queue_that_fails_says_so(error: Exception) -> None:
    with pytest.raises(NotDurableError):
        SqsEventQueue(Broken(error), "url").put(["a"])


@pytest.mark.parametrize("error", FAILURES)
def test_a_key_store_and_a_ledger_that_fail_say_so(error: Exception) -> None:
    with pytest.raises(KeyStoreError):
        DynamoKeyStore(Broken(error), CONTROL_TABLE).find("a")
    with pytest.raises(RateLedgerError):
        DynamoRateLedger(Broken(error), CONTROL_TABLE).add("a", 1, 1)


@pytest.mark.parametrize("kind", ["memory", "dynamodb"])
class TestKeyStore:
    """What every key store does."""

    @pytest.fixture
    def store(self, kind: str, control: Any) -> KeyStore:
        memory = MemoryKeyStore()
        registry = DynamoSourceRegistry(control, CONTROL_TABLE)
        for source_id, key, key_kind, limit in (
            ("web", "pub", "public", 5),
            ("server", "sec", "secret", None),
            ("server", "old", "secret", None),
        ):
            registry.declare(source_id, source_id.title(), limit)
            registry.issue(source_id, key_kind, "2026-11-22T00:00:00Z", key)  # type: ignore[arg-type]  # texts of the tuple are its literals
            level = Assurance.CLAIMED if key_kind == "public" else Assurance.VERIFIED
            memory.add(key, Source(source_id, level, limit))
        memory.revoke("old")
        registry.revoke(hash_of("old"))
        return memory if kind == "memory" else DynamoKeyStore(control, CONTROL_TABLE)

    def test_it_finds_the_source_its_assurance_and_its_limit(self, store: KeyStore) -> None:
        assert store.find(hash_of("pub")) == Source("web", Assurance.CLAIMED, 5)
        assert store.find(hash_of("sec")) == Source("server", Assurance.VERIFIED, None)

    def test_it_knows_neither_revoked_nor_unknown_keys(self, store: KeyStore) -> None:
        assert store.find(hash_of("old")) is None
        assert store.find(hash_of("other")) is None
        assert store.find("sec") is None


@pytest.mark.parametrize("kind", ["memory", "dynamodb"])
class TestRateLedger:
    """What every ledger does."""

    @pytest.fixture
    def ledger(self, kind: str, control: Any) -> RateLedger:
        return MemoryRateLedger() if kind == "memory" else DynamoRateLedger(control, CONTROL_TABLE)

    def test_it_counts_by_source_and_second_and_remembers_the_last_one(
        self, ledger: RateLedger
    ) -> None:
        assert ledger.add("web", 100, 3) == 3
        assert ledger.add("web", 100, 4) == 7
        assert ledger.add("app", 100, 1) == 1
        assert ledger.add("web", 101, 2) == 7
        assert ledger.add("web", 103, 2) == 2


def test_a_source_has_at_most_two_active_keys_and_a_key_is_kept_as_a_hash(control: Any) -> None:
    registry = DynamoSourceRegistry(control, CONTROL_TABLE)
    registry.declare("web", "Web", 100)
    old = registry.issue("web", "public", "2026-11-22T00:00:00Z")
    new = registry.issue("web", "public", "2026-11-22T00:00:00Z")
    with pytest.raises(TooManyKeysError):
        registry.issue("web", "public", "2026-11-22T00:00:00Z")
    registry.revoke(hash_of(old))
    registry.declare("web", "Web shop", None)
    assert registry.active("web") == [hash_of(new)]
    registry.issue("web", "public", "2026-11-22T00:00:00Z")
    everything = repr(control.scan(TableName=CONTROL_TABLE)["Items"])
    assert old not in everything
    assert new not in everything
    with pytest.raises(UnknownKeyError):
        registry.revoke(hash_of("nobody's"))
