"""A random world of workers that fold events and settle live rules of one person of two anchors.

In every second one a run publishes what came by file, of anchors that nobody knew before it.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from stamgast.identity.interpret import interpret
from stamgast.identity.settings import DEFAULT
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import decode, encode
from stamgast.profile.batch import Message
from stamgast.profile.identify import Identified
from stamgast.profile.items import Base
from stamgast.profile.loop import LiveLoop
from stamgast.profile.reading import seen
from stamgast.profile.ring import RunIds
from stamgast.profile.steps import publish_anchor, publish_new
from stamgast.profile.store import Pair
from stamgast.raw.unfold import unfold
from stamgast.segments.changes import MembershipChange
from stamgast.segments.language.history import EventHistory
from stamgast.segments.language.view import View
from stamgast.segments.language.windows import Now
from stamgast.segments.live.base import measured_seen
from stamgast.segments.live.columns import columns_of
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.documents import document_of
from stamgast.segments.live.look import Looks
from stamgast.segments.live.plan import LivePlan, plan_of
from stamgast.segments.live.rules import LiveRules
from stamgast.segments.live.store import Someone
from stamgast.store_error import StoreError
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.coverage_item import write_coverage
from stamgast_aws.dynamo_values import attributes_of
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.live_store import DynamoLiveStore, standing_of
from tests.fakes.dynamodb import DynamoDB, Fault
from tests.fakes.live_batches import NOON_MS, receipt
from tests.fakes.live_loops import KEYS, Loop, MemoryArchive, no_pause
from tests.schedules.harness import Schedule

TABLE, RUN = "profiles", 1
FAULTS = {
    Fault.THROTTLED: 0.01,
    Fault.LOST_REQUEST: 0.01,
    Fault.LOST_REPLY: 0.02,
    Fault.SENT_TWICE: 0.01,
}
SEGMENTS = """segments:
  lone:
    rule: count(event = 'A') >= 1 and count(event = 'B') = 0
  twice:
    rule: count(event = 'A') >= 2
  bought:
    rule: count(event = 'B', last 2 days) >= 1 and not in segment('twice')
"""
PLAN: LivePlan = plan_of(
    workspace_of(
        compile_files(
            {"sources.yaml": "sources:\n  web:\n    name: Web\n", "segments.yaml": SEGMENTS}
        )
    )
)


class Inline:
    """An executor that does its work where it is asked to."""

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return iter([work(item) for item in items])


@dataclass
class Rules:
    """The code under test; a broken variant replaces one piece of it.

    A schedule follows from its seed, so the search for one that a variant breaks may begin late.
    """

    rules: type[LiveRules] = LiveRules
    store: type[DynamoLiveStore] = DynamoLiveStore
    first_seed: int = 0


@dataclass
class Bus:
    """Keeps what it was told; now and then it refuses, before or after it took the changes."""

    schedule: Schedule
    told: list[MembershipChange] = field(default_factory=list)

    def __call__(self, changes: Sequence[MembershipChange]) -> int:
        self.schedule.step()
        drawn = self.schedule.jitter()
        if drawn >= 0.05:
            self.told += changes
        return len(changes) if drawn < 0.1 else 0


class World:
    """One schedule, and what must hold at its end."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random, self.rules = random.Random(seed), rules
        self.client = DynamoDB(TABLE, "control")
        self.client.is_quick = True
        self.now_ms = NOON_MS
        self._found()
        self.bodies = [self._event(n) for n in range(self.random.randint(2, 4))]
        self.filed = [self._event(n) for n in range(10, 10 + self.random.choice((0, 3)))]
        self.bases = self._bases() if self.filed else {}
        self.schedule = Schedule(seed, self.client, FAULTS)
        self.at_once = self.random.choice((1, 25))
        self.bus = Bus(self.schedule)
        self.made: set[str] = set()
        self.client.committed = self._note

    def run(self) -> None:
        """Each message reaches one or two workers, which try until nothing is left undone."""
        for number, body in enumerate(self.bodies):
            for copy in range(self.random.choice((1, 1, 2))):
                self.schedule.start(f"w{number}-{copy}", partial(self._work, body))
        if self.bases:
            self.schedule.start("run", self._publish)
        self.schedule.run()

    def violation(self) -> str | None:
        """What does not hold; None when all does."""
        standing = self._standings()
        expected = self._expected()
        if {name for name, told in standing.items() if told.is_in} != expected:
            return f"{sorted(standing)} stand, {sorted(expected)} should"
        if any(not told.is_told for told in standing.values()):
            return "a change stands untold"
        told = {change.change_id for change in self.bus.told}
        if told != self.made:
            return f"{len(told ^ self.made)} changes were told or made, not both"
        return None

    def _work(self, body: str) -> None:
        loop = loop_over(self.client, self._rules(), self.schedule.pause)
        while loop.process([Message("m", body, NOON_MS)]).returned:
            self.schedule.step()

    def _bases(self) -> dict[str, tuple[Base, RunIds]]:
        """What a run finds in files, as bases: all that is known of the anchors until then."""
        client = DynamoDB(TABLE, "control")
        store = DynamoLiveStore(client, TABLE, Inline(), no_pause)  # type: ignore[arg-type]
        rules = LiveRules(PLAN, store, lambda _: 0, lambda: NOON_MS, no_pause)
        filed = enumerate([self.founding, *self.filed])
        loop_over(client, rules, no_pause).process([Message(str(n), b, NOON_MS) for n, b in filed])
        for pk, items in self.client.tables[TABLE].items():
            self.client.tables[TABLE][pk] = {k: v for k, v in items.items() if k[:1] not in "LX"}
        since = Coverage({tracked.id: RUN for tracked in PLAN.tracked})
        write_coverage(self.client, TABLE, since)
        anchors = [pk[2:] for pk, items in client.tables[TABLE].items() if "L" in items]
        return {anchor: based(pair) for anchor, pair in store.read(anchors).items()}

    def _publish(self) -> None:
        """A run: the bases, then who stands where, until nothing is left undone."""
        store, rules = DynamoFactStore(self.client, TABLE, self.schedule.pause), self._rules()
        while True:
            try:
                self._write_bases(store)
                if not rules.settle(self._persons(), {}, RUN).failed:
                    return
            except StoreError:
                self.schedule.step()

    def _write_bases(self, store: DynamoFactStore) -> None:
        done = publish_new(store, self.bases)
        for anchor in self.bases.keys() - done:
            publish_anchor(store, anchor, *self.bases[anchor], self.schedule.pause)

    def _rules(self) -> LiveRules:
        store = self.rules.store(self.client, TABLE, Inline(), self.schedule.pause)  # type: ignore[arg-type]
        now, pause = self._now, self.schedule.pause
        return self.rules.rules(PLAN, store, self.bus, now, pause, at_once=self.at_once)

    def _persons(self) -> list[str]:
        return [pk[2:] for pk in self.client.tables[TABLE] if pk.startswith("P#")]

    def _now(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def _found(self) -> None:
        """The person: a cookie and a user, of one log-in."""
        login = {"type": "identify", "userId": "u", "anonymousId": "c", "messageId": "login"}
        seen = {"type": "page", "anonymousId": "c", "messageId": "seen"}
        self.founding = encode(accept([login, seen], receipt("r0")))
        Loop(client=self.client).deliver(self.founding)

    def _event(self, number: int) -> str:
        who = self.random.choice(({"userId": "u"}, {"anonymousId": "c"}))
        told = {
            "type": "track",
            "event": self.random.choice("AB"),
            "messageId": f"m{number}",
            "timestamp": NOON_MS - number * 1_000,
            **who,
        }
        return encode(accept([told], receipt(f"r{number + 1}")))

    def _note(self, places: list[tuple[str, str, str]]) -> None:
        """Every change that an item ever stood for."""
        for table, pk, sk in places:
            if sk.startswith("M#"):
                item = self.client.tables[table][pk][sk]
                standing = standing_of(pk[2:], sk, attributes_of(item))
                self.made.add(standing.change.change_id)

    def _standings(self) -> dict[str, Any]:
        return {
            item["SK"]["S"][2:]: standing_of("p", item["SK"]["S"], attributes_of(item))
            for item in self.client.items(TABLE)
            if item["SK"]["S"].startswith("M#")
        }

    def _expected(self) -> set[str]:
        """Straight from the events, whatever the items say."""
        bodies = [*self.bodies, *self.filed]
        raw = [record for body in bodies for record in unfold(decode(body))[0]]
        events = [document_of(interpret(record, DEFAULT, KEYS)) for record in raw]
        now = Now(self.now_ms, PLAN.zone)
        facts = Loop(client=DynamoDB(TABLE, "control")).facts("nobody")
        view = View(columns_of("p", facts), EventHistory(events), now)
        for rule in PLAN.rules:
            view.is_in[rule.name] = rule.reader(view) is True
        return {name for name, is_in in view.is_in.items() if is_in}


def loop_over(client: DynamoDB, rules: LiveRules, pause: Callable[[float], None]) -> LiveLoop:
    """A live loop that founds nobody."""
    return LiveLoop(
        raw=MemoryArchive(),
        rejected=MemoryArchive(),
        interpret=lambda record: interpret(record, DEFAULT, KEYS),
        identify=lambda _: Identified(),
        facts=DynamoFactStore(client, TABLE, pause),
        timeline_days=1,
        now_ms=rules.now_ms,
        pause=pause,
        live=rules,
    )


def based(pair: Pair) -> tuple[Base, RunIds]:
    """What a live item alone tells, as the base that a run publishes instead, and its ids."""
    facts, moment = seen(pair.live, Base()), Now(NOON_MS, PLAN.zone)
    measured = measured_seen(pair.live, Base(), PLAN, moment)
    assert facts is not None
    assert measured is not None
    return Base(RUN, 0, NOON_MS, facts, measured), RunIds.of(pair.live.ring.ids)


def violation_of(seed: int, rules: Rules | None = None) -> str | None:
    """What the schedule of a seed broke."""
    world = World(seed, rules or Rules())
    try:
        world.run()
        world.client.before = lambda *_: None
        return world.violation()
    finally:
        world.schedule.close()


class Blind(DynamoLiveStore):
    """Writes over what it has not seen."""

    def put_standing(self, standing: Any, was: Any) -> bool:
        key = {"PK": {"S": f"P#{standing.change.person_id}"}}
        key |= {"SK": {"S": f"M#{standing.change.segment}"}}
        told = self.client.tables[TABLE].get(key["PK"]["S"], {}).get(key["SK"]["S"])
        now = told and standing_of(standing.change.person_id, key["SK"]["S"], attributes_of(told))
        return super().put_standing(standing, now)


class OneLook(LiveRules):
    """Does not look again after it wrote."""

    def _followed(self, waiting: set[str], *rest: Any) -> set[str]:
        super()._followed(waiting, *rest)
        return set()


class Forgetful(DynamoLiveStore):
    """Takes every change that stands for one that was told."""

    def people(self, person_ids: Sequence[str]) -> Mapping[str, Someone]:
        return {
            person_id: replace(
                one, standings={n: replace(s, is_told=True) for n, s in one.standings.items()}
            )
            for person_id, one in super().people(person_ids).items()
        }


class Guess(Looks):
    """Takes everybody whom a run tells of for new."""

    def _is_new(self, *_: Any) -> bool:
        return True


class Guessing(LiveRules):
    """Looks at nothing that may stand already."""

    def _looks(self, run: int | None) -> Looks:
        return Guess(self.store, run)


VARIANTS: dict[str, Rules] = {
    "a run takes whom it knows for new": Rules(rules=Guessing, first_seed=180),
    "a change that was not seen is written over": Rules(store=Blind),
    "whoever wrote does not look again": Rules(rules=OneLook, first_seed=430),
    "a change that stands untold is left so": Rules(store=Forgetful),
}
