"""A random world of workers that fold events and settle live rules of one person of two anchors."""

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
from stamgast.profile.loop import LiveLoop
from stamgast.raw.unfold import unfold
from stamgast.segments.changes import MembershipChange
from stamgast.segments.language.history import EventHistory
from stamgast.segments.language.view import View
from stamgast.segments.language.windows import Now
from stamgast.segments.live.columns import columns_of
from stamgast.segments.live.documents import document_of
from stamgast.segments.live.plan import LivePlan, plan_of
from stamgast.segments.live.rules import LiveRules
from stamgast.segments.live.store import Someone
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.dynamo_values import attributes_of
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.live_store import DynamoLiveStore, standing_of
from tests.fakes.dynamodb import DynamoDB, Fault
from tests.fakes.live_batches import NOON_MS, receipt
from tests.fakes.live_loops import KEYS, Loop, MemoryArchive
from tests.schedules.harness import Schedule

TABLE = "profiles"
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
    """The code under test; a broken variant replaces one piece of it."""

    rules: type[LiveRules] = LiveRules
    store: type[DynamoLiveStore] = DynamoLiveStore


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
        self.schedule = Schedule(seed, self.client, FAULTS)
        self.bus = Bus(self.schedule)
        self.made: set[str] = set()
        self.client.committed = self._note
        self.bodies = [self._event(n) for n in range(self.random.randint(2, 4))]

    def run(self) -> None:
        """Each message reaches one or two workers, which try until nothing is left undone."""
        for number, body in enumerate(self.bodies):
            for copy in range(self.random.choice((1, 1, 2))):
                self.schedule.start(f"w{number}-{copy}", partial(self._work, body))
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
        while self._loop().process([Message("m", body, NOON_MS)]).returned:
            self.schedule.step()

    def _loop(self) -> LiveLoop:
        store = self.rules.store(self.client, TABLE, Inline(), self.schedule.pause)  # type: ignore[arg-type]
        return LiveLoop(
            raw=MemoryArchive(),
            rejected=MemoryArchive(),
            interpret=lambda record: interpret(record, DEFAULT, KEYS),
            identify=lambda _: Identified(),
            facts=DynamoFactStore(self.client, TABLE, self.schedule.pause),
            timeline_days=1,
            now_ms=self._now,
            pause=self.schedule.pause,
            live=self.rules.rules(PLAN, store, self.bus, self._now, self.schedule.pause),
        )

    def _now(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def _found(self) -> None:
        """The person: a cookie and a user, of one log-in."""
        login = {"type": "identify", "userId": "u", "anonymousId": "c", "messageId": "login"}
        seen = {"type": "page", "anonymousId": "c", "messageId": "seen"}
        Loop(client=self.client).deliver(encode(accept([login, seen], receipt("r0"))))

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
        raw = [record for body in self.bodies for record in unfold(decode(body))[0]]
        events = [document_of(interpret(record, DEFAULT, KEYS)) for record in raw]
        now = Now(self.now_ms, PLAN.zone)
        facts = Loop(client=DynamoDB(TABLE, "control")).facts("nobody")
        view = View(columns_of("p", facts), EventHistory(events), now)
        for rule in PLAN.rules:
            view.is_in[rule.name] = rule.reader(view) is True
        return {name for name, is_in in view.is_in.items() if is_in}


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


VARIANTS: dict[str, Rules] = {
    "a change that was not seen is written over": Rules(store=Blind),
    "whoever wrote does not look again": Rules(rules=OneLook),
    "a change that stands untold is left so": Rules(store=Forgetful),
}
