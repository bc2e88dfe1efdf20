"""Merge then cut is a world without the edge: live at once, and cell by cell after a run."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Reason
from stamgast.identity.partition import Partition, partition
from stamgast.identity.plan import may_join
from stamgast.identity.star import Star, star_of
from stamgast.identity.survey import Survey
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Commit
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import ANCHORS, EVIDENCE, IDENTITY, PERSONS, RFM, LakeTable
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.lake.test_cuts import Operators, event, key_of
from tests.lake.thorough import stories_of_shard
from tests.lake.world import SETTINGS, World

Event: TypeAlias = Mapping[str, Any]
Pair: TypeAlias = tuple[str, str]
History: TypeAlias = tuple[list[tuple[Assurance, Event]], Pair]

WIDE = replace(
    SETTINGS,
    namespaces=tuple(replace(one, value_limit=100, most=100) for one in SETTINGS.namespaces),
    person_limit=100,
    merge_limit=100,
)
ORDER = "ued"


def names_of(told: Event) -> list[str]:
    """The identifiers of an event, its anchor first."""
    email = told.get("traits", {}).get("email")
    found = {"u": told.get("userId"), "e": email, "d": told.get("anonymousId")}
    return [f"{name}:{found[name]}" for name in ORDER if found[name]]


def apart(edges: Iterable[Pair], a: str, b: str) -> bool:
    """Whether no path of these edges leads from one to the other."""
    near: defaultdict[str, set[str]] = defaultdict(set)
    for x, y in edges:
        near[x].add(y)
        near[y].add(x)
    seen, todo = {a}, [a]
    while todo:
        for other in near[todo.pop()] - seen:
            seen.add(other)
            todo.append(other)
    return b not in seen


@st.composite
def histories(draw: Any, words: Sequence[Assurance]) -> History:
    """Events, and an edge of theirs that is the only path between its ends."""
    events, edges = [], set()
    for n in range(draw(st.integers(2, 9))):
        told: dict[str, Any] = {}
        if draw(st.booleans()):
            told["userId"] = str(draw(st.integers(1, 2)))
        if draw(st.integers(0, 2)) == 0:
            told["revenue"] = draw(st.integers(1, 9))
        elif draw(st.booleans()):
            told["email"] = f"{draw(st.integers(1, 3))}@x.nl"
        if draw(st.booleans()) or not told.keys() & {"userId"}:
            told["anonymousId"] = f"d{draw(st.integers(1, 3))}"
        one = event(f"m{n}", draw(st.integers(0, 50)), **told)
        events.append((draw(st.sampled_from(words)), one))
        anchor, *others = names_of(one)
        edges |= {(anchor, other) for other in others}
    bridges = [edge for edge in sorted(edges) if apart(edges - {edge}, *edge)]
    assume(bridges)
    return events, draw(st.sampled_from(bridges))


def keyed(pairs: Iterable[Pair]) -> set[frozenset[str]]:
    """The keys of both ends of each pair."""
    return {frozenset(map(key_of, pair)) for pair in pairs}


def without(pairs: Iterable[Pair]) -> Callable[..., Star | None]:
    """`star_of` in a world whose messages do not say that the two of a pair belong together."""
    gone = keyed(pairs)

    def star(*arguments: Any) -> Star | None:
        told = star_of(*arguments)
        if told is None:
            return told
        kept = {k: s for k, s in told.supports.items() if frozenset((told.anchor, k)) not in gone}
        return replace(told, supports=kept)

    return star


class WithoutEdges(MemoryCatalogue):
    """A lake into which edges never come: both of their ends are named, each by itself."""

    gone: Collection[frozenset[str]] = ()

    def append(self, table: LakeTable, rows: pa.RecordBatchReader, commit: Commit) -> int:
        if table is EVIDENCE:
            told = [one for row in rows.read_all().to_pylist() for one in self._parted(row)]
            schema = arrow_schema(EVIDENCE)
            rows = pa.Table.from_pylist(told, schema=schema).to_reader()
        return super().append(table, rows, commit)

    def _parted(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if frozenset((row["a"], row["b"])) not in self.gone:
            yield row
            return
        yield {**row, "b": None, "position": 0, "rule": "alone"}
        yield {**row, "a": row["b"], "b": None, "rule": "lift"}


def played(history: History, *, has_edge: bool) -> World:
    """The live loop after these events, or as it were if they did not name these two together."""
    events, pair = history
    return lived(events, () if has_edge else (pair,))


def lived(events: Sequence[tuple[Assurance, Event]], gone: Collection[Pair] = ()) -> World:
    """The live loop after these events, in a world without these edges."""
    catalogue = WithoutEdges()
    catalogue.gone = keyed(gone)
    world = World(catalogue=catalogue, workspace=Workspace("1", "UTC", {}, WIDE))
    with unseen(gone):
        send(world, events)
    return world


@contextmanager
def unseen(gone: Collection[Pair]) -> Iterator[None]:
    """The live loop reads none of these edges in messages."""
    with mock.patch("stamgast.profile.identify.star_of", without(gone)):
        yield


def send(world: World, events: Iterable[tuple[Assurance, Event]]) -> None:
    for n, (word, told) in enumerate(events):
        world.send(told, request_id=f"r{n}", assurance=word)


def live(world: World) -> Any:
    """Everything that a reader sees of every person, RFM aside."""
    profiles, entries = world.profiles(), world.entries()
    persons = {
        person_id: (root.born, root.founder, dict(root.members), root.anchors, profiles[person_id])
        for person_id, root in world.roots().items()
    }
    return persons, entries


def lake(world: World) -> Any:
    """The cells of who is who, persons, RFM and anchors, as they are now."""
    told = []
    for table in (IDENTITY, PERSONS, RFM, ANCHORS):
        key = {IDENTITY: "identifier", ANCHORS: "anchor_key"}.get(table, "person_id")
        newest: dict[str, Mapping[str, Any]] = {}
        for row in sorted(
            world.catalogue.rows(table), key=lambda row: (row["recorded_at"], row["run_id"])
        ):
            newest[row[key]] = row
        told.append({name: _cells(table, row) for name, row in newest.items() if _stands(row)})
    return told


def _stands(row: Mapping[str, Any]) -> bool:
    is_active = row.get("state", "active") == "active"
    return is_active and row.get("segment", "") is not None and row.get("events", 1) > 0


def _cells(table: LakeTable, row: Mapping[str, Any]) -> dict[str, Any]:
    left_out = {"recorded_at", "run_id", "cause", "support", "shard", "moment"}
    return {name: row[name] for name in table.column_names if name not in left_out}


VERIFIED = (Assurance.VERIFIED,)
ANY = (Assurance.VERIFIED, Assurance.CLAIMED)


def merge_then_cut(history: History) -> None:
    """The law for the live view, without any run."""
    cut, never = played(history, has_edge=True), played(history, has_edge=False)
    job = Operators(cut).cut(*history[1])
    assert job is not None
    assert not job.is_open
    assert live(cut) == live(never)
    send(cut, reversed(history[0]))  # a replay, and a redrive out of order
    assert live(cut) == live(never)
    for world, has_edge in ((cut, True), (never, False)):
        with unseen(() if has_edge else history[1:]):
            send(world, [(Assurance.VERIFIED, naming(history[1]))])
    assert live(cut) == live(never)


def naming(pair: Pair) -> Event:
    """An event that names these two together, and says so of an earlier time than any other."""
    paths = {"u": "userId", "e": "email", "d": "anonymousId"}
    return event("again", -5, **{paths[told[0]]: told[2:] for told in pair})


@pytest.mark.failure_line(27)
@settings(max_examples=30)
@given(histories(VERIFIED))
def test_merge_then_cut_is_a_world_without_the_edge_and_a_replay_changes_nothing(
    history: History,
) -> None:
    """Law 3 and line 27: traits, timeline, counts, persons and their ids, live and at once."""
    merge_then_cut(history)


@settings(max_examples=15)
@given(histories(VERIFIED))
def test_cut_then_lift_is_a_world_that_was_never_cut(history: History) -> None:
    """Law 3: a lift gives back what the evidence joins."""
    world, never = played(history, has_edge=True), played(history, has_edge=True)
    operators = Operators(world)
    operators.cut(*history[1])
    operators.lift(*history[1])
    assert live(world) == live(never)
    assert all(not root.cannot_links for root in world.roots().values())


@settings(max_examples=15)
@given(histories(VERIFIED), st.data())
def test_events_around_a_cut_may_come_in_any_order(history: History, data: Any) -> None:
    """Law 1 with a cut in the middle: what comes before and what after makes no difference."""
    events, pair = history
    early = data.draw(st.integers(0, len(events)))
    world, never = played((events[:early], pair), has_edge=True), played(history, has_edge=False)
    Operators(world).cut(*pair)
    send(world, list(events)[::-1])
    assert persons_of(world) >= persons_of(never)


def persons_of(world: World) -> set[frozenset[str]]:
    return set(world.persons().values())


def after_runs(history: History, when: int) -> None:
    """The law for lake and view after runs; the cut comes before, between or after them."""
    cut, never = played(history, has_edge=True), played(history, has_edge=False)
    if when == 0:
        Operators(cut).cut(*history[1])
    cut.run()
    if when == 1:
        Operators(cut).cut(*history[1])
        cut.run()
    never.run()
    assert live(cut) == live(never)
    assert lake(cut) == lake(never)
    assert cells(cut) == cells(never)
    send(cut, reversed(history[0]))
    cut.run()
    assert live(cut) == live(never)
    assert lake(cut) == lake(never)


def cells(world: World) -> Any:
    return {
        person_id: {name: told for name, told in row.items() if name not in ("run", "since")}
        for person_id, row in world.cells().items()
    }


@pytest.mark.failure_line(27)
@pytest.mark.failure_line(28)
@settings(max_examples=2)
@given(histories(ANY), st.sampled_from([0, 1]))
def test_after_a_run_merge_then_cut_is_a_world_without_the_edge_cell_by_cell(
    history: History, when: int
) -> None:
    """Law 3, lines 27 and 28: identity, persons, anchors, RFM and the view, claims among them."""
    after_runs(history, when)


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(10))
def test_after_a_run_merge_then_cut_is_that_world_for_many_histories(shard: int) -> None:
    """The same for more histories."""
    stories_of_shard(shard, 20, after_runs, histories(ANY), st.sampled_from([0, 1]))


# each law fails where one rule is left out

SMALL: History = (
    [
        (Assurance.VERIFIED, event("m1", 1, userId="1", email="1@x.nl")),
        (Assurance.VERIFIED, event("m2", 2, userId="1", anonymousId="d1")),
        (Assurance.VERIFIED, event("m3", 3, anonymousId="d2", email="1@x.nl")),
        (Assurance.VERIFIED, event("m4", 4, userId="1", revenue=5)),
        (Assurance.VERIFIED, event("m5", 5, anonymousId="d2", revenue=3)),
    ],
    ("u:1", "e:1@x.nl"),
)


def nameless_facts(found: Survey, *arguments: Any) -> Partition:
    """A part that is a new person names no anchor: its profile is blank."""
    plan = partition(found, *arguments)
    parts = {
        person_id: root if person_id in found.roots else replace(root, anchors=frozenset())
        for person_id, root in plan.targets.items()
    }
    return replace(plan, targets=parts)


def blind_to_cuts(*arguments: Any) -> Reason | None:
    """Live merges do not ask what was cut."""
    why = may_join(*arguments)
    return None if why is Reason.CANNOT_LINK else why


BROKEN = {
    "a new part names no anchor": ("stamgast.identity.cutting.partition", nameless_facts),
    "live merges are blind to cuts": ("stamgast.identity.plan.may_join", blind_to_cuts),
}


@pytest.mark.parametrize("variant", sorted(BROKEN))
def test_the_live_law_fails_without_one_rule(variant: str) -> None:
    merge_then_cut(SMALL)
    with mock.patch(*BROKEN[variant]), pytest.raises(AssertionError):
        merge_then_cut(SMALL)


def test_the_law_after_runs_fails_where_the_lake_forgets_decisions() -> None:
    forgotten = mock.patch("stamgast_lake.loading.rows.CONSTRAINT_ROWS", "")
    rows = "select * from (select 1 as kind) where false"
    with (
        forgotten,
        mock.patch("stamgast_lake.loading.load.DECIDED_MESSAGES", rows),
        pytest.raises(AssertionError),
    ):
        after_runs(SMALL, 0)
