"""The past equals what was current then, for random histories whose events come late."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from duckdb import DuckDBPyConnection, InvalidInputException

from stamgast.identity.assurance import Assurance
from stamgast.moments import CLOCKS_DIFFER, moment_of
from stamgast_lake import past
from stamgast_lake.explain import past_of
from stamgast_lake.past import MACROS, Macro, refuse_ahead
from stamgast_lake.past_profile import profile_then, timeline_then
from stamgast_lake.query import LakeSession
from stamgast_lake.tables import IDENTITY
from tests.lake.test_laws import history
from tests.lake.thorough import seeds
from tests.lake.world import NOON_MS, World, evaluate, resolve, unify

SEEDS = range(2)
HOUR_MS = 3_600_000
COMPUTING = (resolve, unify, evaluate)
LOGS = ("identity", "persons", "profiles", "rfm", "anchors")
TOLD = ("identity", "persons", "profiles", "anchors", "evidence", "events_by_person")
Rows = dict[str, set[str]]


def rows(lake: LakeSession, source: str) -> set[str]:
    return {repr(sorted(row.items())) for row in lake.rows(f"select * from {source}")}


def session_of(engine: DuckDBPyConnection, world: World) -> LakeSession:
    return LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]


def live_through(engine: DuckDBPyConnection, seed: int) -> tuple[World, list[tuple[int, Rows]]]:
    """A history that comes in any order, with what was current after each of its runs."""
    world, rng, seen = World(), Random(seed), []
    sent = history(rng)
    rng.shuffle(sent)
    while sent:
        world.now_ms += rng.randrange(1, 5) * HOUR_MS
        for _ in range(min(len(sent), rng.randrange(2, 12))):
            one = sent.pop()
            world.send(
                one.body,
                received_ms=world.now_ms - 1,
                assurance=one.assurance,
                request_id=f"q{len(sent)}",
            )
        world.run(COMPUTING)
        lake = session_of(engine, world)
        seen.append((world.now_ms, {log: rows(lake, f"{log}_current") for log in LOGS}))
    return world, seen


def differences(engine: DuckDBPyConnection, seed: int) -> list[tuple[int, str]]:
    """Where the past as it is told now is not what was current in it."""
    world, seen = live_through(engine, seed)
    lake, found = session_of(engine, world), []
    ends = [*[ms for ms, _ in seen][1:], world.now_ms + HOUR_MS]
    for (at_ms, then), end_ms in zip(seen, ends, strict=True):
        for ms in {at_ms, Random(at_ms).choice([at_ms, end_ms - 1])}:
            moment = f"'{moment_of(ms).isoformat()}'"
            told = {log: rows(lake, f"{log}_as_of({moment})") for log in LOGS}
            found += [(ms, log) for log in LOGS if told[log] != then[log]]
    return found


@pytest.mark.parametrize("seed", seeds(SEEDS, range(2, 40)))
def test_the_past_is_what_was_current_then(engine: DuckDBPyConnection, seed: int) -> None:
    assert differences(engine, seed) == []


def newest_first(macro: Macro) -> Macro:
    """Numbers the rows of all time, and looks at their moment afterwards (line 28)."""
    until = f"recorded_at <= {past.MOMENT}"
    sql = macro.sql.replace(f" where {until})", ")").replace("nth = 1", f"nth = 1 and {until}")
    return replace(macro, sql=sql)


def before_it(macro: Macro) -> Macro:
    """Leaves the moment itself out."""
    return replace(macro, sql=macro.sql.replace("recorded_at <=", "recorded_at <"))


@pytest.fixture(params=[newest_first, before_it])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {name: request.param(macro) for name, macro in MACROS.items()}
    monkeypatch.setattr("stamgast_lake.query.MACROS", wrong)


@pytest.mark.deep
@pytest.mark.failure_line(28)
@pytest.mark.usefixtures("broken")
def test_a_past_that_filters_after_it_takes_the_latest_is_found_out(
    engine: DuckDBPyConnection,
) -> None:
    """Line 28: the latest row is taken of those of the time, not filtered when it is too late."""
    assert any(differences(engine, seed) for seed in SEEDS)


def test_nothing_was_known_before_the_first_run(engine: DuckDBPyConnection) -> None:
    world = World()
    world.send({"type": "track", "event": "Seen", "anonymousId": "d", "messageId": "1"})
    world.run(COMPUTING)
    lake = session_of(engine, world)
    moment = f"'{moment_of(NOON_MS - HOUR_MS).isoformat()}'"
    assert [rows(lake, f"{log}_as_of({moment})") for log in LOGS] == [set()] * len(LOGS)


def answered(engine: DuckDBPyConnection, ahead: timedelta) -> list[str]:
    """The macros that answer for a moment this far ahead of when they are asked."""
    world = World()
    world.send({"type": "identify", "userId": "u", "anonymousId": "d", "messageId": "1"})
    world.run(COMPUTING)
    asking = engine.cursor()
    refuse_ahead(asking, moment_of(world.now_ms))
    lake, told = session_of(asking, world), []
    for log in TOLD:
        source = f"{log}_as_of('{(moment_of(world.now_ms) + ahead).isoformat()}')"
        with suppress(InvalidInputException):
            assert rows(lake, source)
            told.append(log)
    return told


def test_a_moment_ahead_is_refused_and_clocks_may_differ(
    engine: DuckDBPyConnection,
) -> None:
    assert len(answered(engine, CLOCKS_DIFFER)) == len(TOLD)
    assert answered(engine, CLOCKS_DIFFER + timedelta(seconds=1)) == []


def test_a_refusal_says_why(engine: DuckDBPyConnection) -> None:
    world, asking = World(), engine.cursor()
    world.send({"type": "identify", "userId": "u", "messageId": "1"})
    world.run(COMPUTING)
    refuse_ahead(asking, moment_of(NOON_MS))
    with pytest.raises(InvalidInputException, match="lies ahead of now"):
        session_of(asking, world).rows("select * from identity_as_of('2126-01-01')")


def test_macros_that_do_not_ask_when_it_is_would_be_seen(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = f"getvariable('{past.LATEST}')"
    wrong = {
        name: replace(macro, sql=macro.sql.replace(bound, "null")) for name, macro in MACROS.items()
    }
    monkeypatch.setattr("stamgast_lake.query.MACROS", wrong)
    assert answered(engine, CLOCKS_DIFFER + timedelta(seconds=1))


def test_events_belong_to_the_person_of_the_time(engine: DuckDBPyConnection) -> None:
    world = World()
    world.send({"type": "track", "event": "Seen", "anonymousId": "d", "messageId": "1"})
    world.run(COMPUTING)
    first = moment_of(world.now_ms)
    world.now_ms += HOUR_MS
    told: dict[str, Any] = {"type": "identify", "userId": "u", "anonymousId": "d"}
    world.send({**told, "messageId": "2"}, received_ms=world.now_ms, request_id="r2")
    world.run(COMPUTING)
    lake = session_of(engine, world)
    then = lake.rows(f"select * from events_by_person_as_of('{first.isoformat()}')")
    assert [row["message_id"] for row in then] == ["1"]
    now = lake.rows(
        f"select * from events_by_person_as_of('{moment_of(world.now_ms).isoformat()}')"
    )
    assert {row["message_id"] for row in now} == {"1", "2"}
    assert len({row["person_id"] for row in now}) == 1


def test_every_value_of_a_profile_knows_its_event_source_and_assurance(
    engine: DuckDBPyConnection,
) -> None:
    world = World()
    told: dict[str, Any] = {"type": "identify", "userId": "u", "traits": {"plan": "a"}}
    world.send({**told, "messageId": "1"}, assurance=Assurance.CLAIMED)
    world.run(COMPUTING)
    first = moment_of(world.now_ms)
    world.now_ms += HOUR_MS
    world.send(
        {**told, "traits": {"plan": "b"}, "messageId": "2"},
        received_ms=world.now_ms,
        request_id="r2",
        source_id="server",
    )
    world.run(COMPUTING)
    [key] = {row["identifier"] for row in world.catalogue.rows(IDENTITY)}
    with past_of(world.lake, first) as then:
        profile = profile_then(then, key)
        assert profile is not None
        plan = profile["traits"]["plan"]
        assert (plan["value"], plan["assurance"], plan["source_id"]) == ("a", "claimed", "web")
        assert plan["said_by"]["message_id"] == "1"
        assert timeline_then(then, "d:unknown", 5) is None
    with past_of(world.lake, moment_of(world.now_ms)) as then:
        profile, timeline = profile_then(then, key), timeline_then(then, key, 5)
        assert profile is not None
        assert timeline is not None
        assert profile["traits"]["plan"]["said_by"]["source"] == "server"
        assert [event["message_id"] for event in timeline["events"]] == ["2", "1"]
