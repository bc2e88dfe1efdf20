"""How identity is doing, measured over the tables and over both views."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from stamgast.identity.explain.drift import drift_of
from stamgast.identity.root import RootState
from stamgast.identity.store import PutRoot
from stamgast.metrics import Metric
from stamgast_lake.health import binned, emitted, findings_of, known_pairs, measure, sample
from tests.lake.test_laws import history, lake_persons
from tests.lake.world import World, publish, resolve


def world_of(seed: int) -> World:
    world = World()
    for number, one in enumerate(history(Random(seed))):
        told = {"received_ms": one.received_ms, "assurance": one.assurance}
        world.send({**one.body, "messageId": f"n{number}"}, request_id=f"q{number}", **told)
    world.run((resolve, publish))
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(2)


def drift(world: World) -> dict[str, float | int]:
    return drift_of(
        world.identity, sample(world.lake, "r"), lambda pairs: known_pairs(world.lake, pairs)
    )


def test_sizes_and_counts_are_those_of_the_persons(world: World) -> None:
    figures, persons = measure(world.lake), lake_persons(world)
    assert figures["persons"] == len(persons)
    assert figures["identifiers"] == sum(map(len, persons.values()))
    assert figures["largest_person"] == max(map(len, persons.values()))
    assert sum(figures["sizes"].values()) == len(persons)
    spaces = Counter(key[0] for keys in persons.values() for key in keys)
    assert {name: one["identifiers"] for name, one in figures["by_namespace"].items()} == spaces


def test_the_most_shared_values_come_first_by_their_keys_alone(world: World) -> None:
    shared = measure(world.lake)["shared"]
    counts = [one["neighbours"] for one in shared]
    assert counts == sorted(counts, reverse=True)
    assert all("@" not in one["key"] for one in shared)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({}, {}),
        ({1: 3, 2: 1}, {"1": 3, "2": 1}),
        ({6: 1, 10: 2, 11: 1, 5000: 1}, {"6-10": 3, "11-20": 1, "1001+": 1}),
    ],
)
def test_sizes_fall_into_bins(sizes: dict[int, int], told: dict[str, int]) -> None:
    assert binned(sizes) == told


def test_after_a_run_nothing_drifts(world: World) -> None:
    told = drift(world)
    assert told["same"] == told["sampled"] > 0
    assert told["share"] == 0


def test_what_events_moved_since_the_run_is_ahead_and_no_drift() -> None:
    world = world_of(3)
    members = sorted(lake_persons(world).values(), key=len)
    assert drift(world)["ahead"] == 0
    world.send(
        {"type": "identify", "userId": "new", "anonymousId": "d0", "messageId": "late"},
        request_id="late",
    )
    told = drift(world)
    assert told["drifting"] == 0
    assert members


def test_a_live_person_that_no_evidence_explains_drifts() -> None:
    world = World()
    for name in ("a", "b"):
        body = {"type": "identify", "userId": name, "anonymousId": name, "messageId": name}
        world.send(body, request_id=name)
    world.run((resolve, publish))
    (_, root), (other, _) = sorted(world.roots().items())
    gone = replace(root, state=RootState.MERGED, into=other, version=root.version + 1)
    world.identity.commit([PutRoot(gone, (root.version, root.state))])
    told = drift(world)
    assert told["drifting"] == told["apart"] == len(root.members)


def test_what_the_live_view_lost_is_absent() -> None:
    world = world_of(2)
    world.dynamodb.tables["profiles"].clear()
    told = drift(world)
    assert told["absent"] == told["sampled"] > 0
    assert told["share"] == 1.0


def test_metrics_are_sums_of_the_figures(world: World) -> None:
    figures = {**measure(world.lake), "drift": drift(world)}
    told = emitted({**figures, "findings": []})
    assert told[Metric.HEALTH_LARGEST_PERSON] == figures["largest_person"]
    assert told[Metric.HEALTH_EDGES_REFUSED] == sum(figures["refused"].values())
    assert set(told) == {metric for metric in Metric if metric.value.startswith("Health")}


@pytest.mark.parametrize(
    ("share", "largest", "told"),
    [
        (0.0, 1, []),
        (0.01, 1, ["drift"]),
        (0.0, 150, ["large_person"]),
        (1.0, 200, ["drift", "large_person"]),
    ],
)
def test_drift_and_persons_near_the_limit_are_findings(
    share: float, largest: int, told: list[str]
) -> None:
    assert findings_of({"drift": {"share": share}, "largest_person": largest}, 200) == told
