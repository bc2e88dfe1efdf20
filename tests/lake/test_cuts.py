"""Cuts and lifts through the whole platform: archive, live view, lake, publish, rebuild."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.cut_job import CutJob
from stamgast.identity.cut_request import Order, Requests
from stamgast.identity.cutting import Cutter
from stamgast.identity.decision import Verdict, pair_of
from stamgast.identity.identifiers import Identifier
from stamgast.moments import iso_of
from stamgast.profile.facts import Facts
from stamgast_aws.cut_store import DynamoCutStore
from stamgast_lake.tables import CONSTRAINTS, EVENTS, IDENTITY
from tests.lake.world import KEYRING, NOON_MS, World


def event(mid: str, at: int = 0, **told: Any) -> Mapping[str, Any]:
    """An identify call with a trait of its own, or an order."""
    at_ms = NOON_MS - 3_600_000 + at * 1000
    body: dict[str, Any] = {
        "type": "identify",
        "messageId": mid,
        "timestamp": iso_of(at_ms),
        "traits": {f"said_{mid}": mid},
    }
    if "email" in told:
        body["traits"]["email"] = told.pop("email")
    if "revenue" in told:
        revenue = told.pop("revenue")
        body |= {"type": "track", "event": "Order Completed", "traits": {}}
        body["properties"] = {"order_id": mid, "revenue": revenue, "currency": "EUR"}
    return {**body, **told}


def named(told: str) -> Identifier:
    """`u:1` as an identifier."""
    namespace, _, value = told.partition(":")
    return Identifier(namespace, value)


def key_of(told: str) -> str:
    one = named(told)
    return KEYRING.identifier_key(one.namespace, one.value)


class Operators:
    """Who cuts and lifts in a world."""

    def __init__(self, world: World) -> None:
        self.world, self.now_ms = world, NOON_MS
        self.store = DynamoCutStore(world.dynamodb, "profiles", "control", lambda _: None)

    def ask(self, verdict: Verdict, a: str, b: str) -> CutJob | None:
        return self.ask_of({key_of(told): named(told) for told in (a, b)}, verdict)

    def ask_of(self, ids: Mapping[str, Identifier], verdict: Verdict) -> CutJob | None:
        """The job of a request that names these two, by their keys."""
        self.now_ms += 1
        order = Order(verdict, "privacy-desk", "two customers", self.now_ms)
        requests = Requests(self.store, self.world.workspace.identity, KEYRING, lambda _: None)
        return requests.job([pair_of(*ids)], ids, order)

    def do(self, verdict: Verdict, a: str, b: str) -> CutJob | None:
        return self.carried_out(self.ask(verdict, a, b))

    def decide(self, ids: Mapping[str, Identifier], *, is_cut: bool) -> CutJob | None:
        """The same for identifiers of any namespaces."""
        return self.carried_out(self.ask_of(ids, Verdict.CUT if is_cut else Verdict.LIFT))

    def leave(self, keys: Collection[str], *, is_alone: bool = False) -> CutJob | None:
        """These identifiers leave whoever of their persons is not named."""
        self.now_ms += 1
        order = Order(Verdict.CUT, "privacy-desk", "two customers", self.now_ms)
        requests = Requests(self.store, self.world.workspace.identity, KEYRING, lambda _: None)
        pairs = sorted(requests.leaving(keys, is_alone=is_alone))
        pointers = self.store.read_pointers({key for pair in pairs for key in pair})
        ids = {key: Identifier(one.namespace, one.value) for key, one in pointers.items()}
        return self.carried_out(requests.job(pairs, ids, order) if pairs else None)

    def carried_out(self, job: CutJob | None) -> CutJob | None:
        world = self.world
        settings = world.workspace.identity
        cutter = Cutter(self.store, world.archive, settings, world.tell, lambda _: None)
        return cutter.carry_out(job) if job else None

    def cut(self, a: str, b: str) -> CutJob | None:
        return self.do(Verdict.CUT, a, b)

    def lift(self, a: str, b: str) -> CutJob | None:
        return self.do(Verdict.LIFT, a, b)


HISTORY = (
    event("m1", 1, userId="1", email="ada@x.nl"),
    event("m2", 2, userId="1", anonymousId="d1"),
    event("m3", 3, anonymousId="d2", email="ada@x.nl"),
    event("m4", 4, userId="1", revenue=50),
    event("m5", 5, anonymousId="d2", revenue=20),
)


def whole() -> World:
    """One person who is two."""
    world = World()
    world.send(*HISTORY)
    assert len(world.roots()) == 1
    return world


@dataclass
class Cut:
    """A world that was cut after one run and before the next, and what was seen between them."""

    world: World
    persons: Mapping[str, frozenset[str]]
    profiles: Mapping[str, Facts]
    cells: int
    figures: Mapping[str, Any]


@pytest.fixture(scope="module")
def cut() -> Cut:
    """Nobody may change this world."""
    world = whole()
    world.run()
    assert len(world.cells()) == 1
    Operators(world).cut("u:1", "e:ada@x.nl")
    seen = world.persons(), world.profiles(), len(world.cells())
    return Cut(world, *seen, world.run())


def test_a_cut_parts_live_at_once_and_the_next_run_says_the_same(cut: Cut) -> None:
    assert len(cut.persons) == 2
    assert (cut.world.persons(), cut.world.profiles()) == (cut.persons, cut.profiles)
    assert cut.figures["publish"].get("persons_corrected", 0) == 0
    assert cut.figures["load_events"]["stored"] == 1
    assert lake_persons(cut.world) == set(cut.persons.values())


def lake_persons(world: World) -> set[frozenset[str]]:
    rows = world.catalogue.rows(IDENTITY)
    latest: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (row["recorded_at"], row["run_id"])):
        latest[row["identifier"]] = row["person_id"]
    persons: dict[str, set[str]] = {}
    for key, person_id in latest.items():
        persons.setdefault(person_id, set()).add(key)
    return {frozenset(keys) for person_id, keys in persons.items() if person_id}


def test_rows_of_every_part_are_deleted_and_come_back_with_the_next_run(cut: Cut) -> None:
    assert cut.cells == 0
    cells = cut.world.cells()
    assert cells.keys() == cut.world.roots().keys()
    assert sorted(cell["monetary_minor"] for cell in cells.values()) == [2000, 5000]


def test_a_rebuild_from_raw_repeats_the_cut_and_changes_no_id(cut: Cut) -> None:
    """Law 2: everything but the archive is thrown away, control with its decisions as well."""
    world = cut.world
    again = World()
    again.archive.lines = list(world.archive.lines)
    again.run()
    assert again.roots().keys() == world.roots().keys()
    assert again.persons() == world.persons()
    assert again.profiles() == world.profiles()
    assert lake_persons(again) == lake_persons(world)
    assert all(root.cannot_links for root in again.roots().values())


@pytest.mark.deep
def test_an_emptied_view_gets_the_cut_back_at_the_next_publish() -> None:
    world = whole()
    Operators(world).cut("u:1", "e:ada@x.nl")
    world.run()
    persons, profiles = world.persons(), world.profiles()
    world.dynamodb.tables["profiles"].clear()
    run = world.open()
    world.publish(run, is_whole=True)
    world.close(run)
    assert (world.persons(), world.profiles()) == (persons, profiles)
    assert all(root.cannot_links for root in world.roots().values())


def test_what_is_named_by_a_cut_alone_is_the_same_person_in_lake_and_view() -> None:
    world = World()
    Operators(world).cut("u:9", "e:new@x.nl")
    before = world.roots().keys()
    world.send(event("m1", 1, userId="9", email="new@x.nl"), received_ms=NOON_MS + 60_000)
    world.run()
    assert world.roots().keys() == before
    assert len(lake_persons(world)) == 2
    again = World()
    again.archive.lines = list(world.archive.lines)
    again.run()
    assert again.roots().keys() == before
    values = {
        p.value for p in again.identity.read_pointers(map(key_of, ("u:9", "e:new@x.nl"))).values()
    }
    assert values == {"9", "new@x.nl"}


def test_the_newest_decision_holds_whatever_the_order_in_which_they_come() -> None:
    world = whole()
    operators, before = Operators(world), len(world.archive.lines)
    for verdict in (Verdict.CUT, Verdict.LIFT, Verdict.CUT):
        operators.do(verdict, "u:1", "e:ada@x.nl")
    first, *others = world.archive.lines[before:]
    world.archive.lines[before:] = others[::-1]
    world.run()
    world.archive.lines.append(first)
    world.run()
    assert len(lake_persons(world)) == 2
    held = [row for row in world.catalogue.rows(CONSTRAINTS) if row["kind"] == "cannot_link"]
    assert len(held) == 3
    assert {row["by"] for row in held} == {"privacy-desk"}
    assert {row["reason"] for row in held} == {"two customers"}


@pytest.mark.deep
def test_a_lift_joins_in_the_lake_what_the_evidence_joins() -> None:
    world = whole()
    persons = world.persons()
    operators = Operators(world)
    operators.cut("u:1", "e:ada@x.nl")
    world.run()
    operators.lift("u:1", "e:ada@x.nl")
    world.run()
    assert world.persons() == persons
    assert lake_persons(world) == set(persons.values())
    assert len(world.cells()) == 1


@pytest.mark.deep
def test_a_copy_of_a_decision_is_a_duplicate_like_any_other() -> None:
    world = whole()
    Operators(world).cut("u:1", "e:ada@x.nl")
    world.run()
    cut = world.archive.lines[-1]
    world.archive.lines += [cut, cut]
    figures = world.run()
    assert (figures["load_events"]["stored"], figures["load_events"]["conflict"]) == (0, 0)
    assert len([r for r in world.catalogue.rows(CONSTRAINTS) if r["kind"] == "cannot_link"]) == 1


@pytest.mark.failure_line(28)
def test_events_of_before_a_cut_belong_to_the_person_of_now(cut: Cut) -> None:
    """Line 28: past events keep the old person id for ever; the latest mapping is taken first."""
    world = cut.world
    owner: dict[str, str] = {}
    rows = world.catalogue.rows(IDENTITY)
    for row in sorted(rows, key=lambda row: (row["recorded_at"], row["run_id"])):
        owner[row["identifier"]] = row["person_id"]
    events = [row for row in world.catalogue.rows(EVENTS) if row["anchor_key"]]
    assert "person_id" not in events[0]
    assert {owner[row["anchor_key"]] for row in events} == set(world.roots())


def test_a_cut_between_two_persons_hinders_no_run_that_takes_one_of_them_edge_by_edge() -> None:
    """One end is in a component over its limits, the other in none of interest."""
    world = World()
    world.send(*(event(f"m{n}", n, email="ada@x.nl", anonymousId=f"d{n}") for n in range(7)))
    world.send(event("m8", 8, userId="1"))
    Operators(world).cut("u:1", "e:ada@x.nl")
    world.run()
    assert lake_persons(world) == set(world.persons().values())
    assert frozenset({key_of("u:1")}) in lake_persons(world)


def test_rows_come_back_to_a_person_whom_the_live_view_alone_had_joined_to_one_that_was_cut() -> (
    None
):
    """First come, a claim joined `u:3`; a run refuses it, and says nothing new of `u:3` either."""
    world = World()
    world.send(event("m0", 0, userId="3", revenue=7))
    world.run()
    (cell,) = world.cells().values()
    claimed = {"assurance": Assurance.CLAIMED, "request_id": "q1"}
    world.send(event("m1", 1, userId="3", email="ada@x.nl"), **claimed)
    world.send(event("m2", 2, userId="1", email="ada@x.nl"), request_id="q2")
    world.send(event("m3", 3, userId="1", anonymousId="d1"), request_id="q3")
    assert len(world.roots()) == 1
    Operators(world).cut("u:1", "d:d1")
    assert world.cells() == {}
    world.run()
    assert frozenset({key_of("u:3")}) in lake_persons(world)
    (after,) = world.cells().values()
    assert {**after, "run": cell["run"], "moment": cell["moment"]} == cell
