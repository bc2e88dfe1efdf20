"""A random world of live merges, runs, resumers and readers over the real identity code.

Extends the model check of identity changes to the code itself: the real steps, plans, codecs and
expressions run over the in-process client; invariants are checked after every commit.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from unittest import mock

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.codec import pointer_of, root_of
from stamgast.identity.corrections import begin, finish_jobs, publish_identity
from stamgast.identity.edge import Edge, EdgeState, Pair, Support
from stamgast.identity.edge_codec import edge_of
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.live import compact, drain, mint_apart, settle
from stamgast.identity.plan import StepPlan
from stamgast.identity.pointer import Pointer
from stamgast.identity.results import Result
from stamgast.identity.root import Root, RootState
from stamgast.identity.settings import IdentitySettings, Kind, Namespace
from stamgast.identity.star import Sighting, Star
from stamgast.identity.store import (
    CheckFence,
    CloseJob,
    JobState,
    MovePointer,
    Outcome,
    PutRoot,
    StoreError,
    UnlockRoot,
    Write,
)
from stamgast.identity.view import read_view
from stamgast_aws.dynamo_values import attributes_of
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB, Fault, Place
from tests.schedules.harness import Process, Schedule, ViolationError
from tests.schedules.identity_oracle import (
    MERGES,
    PERSON,
    PRIORITY,
    SERVES,
    USERS,
    Known,
    Message,
    canonical,
    components,
    expected,
)

CEILING = PERSON + 2
KINDS = {"u": Kind.LINKED, "e": Kind.PERSISTENT, "d": Kind.EPHEMERAL}
SETTINGS = IdentitySettings(
    tuple(
        Namespace(
            *(name, KINDS[name], priority, SERVES[name], ()), most=USERS if name == "u" else None
        )
        for name, priority in PRIORITY.items()
    ),
    person_limit=PERSON,
    merge_limit=MERGES,
    ceiling=CEILING,
)
FAULTS = {
    Fault.THROTTLED: 0.01,
    Fault.LOST_REQUEST: 0.005,
    Fault.LOST_REPLY: 0.03,
    Fault.PARTIAL: 0.03,
    Fault.CONFLICT: 0.02,
}
LAST_RUN, FUEL = 9, 6_000


@dataclass(frozen=True)
class Rules:
    """The code under test; a broken variant replaces one piece of it, and says where it shows."""

    store: type[DynamoJobStore] = DynamoJobStore
    patches: tuple[tuple[str, Any], ...] = ()
    person_id: Callable[[str, int], str] = lambda mid, position: f"{mid}/{position}"
    mint: Callable[..., None] = mint_apart
    first_seed: int = 0


PROTOCOL = Rules()


@lru_cache(256)
def star(message: Message, rules: Rules = PROTOCOL) -> Star:
    """The star of a message, built as `star_of` builds that of an event."""
    sightings, supports = {}, {}
    word = Assurance(message.assurance)
    for n, key in enumerate(message.ids):
        born = Birth(message.received, message.mid, n, rules.person_id(message.mid, n))
        sightings[key] = Sighting(key, key[0], KINDS[key[0]], word, born, "v")
        if n:
            supports[key] = Support(2 - word, PRIORITY[key[0]], message.at, message.mid, n)
    return Star(message.ids[0], message.mid, sightings, supports)


@dataclass
class Items:
    """The identity items as decoded after each write, and what must always hold of them."""

    pointers: dict[str, Pointer] = field(default_factory=dict)
    roots: dict[str, Root] = field(default_factory=dict)
    edges: dict[Pair, Edge] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    cuts: list[Pair] = field(default_factory=list)
    in_doubt: set[str] = field(default_factory=set)

    def take(self, client: DynamoDB, places: Iterable[Place]) -> None:
        for table, pk, sk in places:
            item = client.item(table, pk, sk)
            if table != "profiles":
                continue
            if item is None:
                self.edges.pop((pk[2:], sk[2:]), None)
                continue
            told = attributes_of(item)
            if pk[0] == "P":
                root = root_of(pk[2:], told)
                old = self.roots.get(root.person_id)
                if old is not None and old != root and old.version >= root.version:
                    raise ViolationError("a person goes back")
                self.roots[root.person_id] = root
            elif sk == "@":
                self.point(pointer_of(pk[2:], told))
            else:
                self.edges[pk[2:], sk[2:]] = edge_of((pk[2:], sk[2:]), told)

    def point(self, new: Pointer) -> None:
        old = self.pointers.get(new.key)
        self.pointers[new.key] = new
        if old is None:
            return
        if old != new and old.version >= new.version:
            raise ViolationError("a pointer goes back")
        if new.key in self.in_doubt:
            return
        if old.assurance > new.assurance or old.born < new.born or old.off > new.off:
            raise ViolationError("a pointer forgets what it knew")
        if not new.off and not (old.near <= new.near and old.met.vouched <= new.met.vouched):
            raise ViolationError("a pointer forgets a neighbour")

    def home(self, key: str) -> Root:
        root = self.roots.get(self.pointers[key].person_id)
        path = set()
        while root is not None and root.state is RootState.MERGED:
            if root.person_id in path:
                raise ViolationError("cycle of pointers")
            path.add(root.person_id)
            root = self.roots.get(root.into or "")
        if root is None:
            raise ViolationError("a pointer leads nowhere")
        return root

    def check(self) -> None:
        home = {key: self.home(key) for key in self.pointers}
        listed = Counter[str]()
        for root in self.roots.values():
            if root.state is not RootState.ACTIVE:
                continue
            listed.update(root.members.keys())
            if len(root.members) > CEILING:
                raise ViolationError("a person beyond the ceiling")
            for member in root.members.values():
                if root.members[member.group].group != member.group:
                    raise ViolationError("a trust group without its label")
        for key, root in home.items():
            if root.state is RootState.ACTIVE and key not in root.members:
                raise ViolationError("a pointer ends in a person that does not list it")
        for key, times in listed.items():
            if times > 1:
                raise ViolationError("an identifier is listed by two persons")
            if key not in home or key not in home[key].members:
                raise ViolationError("listed by one person, pointing to another")
        for a, b in self.cuts:
            if home[a] is home[b] and home[a].state is RootState.ACTIVE:
                raise ViolationError("a cut pair shares a person")
        for (a, b), edge in self.edges.items():
            if edge.state is not EdgeState.ACTIVE:
                continue  # one that joins nobody may lead to what is not minted yet
            if home[a] is not home[b] and home[a].state is RootState.ACTIVE:
                raise ViolationError("an active edge between two persons")
        for anchor in self.done:
            if home[anchor].state is RootState.ACTIVE and anchor not in home[anchor].anchors:
                raise ViolationError("facts at an anchor that no person names")
        if not self.seen <= home.keys():
            raise ViolationError("an acknowledged identifier without a person")

    def check_kept(self, told: Star) -> None:
        """What a settled star says is in the items."""
        for other, support in told.supports.items():
            edge = self.edges.get((told.anchor, other))
            if edge is None or edge.support > support:
                raise ViolationError("a settled edge is not kept")
        for key, seen in told.sightings.items():
            if self.pointers[key].assurance < seen.assurance:
                raise ViolationError("a settled word is not kept")


class World:
    """One schedule: the store, its workers, and what they have been told."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.rules = rules
        self.client = DynamoDB("profiles", "control")
        self.client.is_quick = True
        self.schedule = Schedule(seed, self.client, FAULTS, FUEL)
        self.random = random.Random(seed)
        if self.random.random() < 0.3:
            self.client.between, self.client.shuffle = self.schedule.step, self.random.shuffle
        self.client.committed = self.committed
        self.items = Items()
        self.archive: set[Message] = set()
        self.inputs: dict[int, frozenset[Message]] = {}
        self.store = rules.store(
            self.client, "profiles", "control", self.schedule.pause, lambda: 0.0
        )
        self.commit = self.store.commit
        self.counts = Counter[str]()
        self.raised = 0
        self.tries = self.random.choice([1, 2, 4])

    def committed(self, places: list[Place]) -> None:
        self.items.take(self.client, places)
        if any(table == "profiles" for table, _, _ in places):
            self.items.check()

    # the processes

    def work(self, batch: Sequence[Message]) -> None:
        """A worker that is given its messages again until it has settled them."""
        self.archive.update(batch)
        while True:
            try:
                stars = [star(message, self.rules) for message in batch]
                settled = settle(self.store, stars, SETTINGS, self.schedule.pause, tries=self.tries)
            except StoreError:
                continue
            break
        self.items.seen.update(key for message in batch for key in message.ids)
        self.counts["parked"] += settled.parked
        self.counts["retries"] += settled.tries
        self.counts["refused"] += len(settled.refused)
        if not settled.parked:
            self.items.done.update(message.ids[0] for message in batch)
            for one in stars:
                if self.items.in_doubt.isdisjoint(one.sightings):
                    self.items.check_kept(one)
        self.items.check()

    def drain(self, turns: int) -> None:
        for _ in range(turns):
            self.schedule.pause(1.0)
            self.patiently(lambda: drain(self.store, SETTINGS, self.schedule.pause, most=3))

    def sweep(self, turns: int) -> None:
        for _ in range(turns):
            self.schedule.pause(1.0)
            self.patiently(lambda: finish_jobs(self.store, self.schedule.pause))

    def patiently(self, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreError:
            self.counts["unanswered"] += 1

    def read(self, turns: int) -> None:
        for _ in range(turns):
            self.schedule.pause(1.0)
            if self.items.seen:
                self.read_one(self.random.choice(sorted(self.items.seen)))

    def read_one(self, key: str) -> None:
        for _ in range(30):
            try:
                view = read_view(self.store, [key])
            except StoreError:
                continue
            if view is not None and key in view.pointers:
                return
            if view is not None:
                break
        raise ViolationError("a reader finds no person")

    def compact(self, turns: int) -> None:
        for _ in range(turns):
            self.schedule.pause(0.0)
            if self.items.seen:
                key = self.random.choice(sorted(self.items.seen))
                self.patiently(lambda key=key: self.compact_one(key))  # type: ignore[misc]

    def compact_one(self, key: str) -> None:
        view = read_view(self.store, [key])
        if view is None or view.pointers[key].person_id == view.home[key]:
            return
        self.schedule.pause(self.random.choice([0.0, 1.0]))
        nothing = StepPlan((), (), (), {})
        seen = {key: star(Message("", 0, 0, 1, (key,))).sightings[key]}
        compact(self.store, Star(key, "", seen, {}), view, nothing)

    def publish(self, seq: int, is_last: bool = False) -> None:
        """An authoritative run: fence, open jobs, inputs, then component by component."""
        while not self.began(seq):
            if self.raised > seq:
                return
        evidence = self.inputs.setdefault(seq, frozenset(self.archive))
        for _ in range(0 if is_last else self.random.choice([0, 0, 30, 150])):
            self.schedule.step()
        kept, lost = canonical(evidence)
        live = EvidenceInMemory.of(star(m, self.rules) for m in kept if not m.is_cut)
        for message in lost:
            live.lose(message.mid, message.ids)
        for message in evidence:
            if message.is_cut:
                for sighting in star(message, self.rules).sightings.values():
                    live.see(sighting)
        for pair in self.told_cuts(evidence):
            live.cut(pair)
        parts = components(kept)
        told_of = {key for part in parts for key in part}
        parts += [frozenset({key}) for key in sorted({k for m in lost for k in m.ids} - told_of)]
        while True:
            try:
                told = publish_identity(self.store, live, parts, seq, SETTINGS, self.schedule.pause)
            except StoreError:
                continue
            self.counts.update({f"component {k.value}": v for k, v in told.counts.items()})
            if told.is_complete or Result.FENCED in told.counts or not is_last:
                return
            finish_jobs(self.store, self.schedule.pause)

    # what a world of more operations adds

    def scenario(self) -> tuple[list[Message], list[Message]]:
        """The messages that come, and the cuts that were made before them all."""
        return scenario(self.random)

    def operations(self) -> list[Callable[[], None]]:
        """More processes, each begun at some moment; `operator` is their name, and they may die."""
        return []

    def finish(self) -> None:
        """Brings to its end what those processes left open, without faults."""

    def told_cuts(self, evidence: Iterable[Message]) -> set[Pair]:
        """The pairs that a run's inputs say are cut."""
        return {(m.ids[0], m.ids[1]) for m in evidence if m.is_cut}

    def cuts_of(self, keys: set[str]) -> Iterable[Pair]:
        """The pairs that a correction of these identifiers had to keep apart."""
        return self.items.cuts

    def began(self, seq: int) -> bool:
        try:
            if begin(self.store, seq, self.schedule.pause):
                self.raised = max(self.raised, seq)
                return True
            self.raised = self.store.fence()
        except StoreError:
            pass
        return False

    # what is checked when a correction ends

    def checked_commit(self, writes: Sequence[Write]) -> Outcome:
        outcome = self.commit(writes)
        fence = self.client.item("control", "RUN", "fence")
        for write in writes:
            is_old = isinstance(write, CheckFence) and fence and write.seq < int(fence["seq"]["N"])
            if outcome is Outcome.DONE and is_old:
                raise ViolationError("a run that was shut out goes on writing")
        keys, seq = touched(writes)
        if outcome is Outcome.DONE and keys and seq:
            self.check_after(keys, seq)
        return outcome

    def check_after(self, keys: set[str], seq: int) -> None:
        """The touched persons are the pure function of the run's inputs and every live edge."""
        items = self.items
        live = {
            pair: (s.weakness, s.priority, s.event_ms, s.message_key, s.position)
            for pair, edge in items.edges.items()
            if keys.issuperset(pair)
            for s in (edge.support,)
        }
        pointers = {key: items.pointers[key] for key in keys}
        known = Known(
            live,
            {key: p.near for key, p in pointers.items()},
            {key: p.met.vouched for key, p in pointers.items()},
            {
                key: (p.born.received_ms, p.born.message_key, p.born.position)
                for key, p in pointers.items()
            },
            {key: int(p.assurance) for key, p in pointers.items()},
        )
        told = expected(canonical(self.inputs[seq])[0], self.cuts_of(keys), known, keys)
        found = {frozenset(items.home(key).members) for key in keys}
        if found != set(told.parts):
            raise ViolationError("a correction: not the pure function of inputs and live edges")

    # the end

    def settle_down(self) -> None:
        """What is left is finished by a last run, the drainer and the sweeper."""
        self.schedule.faults = {}
        self.schedule.fuel = FUEL
        self.finish()
        self.schedule.start("last run", lambda: self.publish(LAST_RUN, is_last=True))
        self.schedule.start("drainer", lambda: self.drain(3))
        self.schedule.start("sweeper", lambda: self.sweep(3))
        self.schedule.run()
        self.empty()
        self.take_back(LAST_RUN + 1)

    def take_back(self, seq: int) -> None:
        """A copy that lost may have been settled after the run that found it out."""
        if self.items.in_doubt:
            self.publish(seq, is_last=True)

    def empty(self) -> None:
        for _ in range(20):
            finish_jobs(self.store, lambda seconds: None)
            if not self.store.parked(100):
                return
            drain(self.store, SETTINGS, lambda seconds: None)
        raise ViolationError("something stays parked")

    def check_end(self) -> None:
        kept, lost = canonical(self.archive)
        for message in kept:
            if not message.is_cut:
                self.items.check_kept(star(message, self.rules))
        told = expected(kept, self.items.cuts)
        for part, born in told.parts.items():
            roots = {id(r): r for r in map(self.items.home, part)}
            (root,) = roots.values() if len(roots) == 1 else (None,)
            if root is None or root.state is not RootState.ACTIVE or root.members.keys() != part:
                raise ViolationError("at the end: another partition")
            if root.person_id != f"{born[1]}/{born[2]}":
                raise ViolationError("at the end: another person id")
            named = {m.ids[0] for m in kept if not m.is_cut}
            if root.anchors - {m.ids[0] for m in lost} - named or part & named - root.anchors:
                raise ViolationError("at the end: an anchor that no person names")
            if root.cannot_links != {c for c in self.items.cuts if part.intersection(c)}:
                raise ViolationError("at the end: a cut is missing")
            for key in part:
                word = max(m.assurance for m in kept if key in m.ids)
                self.check_member(key, root, word, told.groups[key])
        named = {key for part in told.parts for key in part}
        for key in {key for message in lost for key in message.ids} - named:
            if self.items.home(key).members.keys() != {key}:
                raise ViolationError("at the end: a copy that lost still joins")
        if told.off != {key: p.off for key, p in self.items.pointers.items() if p.off}:
            raise ViolationError("at the end: other values are off")

    def check_member(self, key: str, root: Root, word: int, group: str) -> None:
        if root.members[key].assurance != word or self.items.pointers[key].assurance != word:
            raise ViolationError("at the end: another assurance")
        if root.members[key].group != group:
            raise ViolationError("at the end: another trust group")


def touched(writes: Sequence[Write]) -> tuple[set[str], int]:
    """The identifiers of a correction that these writes bring to its end, and its run."""
    kinds = {type(write) for write in writes}
    for write in writes:
        if isinstance(write, CloseJob) and write.state is JobState.OPEN:
            roots = [w.root for w in writes if isinstance(w, UnlockRoot)]
            return {key for root in roots for key in root.members}, int(write.job_id.split("-")[0])
        if isinstance(write, CheckFence) and kinds >= {MovePointer, PutRoot}:
            return {w.pointer.key for w in writes if isinstance(w, MovePointer)}, write.seq
    return set(), 0


def scenario(rng: random.Random) -> tuple[list[Message], list[Message]]:
    """Random messages with copies of another receipt time, and cuts made before them all."""
    pool = [
        f"{k}:{n}"
        for k, most in (("u", 3), ("e", 3), ("d", 3))
        for n in range(rng.randint(1, most))
    ]
    messages = []
    for n in range(rng.choice([2, 3, 3, 5, 5, 8, 12])):
        ids = _named(rng, pool)
        word = rng.choice([1, 2])
        messages.append(Message(f"m{n}", rng.randrange(100), rng.randrange(20), word, ids))
    copies = [
        Message(m.mid, m.received + rng.randint(0, 30), m.at, m.assurance, m.ids)
        for m in messages
        if rng.random() < 0.3
    ]
    cuts = [
        Message(f"c{n}", rng.randrange(100), 0, 1, tuple(sorted(rng.sample(pool, 2))), True)
        for n in range(rng.choice([0, 0, 1, 2]))
    ]
    return messages + copies + _conflicting(rng, messages, pool), cuts


def _conflicting(rng: random.Random, messages: list[Message], pool: list[str]) -> list[Message]:
    """In some worlds, other payloads under the ids of messages."""
    if rng.random() < 0.7:
        return []
    return [
        replace(m, received=rng.randrange(100), ids=_named(rng, pool))
        for m in messages
        if rng.random() < 0.4
    ]


def _named(rng: random.Random, pool: list[str]) -> tuple[str, ...]:
    chosen = set(rng.choices(pool, k=rng.choice([1, 2, 2, 2, 3])))
    return tuple(sorted(chosen, key=lambda key: (PRIORITY[key[0]], key)))


def cut(world: World, message: Message) -> None:
    """A cannot-link on two persons that nothing has joined yet."""
    a, b = message.ids
    apart = star(message, world.rules)
    world.archive.add(message)
    mint_apart(world.store, Star("", message.mid, apart.sightings, {}), lambda seconds: None)
    pointers = world.store.read_pointers(message.ids)
    roots, _ = world.store.read_persons([p.person_id for p in pointers.values()])
    world.items.cuts.append((a, b))
    world.commit(
        [
            PutRoot(
                replace(r, version=r.version + 1, cannot_links=r.cannot_links | {(a, b)}),
                (r.version, r.state),
            )
            for r in roots.values()
        ]
    )


def run(
    seed: int, rules: Rules = PROTOCOL, make: Callable[[int, Rules], World] = World
) -> Counter[str]:
    """One schedule from its seed; raises ViolationError where a law breaks."""
    world = make(seed, rules)
    small = world.random.choice([3, 5, 8, 100])
    with ExitStack() as stack:
        stack.enter_context(mock.patch("stamgast.identity.changes.MOST_WRITES", small))
        stack.enter_context(mock.patch("stamgast.identity.changes.CHUNK", 2))
        locked = world.random.choice([1, 2, 4, 98])
        stack.enter_context(mock.patch("stamgast.identity.changes.MOST_LOCKED", locked))
        for target, replacement in rules.patches:
            stack.enter_context(mock.patch(target, replacement))
        try:
            _play(world)
        finally:
            world.schedule.close()
    return world.counts


def violation_of(
    seed: int, rules: Rules = PROTOCOL, make: Callable[[int, Rules], World] = World
) -> str | None:
    """What a schedule broke; None when every law held."""
    try:
        run(seed, rules, make)
    except (ViolationError, LookupError) as violation:
        return repr(violation)
    return None


def _play(world: World) -> None:
    rng, schedule = world.random, world.schedule
    world.store = Checked(world)
    messages, cuts = world.scenario()
    if canonical(messages)[1]:
        world.items.in_doubt = {key for message in messages for key in message.ids}
    faults, schedule.faults = schedule.faults, {}
    for message in cuts:
        cut(world, message)
    schedule.faults = faults if rng.random() < 0.7 else {}
    stream = messages + [m for m in messages if rng.random() < 0.3]
    rng.shuffle(stream)
    width = rng.choice([1, 2, 4, 8])
    runs = list(range(1, 1 + rng.choice([0, 1, 2, 2])))
    others = [("drainer", world.drain), ("sweeper", world.sweep), ("reader", world.read)]
    others.append(("compactor", world.compact))
    for name, process in others:
        schedule.start(name, lambda process=process: process(4), is_daemon=True)
    live: dict[int, list[Message]] = {}
    operations = world.operations()
    while stream or live or runs or operations:
        if operations and rng.random() < 0.1:
            schedule.start("operator", operations.pop())
        while stream and len(live) < width:
            batch = [stream.pop() for _ in range(min(len(stream), rng.choice([1, 1, 2])))]
            started = schedule.start("worker", lambda batch=batch: world.work(batch))
            live[id(started)] = batch
        if runs and (not live or rng.random() < 0.1):
            seq = runs.pop(0)
            schedule.start("run", lambda seq=seq: world.publish(seq))
        has_ended = schedule.processes and schedule.turn()
        if rng.random() < 0.01:
            crash_one(world, live, stream)
        if has_ended:
            alive = {id(p) for p in schedule.processes}
            live = {n: batch for n, batch in live.items() if n in alive}
    world.settle_down()
    world.check_end()
    if rng.random() < 0.5:
        replay(world)
        world.check_end()


def crash_one(world: World, live: dict[int, list[Message]], stream: list[Message]) -> None:
    """A process dies where it stands; a worker's messages come again."""
    mortal = [p for p in world.schedule.processes if p.name in ("worker", "run", "operator")]
    if mortal:
        process: Process = world.random.choice(mortal)
        world.counts["crashes"] += 1
        world.schedule.crash(process)
        stream.extend(live.pop(id(process), ()))


def replay(world: World) -> None:
    """Everything comes once more, in another order: nothing may change."""
    messages = sorted(m for m in world.archive if not m.is_cut)
    world.random.shuffle(messages)
    before = dict(world.items.roots)
    for message in messages:
        world.schedule.start("worker", lambda message=message: world.work([message]))
    world.schedule.run()
    world.empty()
    world.take_back(LAST_RUN + 2)
    for person_id, root in world.items.roots.items():
        if world.items.in_doubt:
            return
        if root.state is RootState.ACTIVE and person_id not in before:
            raise ViolationError("a replay made a person")


class Checked:
    """The store of a world, which checks a correction the moment it ends."""

    def __init__(self, world: World) -> None:
        self._store, self.commit = world.store, world.checked_commit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
