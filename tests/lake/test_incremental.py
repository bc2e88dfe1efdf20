"""A run of what is new equals a run of everything, cell by cell, and a rebuilt view the one before.

Random histories with shared devices, claims, copies, limits and cuts, in any order, with copies and
in any batches, through the real stages; beside them the oracle written apart, and broken variants.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from stamgast.identity.identifiers import Identifier
from stamgast_lake import state
from stamgast_lake.catalogue import Commit
from stamgast_lake.identity import resolve_run
from stamgast_lake.profiles import unify_run
from stamgast_lake.runs import Run
from stamgast_lake.tables import (
    ANCHORS,
    CONSTRAINTS,
    EDGES,
    IDENTITY,
    PERSONS,
    PROFILES,
    LakeTable,
)
from tests.fakes.lake_catalogue import CrashError
from tests.lake.test_cuts import Operators
from tests.lake.test_laws import (
    Sent,
    check,
    deliver,
    history,
    in_pieces,
    lake_persons,
    persons_of,
    seen,
)
from tests.lake.thorough import seeds
from tests.lake.world import KEYRING, NOON_MS, STAGES, Stage, World, latest, resolve, unify

SEEDS = range(2)
LOGGED = (resolve, unify)  # the stages whose logs are compared
LEFT_OUT = {"recorded_at", "run_id", "shard", "cause", "support"}
LOGS = ((IDENTITY, "identifier"), (PERSONS, "person_id"), (ANCHORS, "anchor_key"))


def resolve_all(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
    """The stage over everything, as after an earlier copy took another's place."""
    return resolve_run(world.lake, run, displaced=1)


def unify_all(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
    return unify_run(world.lake, run, displaced=1)


def cells(world: World) -> dict[str, Any]:
    """What every log of a run says now, without when it said so."""
    found: dict[str, Any] = {
        table.name: _told(latest(world.catalogue.rows(table), key)) for table, key in LOGS
    }
    found["edges"] = _told(_newest(world, EDGES, "a", "b"))
    held = _newest(world, CONSTRAINTS, "kind", "a", "b")
    found["constraints"] = {
        key: row["reason"] for key, row in held.items() if row["lifted_at"] is None
    }
    standing = {p for p, row in found["persons"].items() if row["state"] == "active"}
    profiles = _told(latest(world.catalogue.rows(PROFILES), "person_id"))
    return {
        **found,
        "persons": {p: found["persons"][p] for p in standing},
        "profiles": {p: profiles[p] for p in standing},
    }


def _newest(world: World, table: Any, *key: str) -> dict[Any, Mapping[str, Any]]:
    rows = sorted(world.catalogue.rows(table), key=lambda row: (row["recorded_at"], row["run_id"]))
    return {tuple(row[name] for name in key): row for row in rows}


def _told(rows: Mapping[Any, Mapping[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {
        key: {name: value for name, value in row.items() if name not in LEFT_OUT}
        for key, row in rows.items()
    }


def redone(world: World) -> dict[str, Any]:
    """The same after a run that recomputes everything; nothing may have moved."""
    before = cells(world)
    rows = {table.name: len(world.catalogue.rows(table)) for table, _ in LOGS}
    world.run(stages=(resolve_all, unify_all))
    assert {table.name: len(world.catalogue.rows(table)) for table, _ in LOGS} == rows
    assert cells(world) == before
    return before


def played(sent: Sequence[Sent], seed: str, runs: int, stages: Sequence[Stage] = LOGGED) -> World:
    """A history in some order, some of it twice, with runs between, of the stages that log."""
    world = World()
    deliver(world, Random(seed), sent, runs, stages)
    world.run(stages)
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_of_what_is_new_equals_a_run_of_everything(seed: int) -> None:
    sent = history(Random(1000 + seed))
    in_steps = redone(played(sent, f"{seed}/steps", runs=3))
    at_once = cells(played(sent, f"{seed}/once", runs=0))
    assert in_steps == at_once


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(250))
def test_the_same_holds_for_many_more_histories(seed: int) -> None:
    sent = history(Random(5000 + seed))
    world = played(sent, f"{seed}/steps", runs=1 + seed % 6)
    assert redone(world) == cells(played(sent, f"{seed}/once", runs=0))
    assert lake_persons(world) == persons_of(world.events())


def operate(world: World, rng: Random) -> None:
    """Operators let some of a person leave, or lift what stands cut; decisions are archived."""
    operators = Operators(world)
    operators.now_ms = world.now_ms
    if cuts := sorted({pair for root in world.roots().values() for pair in root.cannot_links}):
        pointers = world.identity.read_pointers(rng.choice(cuts))
        named = {key: Identifier(one.namespace, one.value) for key, one in pointers.items()}
        operators.decide(named, is_cut=False) if rng.random() < 0.5 else None
    persons = sorted(map(sorted, world.persons().values()))
    keys = rng.choice(persons)
    operators.leave(rng.sample(keys, rng.randint(1, len(keys))))


def parted(seed: int) -> World:
    """A history with operators between its pieces, and runs."""
    world, rng = World(), Random(f"{seed}/parted")
    for number, one in enumerate(history(Random(9000 + seed))):
        told = {"received_ms": one.received_ms, "assurance": one.assurance, "source_id": "web"}
        world.send(one.body, request_id=f"q{number}", **told)
        if rng.random() < 0.2:
            world.run(LOGGED)
        if rng.random() < 0.2:
            world.now_ms += 1_000
            operate(world, rng)
    world.run(LOGGED)
    return world


def from_raw(world: World) -> World:
    """The lake made anew from the archive, in one run."""
    other = World()
    other.archive.lines = [*world.archive.lines]
    other.run(LOGGED)
    return other


@pytest.mark.parametrize("seed", seeds([0], range(1, 60)))
def test_so_it_is_where_identifiers_leave_and_cuts_are_lifted_and_in_a_rebuild(seed: int) -> None:
    world = parted(seed)
    assert redone(world) == cells(from_raw(world))


@pytest.mark.deep
def test_a_rebuild_that_knows_no_decisions_is_found_out() -> None:
    world = parted(0)
    other = from_raw(world)
    world.archive.lines = [line for line in world.archive.lines if b"$platform" not in line]
    assert cells(from_raw(world)) != cells(other)


def items(world: World) -> dict[tuple[str, str], Any]:
    """Identity's live items without their versions and the run that wrote them."""
    roots = {
        ("root", p): (r.born, r.founder, dict(r.members), r.anchors, r.cannot_links)
        for p, r in world.roots().items()
    }
    keys = sorted({key for root in world.roots().values() for key in root.members})
    pointers = {
        ("pointer", key): (p.person_id, p.born, p.kind, p.assurance, p.value, p.off, p.hint)
        for key, p in world.identity.read_pointers(keys).items()
    }
    edges = {
        ("edge", "|".join(edge.pair)): (edge.support, edge.state, edge.why)
        for key in keys
        for edge in world.identity.edges_from(key)
    }
    return {**roots, **pointers, **edges}


def rebuilt(world: World) -> None:
    """Empties the view and publishes all of the lake into it."""
    world.dynamodb.tables["profiles"].clear()
    run = world.open()
    world.load(run)
    world.publish(run, is_whole=True)
    world.close(run)


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_a_rebuilt_view_holds_every_edge_with_its_state_and_goes_on_alike(seed: int) -> None:
    sent = history(Random(2000 + seed))
    cut = len(sent) * 2 // 3
    one, two = (played(sent[:cut], f"{seed}", 1, STAGES) for _ in range(2))
    rebuilt(two)
    assert items(two) == items(one)
    for world in (one, two):
        for number, event in enumerate(sent[cut:], start=len(sent)):
            told = {"received_ms": event.received_ms, "assurance": event.assurance}
            world.send(event.body, request_id=f"q{number}", **told)
    assert one.persons() == two.persons()
    assert one.profiles() == two.profiles()
    for world in (one, two):
        world.run()
    check(two)
    assert one.persons() == two.persons()


WORD = [[seen(0, word=1, userId="u0", anonymousId="d0")], [seen(1, userId="u0", anonymousId="d0")]]
STEPS = [[seen(0, userId="u0", anonymousId="d0")], [seen(1, userId="u0", email="e0@x.org")]]
FULL = [
    seen(n, timestamp=NOON_MS - 9000 + n, userId="u0", **told)
    for n, told in enumerate(
        [{"anonymousId": f"d{n}"} for n in range(3)] + [{"email": f"e{n}@x.org"} for n in range(2)]
    )
]
ROOM = [FULL, [seen(9, userId="u9", anonymousId="d0")]]
# A person that claims fill leaves a device out; a server takes another of its devices away.
LEFT_ROOM = [
    [
        seen(0, word=1, userId="u0", email="e0@x.org"),
        seen(1, word=1, userId="u0", anonymousId="d0", timestamp=NOON_MS - 9),
        seen(2, word=1, userId="u0", anonymousId="d1", timestamp=NOON_MS - 5),
    ],
    [seen(9, userId="u9", anonymousId="d0")],
]
# Of one moment, each by a message whose key is smaller than that of the one before.
DESCENDING = sorted(range(3), key=lambda n: KEYRING.message_key("web", f"m{n}"), reverse=True)
BORN_AT_ONCE = [[seen(n, 5, userId="u0")] for n in DESCENDING]
MET_AT_ONCE = [
    [seen(n, place, timestamp=NOON_MS, userId="u0", anonymousId="d0")]
    for place, n in enumerate(DESCENDING)
]
BROKEN: Mapping[str, tuple[str, str, str, Sequence[Sequence[Sent]]]] = {
    "a better word is no news": (
        *("NEWS", "or fresh.assurance > known.assurance", "or false"),
        WORD,
    ),
    "old supports are forgotten": (
        *("SUPPORTED", "where message_key is not null", "where false"),
        STEPS,
    ),
    "old births are forgotten": ("SIGHTED", "where person_id is not null", "where false", STEPS),
    "whoever was refused is not looked at": (
        *("WIDER", "where is_wide", "where false"),
        LEFT_ROOM,
    ),
    "of births at one moment the first known one stays": (
        *("NEWS", "< (known.born_message, known.born_position)", "is null"),
        BORN_AT_ONCE,
    ),
    "of supports at one moment the first known one stays": (
        *("NEWS", "< (known.message_key, known.position)", "is null"),
        MET_AT_ONCE,
    ),
    "a person is looked at in part": (
        *("WIDER", "where person_id in (select key from frontier_person)", "where false"),
        ROOM,
    ),
}


@pytest.mark.deep
@pytest.mark.parametrize("name", BROKEN)
def test_a_fold_that_breaks_one_rule_is_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    statement, right, wrong, pieces = BROKEN[name]
    redone(in_pieces(pieces, LOGGED))
    text = getattr(state, statement)
    assert right in text
    monkeypatch.setattr(state, statement, text.replace(right, wrong))
    with pytest.raises((AssertionError, KeyError)):
        redone(in_pieces(pieces, LOGGED))


def died_between_logs() -> World:
    """A run that died after it had logged edges and before it logged persons, and the next."""
    world = in_pieces(STEPS[:1], LOGGED)
    for number, one in enumerate(STEPS[1]):
        world.put_file(one.body, request_id=f"import-9-{number}", received_ms=one.received_ms)

    def before(table: LakeTable, commit: Commit) -> None:
        if table.name == PERSONS.name:
            raise CrashError

    world.catalogue.before = before
    with pytest.raises(CrashError):
        world.run(LOGGED)
    world.catalogue.before = lambda table, commit: None
    world.run(LOGGED)
    return world


def test_what_a_run_that_died_had_logged_is_still_news_to_the_next() -> None:
    redone(died_between_logs())


@pytest.mark.deep
def test_a_run_that_takes_what_is_not_settled_for_known_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state.State, "rows", property(lambda _: "true"))
    with pytest.raises((AssertionError, KeyError)):
        redone(died_between_logs())


def test_a_failed_run_is_news_to_the_next_run_and_to_no_later_one() -> None:
    world = in_pieces(STEPS[:1], LOGGED)
    world.put_file(STEPS[1][0].body, request_id="import-9", received_ms=NOON_MS)
    run = world.open()
    world.load(run)
    world.close(run, status="failed")
    assert world.run(LOGGED)["resolve"]["touched"] == 3
    assert world.run(LOGGED)["resolve"]["touched"] == 0
