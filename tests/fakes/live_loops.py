"""The live loop with everything real but AWS: an in-process DynamoDB and archives in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.plan import IdentityChange
from stamgast.identity.settings import DEFAULT
from stamgast.profile.batch import Message
from stamgast.profile.facts import Facts
from stamgast.profile.identify import Identity
from stamgast.profile.loop import Line, LiveLoop, Outcome
from stamgast.profile.steps import read_facts
from stamgast.profile.timeline import Entry
from stamgast.segments.live.rules import LiveRules
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.identity_store import DynamoIdentityStore
from tests.fakes.dynamodb import DynamoDB, Fault
from tests.fakes.live_batches import NOON_MS

KEYS = Keyring(1, b"a loop in memory")


def no_pause(_: float) -> None:
    """Waits for nothing."""


@dataclass
class MemoryArchive:
    """Keeps lines; the messages in `refuses` are not archived."""

    lines: list[bytes] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def put(self, lines: Sequence[Line]) -> set[str]:
        self.lines += [line for message, line in lines if message not in self.refuses]
        return {message for message, _ in lines} & self.refuses


@dataclass
class Loop:
    """One process_events, as its handler wires it."""

    client: DynamoDB = field(default_factory=lambda: DynamoDB("profiles", "control"))
    raw: MemoryArchive = field(default_factory=MemoryArchive)
    rejected: MemoryArchive = field(default_factory=MemoryArchive)
    told: list[IdentityChange] = field(default_factory=list)
    now_ms: int = NOON_MS
    timeline_days: int = 90
    live: LiveRules | None = None

    @property
    def facts_store(self) -> DynamoFactStore:
        return DynamoFactStore(self.client, "profiles", no_pause)

    def deliver(self, *bodies: str) -> Outcome:
        """One invocation; the messages' ids are m0, m1 …"""
        return self.loop().process(
            [Message(f"m{n}", body, NOON_MS) for n, body in enumerate(bodies)]
        )

    def loop(self) -> LiveLoop:
        return LiveLoop(
            raw=self.raw,
            rejected=self.rejected,
            interpret=lambda record: interpret(record, DEFAULT, KEYS),
            identify=self._identity(),
            facts=self.facts_store,
            timeline_days=self.timeline_days,
            now_ms=lambda: self.now_ms,
            pause=no_pause,
            live=self.live,
        )

    def _identity(self) -> Identity:
        def tell(changes: Sequence[IdentityChange]) -> int:
            self.told += changes
            return 0

        store = DynamoIdentityStore(self.client, "profiles", "control", no_pause)
        return Identity(store, DEFAULT, KEYS, tell, no_pause)

    def facts(self, user_id: str) -> Facts:
        anchor = anchor_of(user_id)
        return read_facts(self.facts_store, [anchor], no_pause)[anchor]

    def timeline(self, user_id: str) -> list[Entry]:
        return list(self.facts_store.entries(anchor_of(user_id), self.now_ms))

    def fail_when(self, does_fail: Callable[[str, Any], bool], fault: Fault) -> None:
        """From here on calls that the predicate picks meet the fault."""
        self.client.before = lambda name, request: fault if does_fail(name, request) else None

    def recover(self) -> None:
        """No call fails any more."""
        self.client.before = lambda *_: None


def anchor_of(user_id: str) -> str:
    """The key of a user id."""
    return KEYS.identifier_key("user_id", user_id)


def writes_live_of(user_id: str) -> Callable[[str, Any], bool]:
    """Picks the writes of one user's live item."""
    pk = f"I#{anchor_of(user_id)}"
    return lambda name, request: name == "UpdateItem" and request["Key"]["PK"]["S"] == pk


def names(entries: Iterable[Entry]) -> list[str]:
    """The names of timeline entries in their order."""
    return [entry.name for entry in entries]
