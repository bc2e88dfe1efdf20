"""In-memory ports of ingestion with the faults of real ones, and a front that speaks to them."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.bounds import DEFAULT, Bounds
from stamgast.ingestion.collect import Collector, NotDurableError, Outcome
from stamgast.ingestion.envelope import decode
from stamgast.ingestion.key_cache import KeyCache
from stamgast.ingestion.rate import RateLedgerError, RateLimiter
from stamgast.ingestion.request import Request
from stamgast.ingestion.tracking_plan import TrackingPlan
from stamgast.ingestion.write_key import KeyStoreError, Source, hash_of
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast.raw.unfold import unfold

NOW_MS = 1_795_255_304_000
PUBLIC_KEY = "pub_web"
SECRET_KEY = "sec_server"


@dataclass
class MemoryEventQueue:
    """Keeps messages; `down` refuses all, `fails_after` refuses from the n-th message of a call on.

    `loses_replies` keeps the message and says that it did not.
    """

    messages: list[str] = field(default_factory=list)
    is_down: bool = False
    fails_after: int | None = None
    loses_replies: bool = False

    def put(self, messages: list[str]) -> None:
        for sent, message in enumerate(messages):
            if self.is_down or (self.fails_after is not None and sent >= self.fails_after):
                raise NotDurableError("down")
            self.messages.append(message)
            if self.loses_replies:
                raise NotDurableError("the reply was lost")

    def records(self) -> tuple[list[RawRecord], list[RejectedRecord]]:
        raw: list[RawRecord] = []
        rejected: list[RejectedRecord] = []
        for message in self.messages:
            some_raw, some_rejected = unfold(decode(message))
            raw += some_raw
            rejected += some_rejected
        return raw, rejected


@dataclass
class MemoryKeyStore:
    """Keys in a dictionary; `is_down` answers nothing."""

    sources: dict[str, Source] = field(default_factory=dict)
    is_down: bool = False
    asked: int = 0

    def add(self, write_key: str, source: Source) -> None:
        self.sources[hash_of(write_key)] = source

    def revoke(self, write_key: str) -> None:
        del self.sources[hash_of(write_key)]

    def find(self, key_hash: str) -> Source | None:
        self.asked += 1
        if self.is_down:
            raise KeyStoreError("down")
        return self.sources.get(key_hash)


@dataclass
class MemoryRateLedger:
    """Counts by source and second."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    is_down: bool = False

    def add(self, source_id: str, second: int, events: int) -> int:
        if self.is_down:
            raise RateLedgerError("down")
        self.counts[source_id, second] += events
        return max(self.counts[source_id, second], self.counts[source_id, second - 1])


@dataclass
class Front:
    """A collector over the fakes, and short ways to send it requests."""

    queue: MemoryEventQueue = field(default_factory=MemoryEventQueue)
    keys: MemoryKeyStore = field(default_factory=MemoryKeyStore)
    ledger: MemoryRateLedger = field(default_factory=MemoryRateLedger)
    bounds: Bounds = DEFAULT
    now_ms: int = NOW_MS
    plan: Callable[[], TrackingPlan] | None = None

    def __post_init__(self) -> None:
        self.keys.add(PUBLIC_KEY, Source("web", Assurance.CLAIMED))
        self.keys.add(SECRET_KEY, Source("server", Assurance.VERIFIED))
        self._numbers = count(1)
        self.collector = Collector(
            KeyCache(self.keys), RateLimiter(self.ledger), self.queue, self.bounds, self.plan
        )

    def send(self, request: Request) -> Outcome:
        named = replace(request, request_id=f"request-{next(self._numbers)}")
        return self.collector.collect(named, self.now_ms)

    def post(
        self,
        path: str,
        body: object,
        *,
        key: str | None = SECRET_KEY,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> Outcome:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**(basic(key) if key else {}), **(headers or {})}
        return self.send(Request("POST", path, "", sent, query or {}, content))

    def get(self, path: str, query: dict[str, str] | None = None, **headers: str) -> Outcome:
        return self.send(Request("GET", path, "", headers, query or {}))

    def raw(self) -> list[RawRecord]:
        return self.queue.records()[0]

    def rejected(self) -> list[RejectedRecord]:
        return self.queue.records()[1]


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}


def track(**more: Any) -> dict[str, Any]:
    """A track event that nothing is wrong with."""
    return {"type": "track", "event": "Tapped", "userId": "u1", "messageId": "m1", **more}


def told(outcome: Outcome) -> dict[str, Any]:
    """The answer's JSON."""
    body: dict[str, Any] = orjson.loads(outcome.answer.body)
    return body
