"""Cuts and lifts as operations of the random world: asked, crashed, resumed and raced."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from stamgast.identity.corrections import finish_jobs
from stamgast.identity.cut_job import CutJob
from stamgast.identity.cut_request import BusyError, Order, Requests
from stamgast.identity.cutting import Cutter, resume_cuts
from stamgast.identity.decision import Decision, Verdict, pair_of
from stamgast.identity.edge import Pair
from stamgast.identity.identifiers import Identifier
from stamgast.identity.keys import Keyring
from stamgast.identity.plan import IdentityChange
from stamgast.identity.root import RootState
from stamgast.identity.store import StoreError
from stamgast.raw.record import RawRecord
from stamgast_aws.cut_store import DynamoCutStore
from tests.fakes.dynamodb import Item
from tests.schedules.harness import ViolationError
from tests.schedules.identity_oracle import Message
from tests.schedules.identity_world import PROTOCOL, SETTINGS, Rules, World

NAMES = ("u:0", "u:1", "e:0", "e:1", "d:0", "d:1")
Age: TypeAlias = tuple[int, str]
OPEN = replace(SETTINGS, blocked_values=frozenset(), blocked_patterns=())
CUTTING = replace(PROTOCOL, store=DynamoCutStore)


class PlainKeyring(Keyring):
    """Keys that can be read, as those of the schedules are."""

    def identifier_key(self, namespace: str, value: str) -> str:
        return f"{namespace}:{value}"

    def message_key(self, source_id: str, message_id: str) -> str:
        return message_id

    def person_id(self, source_id: str, message_id: str, position: int) -> str:
        return f"{message_id}/{position}"


class CutWorld(World):
    """A world with operators; `decided` holds each decision as it was archived.

    `acknowledged` are those cuts, by age, that some answer said to be carried out.
    """

    store: DynamoCutStore

    def __init__(self, seed: int, rules: Rules) -> None:
        super().__init__(seed, rules)
        self.decided: dict[str, Decision] = {}
        self.lifting = Counter[Pair]()
        self.acknowledged: set[Age] = set()

    # the ports

    def put(self, lines: Sequence[tuple[str, bytes]]) -> set[str]:
        """The archive: a decision is an input of every run that lists it from now on."""
        self.schedule.step()
        if self.schedule.faults and self.random.random() < 0.05:
            return {name for name, _ in lines}
        for _, line in lines:
            record = RawRecord.from_json(line)
            told = self.store.read_cut(record.message_id.rpartition(".")[0])
            if told is None:
                raise ViolationError("a decision is archived before its job is kept")
            for decision in told.decisions:
                self.decided[decision.message_id] = decision
                at_ms, mid = decision.at_ms, decision.message_id
                self.archive.add(Message(mid, at_ms, at_ms, 0, decision.pair, True))
        return set()

    def tell(self, changes: Sequence[IdentityChange]) -> int:
        self.counts["told"] += len(changes)
        return 0

    @property
    def requests(self) -> Requests:
        return Requests(self.store, OPEN, PlainKeyring(1, b""), self.schedule.pause)

    @property
    def cutter(self) -> Cutter:
        return Cutter(self.store, self, SETTINGS, self.tell, self.schedule.pause)

    # the operations

    def scenario(self) -> tuple[list[Message], list[Message]]:
        """Messages whose copies agree: what becomes of others is for the world without cuts."""
        messages, _ = super().scenario()
        names: dict[str, tuple[str, ...]] = {}
        return [m for m in messages if names.setdefault(m.mid, m.ids) == m.ids], []

    def operations(self) -> list[Callable[[], None]]:
        """A few verdicts about one or two pairs, so that cuts and lifts meet each other."""
        pairs = [pair_of(*self.random.sample(NAMES, 2)) for _ in range(2)]
        return [
            self._operation(self.random.choice(pairs), verdict, self.random.randrange(100))
            for verdict in self.random.choices(list(Verdict), (3, 2), k=self.random.choice([1, 3]))
        ]

    def _operation(self, pair: Pair, verdict: Verdict, now_ms: int) -> Callable[[], None]:
        def operate() -> None:
            self.counts[verdict.value] += 1
            self.ask(pair, Order(verdict, "operator", "", now_ms))

        return operate

    def ask(self, pair: Pair, order: Order) -> None:
        if order.verdict is Verdict.LIFT:
            self.lifting[pair] += 1
            self.items.cuts = [cut for cut in self.items.cuts if cut != pair]
        self.insist(lambda: [pair], order)

    def insist(self, pairs_of: Callable[[], Sequence[Pair]], order: Order) -> None:
        """Asks until there is an answer, as an operator does; what is asked is read each time."""
        for _ in range(4):
            try:
                pairs = pairs_of()
                named = {key: Identifier(*key.split(":")) for pair in pairs for key in pair}
                job, stood = self.requests.job(pairs, named, order), self.held()
                if job is None or not self.cutter.carry_out(job).is_open:
                    self.lifting.subtract(pairs if order.verdict is Verdict.LIFT else ())
                    self.acknowledge(job, stood)
                break
            except (StoreError, BusyError):
                self.counts["asked again"] += 1

    def acknowledge(self, job: CutJob | None, stood: Mapping[Pair, Age]) -> None:
        """From now on a pair that was cut shares no person, until somebody asks to lift it.

        An answer is about the decision that its job made, or that `stood` when it was begun. That a
        lift is done says nothing of a newer cut, whose own job may still be under way.
        """
        held = self.held()
        if job is not None and any(self.newest(pair) is None for pair in job.pairs):
            raise ViolationError("an answer for a pair about which nothing is decided")
        if job is not None and job.verdict is Verdict.CUT:
            about = {*stood.values(), *(decision.age for decision in job.decisions)}
            self.acknowledged |= about & {held[pair] for pair in job.pairs if pair in held}
        for pair, age in held.items():
            is_due = age in self.acknowledged and not self.lifting[pair]
            if is_due and pair not in self.items.cuts:
                self.items.cuts.append(pair)
        self.counts["carried out"] += 1
        self.items.check()

    def sweep(self, turns: int) -> None:
        for _ in range(turns):
            super().sweep(1)
            self.patiently(lambda: resume_cuts(self.cutter))

    def finish(self) -> None:
        while any(process.name == "operator" for process in self.schedule.processes):
            self.schedule.turn()
        for _ in range(20):
            self.patiently(lambda: resume_cuts(self.cutter))
            if not self.store.open_cuts():
                break
        else:
            raise ViolationError("a cut stays open")
        self.patiently(lambda: finish_jobs(self.store, lambda _: None))
        self.items.cuts = sorted(self.held())
        self.check_carried()

    def check_carried(self) -> None:
        """Persons carry the newest verdicts before any run comes to their help."""
        for pair in {decision.pair for decision in self.decided.values()}:
            roots = [self.items.home(key) for key in pair]
            is_carried = {pair in root.cannot_links for root in roots}
            if is_carried != {pair in self.items.cuts}:
                raise ViolationError("persons do not carry the newest verdict")

    # what runs and oracles are told

    def held(self) -> dict[Pair, Age]:
        """The pairs whose newest decision is a cut, as `control` has them, with its age."""
        pairs = {decision.pair for decision in self.decided.values()}
        told = {pair: self.newest(pair) for pair in pairs}
        return {
            pair: (int(item["at_ms"]["N"]), item["message_id"]["S"])
            for pair, item in told.items()
            if item and item["verdict"]["S"] == "cut"
        }

    def newest(self, pair: Pair) -> Item | None:
        """The newest decision about a pair, as `control` has it."""
        return self.client.item("control", "DECISIONS", "|".join(pair))

    def told_cuts(self, evidence: Iterable[Message]) -> set[Pair]:
        """What the lake makes of the decisions among its inputs: the newest of each pair holds."""
        newest: dict[Pair, Decision] = {}
        for message in evidence:
            if message.is_cut:
                told = self.decided[message.mid]
                had = newest.get(told.pair, told)
                newest[told.pair] = max(told, had, key=lambda one: one.age)
        return {pair for pair, told in newest.items() if told.is_cut}

    def cuts_of(self, keys: set[str]) -> Iterable[Pair]:
        """Those that the corrected persons carry: a decision made since is still on its way."""
        roots = (root for root in map(self.items.home, keys) if root.state is RootState.ACTIVE)
        return {pair for root in roots for pair in root.cannot_links}


class LeaveWorld(CutWorld):
    """Operators let identifiers leave as well, and lift what stands cut at that moment."""

    def operations(self) -> list[Callable[[], None]]:
        keys = [self.random.sample(NAMES, self.random.choice([1, 2])) for _ in range(2)]
        told: list[Callable[[], None]] = [
            *(partial(self.leave, frozenset(one), self.random.randrange(100)) for one in keys),
            *(partial(self.lift_any, self.random.randrange(100)) for _ in range(2)),
            *super().operations(),
        ]
        return self.random.sample(told, self.random.randint(1, len(told)))

    def leave(self, keys: frozenset[str], now_ms: int) -> None:
        """Whoever stays with them is read before each try: others may have joined meanwhile."""
        self.counts["leave"] += 1
        order = Order(Verdict.CUT, "operator", "", now_ms)
        self.insist(lambda: sorted(self.requests.leaving(keys)), order)

    def lift_any(self, now_ms: int) -> None:
        if held := sorted(self.held()):
            self.counts["lifted as it stood"] += 1
            pair = self.random.choice(held)
            self.ask(pair, Order(Verdict.LIFT, "operator", "", now_ms))
