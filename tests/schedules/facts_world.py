"""A random world of workers, publishers and readers over the real facts code, and its oracle.

Extends the model check of the live tail to the code itself: the real loop, steps, codecs and
expressions run; only DynamoDB is in memory and the archive a list.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any
from unittest import mock

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import AHEAD_MS, Event, Seen
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import Kind
from stamgast.identity.store import StoreError
from stamgast.ingestion.envelope import encode
from stamgast.ingestion.verdicts import Accepted, Envelope, Receipt
from stamgast.profile import live as live_module
from stamgast.profile import ring as ring_module
from stamgast.profile.batch import Message
from stamgast.profile.facts import NOTHING, Facts, digest_of, facts_of, merge
from stamgast.profile.identify import Identified
from stamgast.profile.live import Base
from stamgast.profile.loop import Line, LiveLoop
from stamgast.profile.reading import seen
from stamgast.profile.ring import Ring, RunIds, join
from stamgast.profile.steps import is_worth_publishing, publish_anchor, publish_new, read_facts
from stamgast.profile.store import ContendedError, Pair
from stamgast.raw.record import RawRecord
from stamgast_aws.fact_store import DynamoFactStore
from tests.fakes.dynamodb import DynamoDB, Fault
from tests.schedules.harness import Schedule, ViolationError

KEYS = Keyring(1, b"schedules")
TABLE = "profiles"
NOON_MS = 1_790_000_000_000
MINUTE_MS = 60_000
RING_SIZE, TAIL_SIZE = 4, 3
LAST_RUN = 99
FAULTS = {
    Fault.THROTTLED: 0.02,
    Fault.LOST_REQUEST: 0.01,
    Fault.LOST_REPLY: 0.03,
    Fault.SENT_TWICE: 0.02,
    Fault.PARTIAL: 0.05,
}
CRASH_CHANCE = 0.01

Publish = Callable[..., bool]
PublishNew = Callable[..., set[str]]


class CrashError(Exception):
    """The process ends here, as when Lambda's time is up."""


@dataclass(frozen=True)
class Rules:
    """The code under test; a broken variant replaces one piece of it."""

    store: type[DynamoFactStore] = DynamoFactStore
    publish: Publish = publish_anchor
    publish_new: PublishNew = publish_new
    patches: tuple[tuple[str, Any], ...] = ()
    join: Callable[[Ring, Any], Ring] = lambda ring, ids: join(ring, ids, RING_SIZE)


PROTOCOL = Rules()


@dataclass
class Archive:
    """The lake of a world: all receipts that were archived; sometimes it refuses a message."""

    events: dict[str, Event]
    schedule: Schedule
    kept: dict[str, Event] = field(default_factory=dict)

    def put(self, lines: Sequence[Line]) -> set[str]:
        self.schedule.step()
        failed = {one for one in {m for m, _ in lines} if self.schedule.jitter() < 0.03}
        for message, line in lines:
            event = self.events[orjson.loads(line)["receipt_id"]]
            if message not in failed:
                self.kept.setdefault(event.message_key, event)
        return failed


class TornDynamoDB(DynamoDB):
    """Half of its batch reads fetch item by item, in any order, at different moments.

    That is all that DynamoDB promises of a BatchGetItem.
    """

    def __init__(self, seed: int, table: str) -> None:
        super().__init__(table)
        self.random = random.Random(seed)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        ((table, wanted),) = request["RequestItems"].items()
        if self.random.random() < 0.5:
            return super().batch_get_item(**request)
        answers = [
            super(TornDynamoDB, self).batch_get_item(
                RequestItems={table: {**wanted, "Keys": [key]}}
            )
            for key in self.random.sample(wanted["Keys"], len(wanted["Keys"]))
        ]
        items = [item for answer in answers for item in answer["Responses"].get(table, ())]
        rest = [
            key
            for answer in answers
            if answer["UnprocessedKeys"]
            for key in answer["UnprocessedKeys"][table]["Keys"]
        ]
        unprocessed = {table: {**wanted, "Keys": rest}} if rest else {}
        return {"Responses": {table: items}, "UnprocessedKeys": unprocessed}


class World:
    """One schedule: its events, its stores, and what must hold at every read and at the end."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random = random.Random(seed)
        self.rules = rules
        self.client = TornDynamoDB(seed, TABLE)
        self.client.is_quick = True
        self.schedule = Schedule(seed, self.client, FAULTS, expected=(CrashError,))
        self._crash_at_calls()
        self.anchors = [f"user_id:{n}" for n in range(self.random.choice([1, 1, 2]))]
        self.events = {e.receipt_id: e for e in self._events()}
        self.archive = Archive(self.events, self.schedule)
        self.queue = self._messages()
        self.done: dict[str, Event] = {}
        self.run = 0
        self.workers = 0

    # what arrives

    def _events(self) -> list[Event]:
        number = self.random.choice([3, 6, 12])
        return [self._event(n) for n in range(number)]

    def _event(self, n: int) -> Event:
        rng = self.random
        received_ms = NOON_MS + 40 * MINUTE_MS
        place = rng.random()
        original_ms: int | None = NOON_MS + rng.randrange(30) * MINUTE_MS
        event_ms = original_ms
        if place < 0.08:
            original_ms, event_ms = None, received_ms
        elif place < 0.15:
            original_ms, event_ms = received_ms + AHEAD_MS + MINUTE_MS, received_ms
        traits = {"color": n} if rng.random() < 0.5 else {}
        return Event(
            message_key=KEYS.message_key("web", f"m{n}"),
            message_id=f"m{n}",
            receipt_id=f"r{n}:0",
            payload_hash="",
            source_id="web",
            type="track",
            name=f"m{n}",
            received_ms=received_ms,
            original_ms=original_ms,
            event_ms=event_ms or received_ms,
            assurance=rng.choice([Assurance.CLAIMED, Assurance.VERIFIED]),
            identifiers=(Seen(rng.choice(self.anchors), "user_id", Kind.LINKED, 0, "x"),),
            refusals=(),
            traits=traits,
            properties={},
            context={},
        )

    def _messages(self) -> list[str]:
        """Each event once and as many copies, at any distance; often out of order."""
        stream = list(self.events)
        stream += [self.random.choice(stream) for _ in range(len(stream))]
        if self.random.random() < 0.7:
            self.random.shuffle(stream)
        return stream

    # who acts

    def worker(self) -> None:
        """One invocation of process_events; what it gives back is delivered again."""
        size = self.random.choice([1, 1, 2, 4])
        batch, self.queue = self.queue[:size], self.queue[size:]
        messages = [Message(f"{n}", self._text(r), NOON_MS) for n, r in enumerate(batch)]
        returned = {message.id for message in messages}
        try:
            returned = self._loop().process(messages).returned
        finally:
            self.queue += [r for n, r in enumerate(batch) if f"{n}" in returned]
            told = [self.events[r] for n, r in enumerate(batch) if f"{n}" not in returned]
            self.done.update({event.message_key: event for event in told})
            self.workers -= 1

    def _text(self, receipt_id: str) -> str:
        request_id = receipt_id.partition(":")[0]
        receipt = Receipt(request_id, NOON_MS, "web", Assurance.CLAIMED)
        stamped = Accepted(0, "track", request_id, None, None, NOON_MS, b"{}")
        return encode(Envelope(receipt, (stamped,)))

    def _loop(self) -> LiveLoop:
        return LiveLoop(
            raw=self.archive,
            rejected=self.archive,
            interpret=self._interpret,
            identify=lambda events: Identified(),
            facts=self.store(),
            timeline_days=100_000,
            now_ms=lambda: NOON_MS,
            pause=self.schedule.pause,
        )

    def _interpret(self, record: RawRecord) -> Event:
        return self.events[record.receipt_id]

    def store(self) -> DynamoFactStore:
        return self.rules.store(self.client, TABLE, self.schedule.pause)

    def publisher(self) -> None:
        """One run: what the archive holds when it begins, published anchor by anchor."""
        self.run += 1
        run, events = self.run, list(self.archive.kept.values())
        for anchor in self.anchors:
            self._publish(anchor, run, events)

    def _publish(self, anchor: str, run: int, events: Sequence[Event]) -> None:
        base, ids = expected(anchor, run, events)
        try:
            pair = self.store().read([anchor])[anchor]
            if self.random.random() < 0.5 or is_worth_publishing(pair, base.facts, 0, 0):
                self._put(anchor, base, ids, pair)
        except (StoreError, ContendedError):
            return

    def _put(self, anchor: str, base: Base, ids: RunIds, pair: Pair) -> None:
        """As a run does: what is new is inserted, and what was not new after all is written."""
        known = None if pair == Pair() else pair
        told = {anchor: (base, ids)}
        if known is None and self.rules.publish_new(self.store(), told) == {anchor}:
            return
        self.rules.publish(self.store(), anchor, base, ids, self.schedule.pause, known)

    def reader(self) -> None:
        """Reads now and then; what was acknowledged before must show, nothing may count twice."""
        while True:
            for _ in range(self.random.randint(0, 4)):
                self.schedule.step()
            acknowledged = list(self.done.values())
            try:
                read = read_facts(self.store(), self.anchors, self.schedule.pause)
            except (StoreError, ContendedError):
                continue
            for anchor, facts in read.items():
                self.check(facts, [e for e in acknowledged if e.anchor == anchor])

    def check(self, facts: Facts, acknowledged: Sequence[Event]) -> None:
        archived = {event.name for event in self.archive.kept.values()}
        for name, count in facts.counters.items():
            if count > 1:
                raise ViolationError("an event counts twice")
            if name not in archived:
                raise ViolationError("an event counts that was never archived")
        for event in acknowledged:
            if is_missing(event, facts):
                raise ViolationError("a trait, first or last lags behind what was acknowledged")

    # the whole

    def play(self) -> None:
        self.schedule.start("reader", self.reader, is_daemon=True)
        for _ in range(self.random.choice([1, 2, 4])):
            self.schedule.start("publisher", self._late(self.publisher))
        most = self.random.choice([1, 2, 4])
        while self.queue or self.schedule.processes:
            while self.queue and self.workers < most:
                self.workers += 1
                self.schedule.start("worker", self.worker)
            if all(process.is_daemon for process in self.schedule.processes):
                break
            self.schedule.turn()
        self.schedule.close()
        self.finish()

    def finish(self) -> None:
        """A last run without faults: the view is exactly the fold of all events, once each."""
        self.client.before = lambda *_: None
        self.run = LAST_RUN - 1
        for anchor in self.anchors:
            base, ids = expected(anchor, LAST_RUN, list(self.events.values()))
            self.rules.publish(self.store(), anchor, base, ids, lambda _: None)
            pair = self.store().read([anchor])[anchor]
            if len(pair.live.ring.ids) > RING_SIZE or len(pair.live.tail) > TAIL_SIZE:
                raise ViolationError("the live item grows without bound")
            found = seen(pair.live, pair.base)
            if found != base.facts or set(self.archive.kept) != set(self.done):
                raise ViolationError("the view differs from the lake after a run")

    def _late(self, run: Callable[[], None]) -> Callable[[], None]:
        def later() -> None:
            for _ in range(self.random.randint(0, 40)):
                self.schedule.step()
            run()

        return later

    def _crash_at_calls(self) -> None:
        inner = self.client.before

        def before(operation: str, request: Any) -> Fault | None:
            fault = inner(operation, request)
            if self.schedule.jitter() < CRASH_CHANCE:
                raise CrashError
            return fault

        self.client.before = before


def expected(anchor: str, run: int, events: Sequence[Event]) -> tuple[Base, RunIds]:
    """What a run over these events knows of one anchor."""
    mine = [event for event in events if event.anchor == anchor]
    facts = reduce(merge, map(facts_of, mine), NOTHING)
    ids = RunIds.of(digest_of(event).short_id for event in mine if event.has_own_time)
    # Registers of events without a place in a ring are the run's as well.
    return Base(run, 0, NOON_MS, facts), replace(ids, keys={event.short_id for event in mine})


def is_missing(event: Event, facts: Facts) -> bool:
    """Whether these facts do not reflect an event's registers, first or last."""
    behind = any(
        name not in facts.traits or facts.traits[name].rank < register.rank
        for name, register in facts_of(event).traits.items()
    )
    first, last = facts.first, facts.last
    is_outside = first is None or last is None
    if first and last:
        is_outside = not first.event_ms <= event.event_ms <= last.event_ms
    return behind or is_outside


def violation_of(seed: int, rules: Rules = PROTOCOL) -> str | None:
    """What one schedule broke, or None."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(live_module, "TAIL_SIZE", TAIL_SIZE))
        stack.enter_context(mock.patch.object(ring_module, "RING_SIZE", RING_SIZE))
        stack.enter_context(mock.patch.object(live_module, "join", rules.join))
        for target, piece in rules.patches:
            stack.enter_context(mock.patch(target, piece))
        world = World(seed, rules)
        try:
            world.play()
        except ViolationError as violation:
            return str(violation)
        finally:
            world.schedule.close()
    return None
