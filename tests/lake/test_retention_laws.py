"""What is past its days is gone from lake and live view, and nothing else is.

The fold of what is left is the oracle: of events within their days, and of words of consent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from random import Random
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest

from stamgast.identity.event import Event
from stamgast.moments import moment_of
from stamgast.profile.facts import NOTHING, merge
from stamgast.retention import PropertyClass, Retention
from stamgast_lake import profiles
from stamgast_lake.engine import connect
from stamgast_lake.publishing import anchors as publishing_anchors
from stamgast_lake.retention import endings
from stamgast_lake.retention.aged import SCHEMA
from stamgast_lake.retention.done import Done
from stamgast_lake.retention.events import age_events, past_events
from stamgast_lake.runs import Run
from stamgast_lake.tables import EVENTS
from tests.lake.copies import TOLD, facts_of_anchors
from tests.lake.test_laws import lake_facts, lake_persons, persons_of
from tests.lake.thorough import seeds
from tests.lake.world import NOON_MS, WORKSPACE, World, resolve

DAY_MS = 86_400_000
PLACES = PropertyClass("places", 5, (("traits", "town"), ("properties", "street")))
RETENTION = Retention({"events": 20}, (PLACES,))
SEEDS, MORE_SEEDS = range(2), range(2, 30)
TODAY_MS = NOON_MS + 30 * DAY_MS


def aged(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
    done = Done.read(world.lake)
    with mock.patch("stamgast_lake.engine.connect", connect):  # functions are of one database
        count, _ = age_events(world.lake, run.run_id, run.seq, run.moment.date(), done)
    done.write(world.lake)
    return {"aged": count}


STAGES = (aged, *TOLD)


def world_of(retention: Retention = RETENTION) -> World:
    return World(workspace=replace(WORKSPACE, retention=retention))


def say(world: World, n: int, days: float, body: Mapping[str, Any]) -> None:
    """An event so many days before today, received when it happened."""
    at = TODAY_MS - int(days * DAY_MS)
    world.now_ms = at
    told = {"messageId": f"m{n}", "timestamp": moment_of(at).isoformat(), **body}
    world.send(told, request_id=f"q{n}", received_ms=at)


def body_of(random: Random) -> dict[str, Any]:
    who = random.choice(("d1", "d2", "d3"))
    traits = {"email": f"e{who[1]}@x.org"} if random.random() < 0.5 else {}
    traits |= {"town": random.choice("ABC")} if random.random() < 0.5 else {}
    traits |= {"colour": random.choice(("red", "blue"))} if random.random() < 0.5 else {}
    if random.random() < 0.3:
        traits["consent"] = {"email": random.random() < 0.5}
    properties = {"street": "High Street", "seen": 1}
    return {"type": "identify", "anonymousId": who, "traits": traits, "properties": properties}


def left_of(events: list[Event], today_ms: int = TODAY_MS) -> list[Event]:
    """What a law that knows nothing of tables leaves of each event."""
    found = []
    today = moment_of(today_ms).date()
    for event in events:
        age = (today - moment_of(event.event_ms).date()).days
        traits = dict(event.traits)
        if age > PLACES.days:
            traits.pop("town", None)
        if age > RETENTION.days["events"]:
            traits = {name: one for name, one in traits.items() if name.startswith("$consent.")}
            if not traits:
                continue
        found.append(replace(event, traits=traits))
    return found


def check(world: World) -> None:
    """Lake and live view tell what is left; persons are whoever they were."""
    events = world.events()
    expected, said = persons_of(events), facts_of_anchors(left_of(events))
    whole = {
        p: reduce(merge, (said[k] for k in keys if k in said), NOTHING)
        for p, keys in expected.items()
    }
    facts = {p: one for p, one in whole.items() if one.counters}
    assert lake_persons(world) == expected
    told = {p: f for p, f in lake_facts(world).items() if f.counters}
    assert told == facts
    shown = {p: f for p, f in world.profiles().items() if f.counters}
    assert shown == facts
    check_rows(world)


def check_rows(world: World) -> None:
    """No row tells what is past its days."""
    today = moment_of(TODAY_MS).date()
    for row in world.catalogue.rows(EVENTS):
        age = (today - row["event_on"]).days
        text = f"{row['traits']} {row['properties']}"
        assert age <= PLACES.days or not ("town" in text or "street" in text)
        assert age <= RETENTION.days["events"] or row["properties"] is None


def story(seed: int) -> World:
    """Events over forty days; a run now and then, and two at the end, one with latecomers."""
    random, world = Random(seed), world_of()
    days = sorted((random.uniform(0, 40) for _ in range(24)), reverse=True)
    for n, ago in enumerate(days):
        say(world, n, ago, body_of(random))
        if random.random() < 0.25:
            world.run(STAGES, TODAY_MS - int(ago * DAY_MS) + 1)
    world.run(STAGES, TODAY_MS)
    late = {"type": "identify", "anonymousId": "d1", "traits": {"town": "D"}}
    say(world, 99, 12, late)
    say(world, 100, 25, {**late, "traits": {"size": "XL"}})
    world.run(STAGES, TODAY_MS + 1)
    return world


@pytest.mark.parametrize("seed", seeds(SEEDS, MORE_SEEDS))
def test_lake_and_live_view_tell_what_is_within_its_days(seed: int) -> None:
    check(story(seed))


def forgets_to_refold() -> Any:
    nobody = pa.table({"key": pa.array([], pa.string())})
    return mock.patch.object(profiles, "anchors_of", return_value=nobody)


def forgets_the_live_view() -> Any:
    nothing = SCHEMA.empty_table()
    return mock.patch.object(publishing_anchors, "owed", return_value=nothing)


def forgets_words() -> Any:
    return mock.patch.object(endings, "_words_of", new=_none)


def _none(_text: str) -> str:
    return ""


def check_all(some: range) -> None:
    for seed in some:
        check(story(seed))


@pytest.mark.parametrize("broken", [forgets_to_refold, forgets_the_live_view, forgets_words])
def test_one_that_forgets_to_fold_anew_or_what_was_agreed_is_found_out(
    broken: Callable[[], Any],
) -> None:
    with broken(), pytest.raises(AssertionError):
        check_all(range(4))


def test_a_run_takes_up_what_a_failed_one_took_out() -> None:
    world = world_of()
    say(world, 1, 21, {"type": "identify", "anonymousId": "d1", "traits": {"colour": "red"}})
    say(world, 2, 10, {"type": "identify", "anonymousId": "d1", "traits": {"town": "A"}})
    world.run(TOLD, TODAY_MS - 9 * DAY_MS)
    run = world.open(TODAY_MS)
    world.load(run)
    assert aged(world, run, {})["aged"] == 2
    world.close(run, "failed")
    world.run(STAGES, TODAY_MS + 1)
    check(world)


def test_what_was_enforced_is_not_read_again_and_another_limit_is() -> None:
    world = world_of()
    say(world, 1, 15, {"type": "identify", "anonymousId": "d1", "traits": {"colour": "red"}})
    world.run(STAGES, TODAY_MS)
    with mock.patch("stamgast_lake.retention.events._age", return_value=0) as read:
        world.run(STAGES, TODAY_MS + 1)
    assert [call.args[4] for call in read.call_args_list] == [(), ()]
    world.workspace = replace(WORKSPACE, retention=Retention({"events": 10}))
    with mock.patch("stamgast_lake.engine.connect", connect):
        assert past_events(world.lake, moment_of(TODAY_MS).date()) == {"events": 1}
    assert world.run(STAGES, TODAY_MS + 2)["aged"] == {"aged": 1}
    assert world.catalogue.rows(EVENTS) == []


def test_many_rows_end_in_parts_and_the_oldest_first() -> None:
    world = world_of(Retention({"events": 5}))
    for n in range(4):
        say(world, n, 20 - n, {"type": "identify", "anonymousId": "d1", "traits": {"n": n}})
    world.run(TOLD, TODAY_MS - 10 * DAY_MS)
    days = []
    with mock.patch("stamgast_lake.retention.events.MOST_ROWS", 2):
        for after in (0, 1):
            assert world.run(STAGES, TODAY_MS + after)["aged"] == {"aged": 2}
            days.append(len(world.catalogue.rows(EVENTS)))
    assert days == [2, 0]


def test_a_repeat_of_a_call_that_died_between_parts_forgets_none_of_them() -> None:
    world = world_of(Retention({"events": 5}))
    for n in range(4):
        said = {"type": "identify", "anonymousId": f"d{n % 2}", "traits": {"n": n}}
        say(world, n, 20 - n // 2, said)
    world.run(TOLD, TODAY_MS - 10 * DAY_MS)
    run = world.open(TODAY_MS)
    load = world.load(run)
    with mock.patch("stamgast_lake.retention.events.MOST_ROWS", 2):
        counts = [age_once(world, run) for _ in range(3)]
    assert counts == [2, 2, 0]
    for stage in TOLD:
        stage(world, run, load)
    world.close(run)
    assert not any(facts.counters for facts in lake_facts(world).values())
    assert not any(facts.counters for facts in world.profiles().values())


def age_once(world: World, run: Run) -> int:
    """A call that dies before it writes down how far it came."""
    today = run.moment.date()
    return age_events(world.lake, run.run_id, run.seq, today, Done())[0]


def test_identity_stays_when_the_events_that_told_it_end() -> None:
    world = world_of(Retention({"events": 5}))
    body = {"type": "identify", "anonymousId": "d1", "traits": {"email": "e1@x.org"}}
    say(world, 1, 9, body)
    world.run((resolve, *TOLD[1:]), TODAY_MS - 8 * DAY_MS)
    before = lake_persons(world)
    world.run(STAGES, TODAY_MS)
    assert lake_persons(world) == before
    assert world.catalogue.rows(EVENTS) == []
    assert all(not f.counters and not f.traits for f in world.profiles().values())


def test_a_timeline_is_no_longer_than_what_it_shows() -> None:
    assert RETENTION.timeline_days(90) == PLACES.days
    assert Retention({"events": 20}).timeline_days(90) == 20
    assert Retention({}, (replace(PLACES, paths=(("traits", "town"),)),)).timeline_days(90) == 90
    assert Retention().timeline_days(90) == 90
