"""Live rules from bases and tails agree with all events, however they are spread over both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.identity.settings import DEFAULT
from stamgast.profile.facts import Digest
from stamgast.profile.items import Base, Live
from stamgast.segments.language import partial
from stamgast.segments.language.check import checked
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.rules import Rule, rules_of
from stamgast.segments.language.tree import Function, Hours
from stamgast.segments.language.view import View
from stamgast.segments.language.windows import Now
from stamgast.segments.live import base as base_module
from stamgast.segments.live.base import Sums, counted_of, measured_of, measured_seen
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.freshness import rules_that_wait
from stamgast.segments.live.history import LiveHistory, NotKnownError, together
from stamgast.segments.live.plan import LivePlan, plan_of
from stamgast.workspace.model import Workspace
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules.sums import SumsOfAnchors
from tests.parity.rule_cases import DAY_MS, HOUR_MS, conditions, nows, people
from tests.parity.rule_world import EVENT, Happening, Someone, by_python
from tests.parity.test_rules import NOW, SCHEMA

RUN = 7
ANCHORED = pa.schema([*EVENT, pa.field("anchor_key", pa.string())])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


def compiled(texts: Sequence[str], schema: Schema = SCHEMA) -> tuple[Rule, ...]:
    return rules_of({f"s{n}": checked(text, schema)[0] for n, text in enumerate(texts)})


def plan_for(rules: Sequence[Rule], zone: str) -> LivePlan:
    """The plan of a workspace of which these rules are live."""
    waits = rules_that_wait(rules, {})
    documents = tuple({**rule.document, "live": waits[rule.name] is None} for rule in rules)
    return plan_of(Workspace("1", zone, {}, DEFAULT, segments=documents))


@dataclass(frozen=True)
class Place:
    """Where an event is kept: under which anchor, in its base or in its tail."""

    anchor: str
    is_in_base: bool


def pairs_of(
    engine: DuckDBPyConnection,
    plan: LivePlan,
    person: Someone,
    places: Sequence[Place],
    moment: Now,
) -> list[tuple[Live, Base]]:
    """The items of two anchors, the bases as a run publishes them at a moment."""
    sums = run_sums(engine, plan, person, places, moment)
    found = []
    for anchor in ("a", "b"):
        told = measured_of(sums.get(anchor, Sums()), plan, moment)
        measured = orjson.loads(orjson.dumps(told))
        tail = tuple(
            digest_of(one, plan)
            for one, place in zip(person.events, places, strict=True)
            if place.anchor == anchor and not place.is_in_base
        )
        base = Base(RUN, 0, moment.ms, measured=measured)
        found.append((Live(tail=tail), base))
    return found


def run_sums(
    engine: DuckDBPyConnection,
    plan: LivePlan,
    person: Someone,
    places: Sequence[Place],
    moment: Now,
) -> dict[str, Sums]:
    rows = [
        {**one.row(person.person_id, person.currency), "anchor_key": place.anchor}
        for one, place in zip(person.events, places, strict=True)
        if place.is_in_base
    ]
    engine.register("events", pa.Table.from_pylist(rows, ANCHORED))
    engine.execute("create or replace temp table page_anchor as select 'a' as anchor_key")
    engine.execute("insert into page_anchor values ('b')")
    sums = SumsOfAnchors(engine, plan, moment)
    if not plan.tracked:
        return {}
    sums.make("page_anchor")
    return sums.page()


def digest_of(one: Happening, plan: LivePlan) -> Digest:
    document = one.document
    view = View({}, LiveHistory(plan, together([], plan)), Now(one.at_ms, plan.zone))
    view.event = document
    told = tuple(plan._told(view, document))
    told = tuple((place, c, orjson.loads(orjson.dumps(state))) for place, c, state in told)
    return Digest(one.key, one.at_ms, one.at_ms, "x", plan=plan.id, told=told)


def by_items(
    plan: LivePlan, person: Someone, pairs: Sequence[tuple[Live, Base]], now: Now
) -> dict[str, bool]:
    covered = Coverage({tracked.id: 1 for tracked in plan.tracked}, RUN, now.ms)
    counted = together([counted_of(*pair, plan, covered) for pair in pairs], plan)
    view = View(person.columns, LiveHistory(plan, counted), now)
    for rule in plan.rules:
        view.is_in[rule.name] = rule.reader(view) is True
    return view.is_in


def agree(engine: DuckDBPyConnection, data: st.DataObject) -> None:
    now = data.draw(nows())
    kept = data.draw(st.sampled_from([text for text, _ in RULES.values()]))
    rules = compiled([*data.draw(st.lists(conditions(), max_size=5)), kept])
    plan = plan_for(rules, now.zone.key)
    assert plan.tracked
    moment = replace(now, ms=now.ms - data.draw(st.integers(0, 100)) * HOUR_MS // 2)
    for person in data.draw(people(now)):
        places = [
            Place(data.draw(st.sampled_from("ab")), data.draw(st.booleans())) for _ in person.events
        ]
        pairs = pairs_of(engine, plan, person, places, moment)
        told = by_items(plan, person, pairs, now)
        expected = by_python(rules, [person], now)
        assert told == {rule.name: bool(expected[rule.name]) for rule in plan.rules}


@settings(max_examples=25, phases=[Phase.explicit, Phase.generate])
@given(st.data())
def test_live_rules_say_what_all_events_say(
    engine: DuckDBPyConnection, data: st.DataObject
) -> None:
    agree(engine, data)


@pytest.mark.deep
@settings(max_examples=400, phases=[Phase.explicit, Phase.generate])
@given(st.data())
def test_live_rules_say_what_all_events_say_for_many_more(
    engine: DuckDBPyConnection, data: st.DataObject
) -> None:
    agree(engine, data)


def at(hours: float, name: str = "Seen", key: str = "k") -> Happening:
    return Happening(f"{key}{hours}", NOW.ms - int(hours * HOUR_MS), name, {"x": hours})


RULES = {
    "an old day is kept for a lifetime": ("count(event = 'Seen') = 2", (900, 1)),
    "a window of hours sees what a base holds": ("count(last 24 hours) = 1", (30, 20)),
    "what is to come counts when it has": ("count(last 1 day) = 1", (2, -2)),
    "a late event counts on its own day": ("count(between 1 and 3 days ago) = 1", (48, 0.5)),
    "a day leaves the window": ("count(last 2 days) = 1", (60, 1)),
}


def decide(engine: DuckDBPyConnection, name: str, is_in_base: bool) -> bool:
    """Whether the person of a case is in, with the events in bases or in tails."""
    text, hours = RULES[name]
    rules = compiled([text])
    plan = plan_for(rules, NOW.zone.key)
    person = Someone("p", [at(one) for one in hours])
    places = [Place("ab"[n % 2], is_in_base) for n in range(len(hours))]
    moment = replace(NOW, ms=NOW.ms - 6 * HOUR_MS)
    return by_items(plan, person, pairs_of(engine, plan, person, places, moment), NOW)["s0"]


@pytest.mark.parametrize("is_in_base", [True, False])
@pytest.mark.parametrize("name", RULES)
def test_each_kind_of_window_is_right_in_bases_and_in_tails(
    engine: DuckDBPyConnection, name: str, is_in_base: bool
) -> None:
    assert decide(engine, name, is_in_base)


def forgetting(windows: Any, now: Now) -> tuple[int, bool]:
    """Keeps no day of before today."""
    return now.today.toordinal(), False


BROKEN = {
    "an old day is kept for a lifetime": ("kept_from", forgetting),
    "a late event counts on its own day": ("kept_from", forgetting),
    "a window of hours sees what a base holds": ("timed_from", lambda _, ms: ms + 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_base_that_keeps_too_little_is_found(
    engine: DuckDBPyConnection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, broken = BROKEN[name]
    monkeypatch.setattr(base_module, what, broken)
    monkeypatch.setattr(f"stamgast_lake.rules.sums.{what}", broken)
    assert not decide(engine, name, is_in_base=True)


def test_a_tail_that_adds_beside_its_day_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = dict(partial.EMPTY) | {Function.COUNT: 1}
    monkeypatch.setattr("stamgast.segments.live.history.EMPTY", both)
    assert not decide(engine, "a late event counts on its own day", is_in_base=False)


def test_items_of_another_plan_or_an_uncovered_measure_are_not_known() -> None:
    rules = compiled(["count(event = 'Seen', last 7 days) >= 1"])
    plan = plan_for(rules, "UTC")
    person = Someone("p", [at(1)])
    foreign = replace(digest_of(at(1), plan), plan=plan.id + 1)
    for live, base in ((Live(tail=(foreign,)), Base()), (Live(), Base(RUN, 0, NOW.ms))):
        counted = together([counted_of(live, base, plan, Coverage())], plan)
        view = View(person.columns, LiveHistory(plan, counted), NOW)
        with pytest.raises(NotKnownError):
            plan.rules[0].reader(view)


def test_a_run_sees_when_a_reader_would_count_the_same(engine: DuckDBPyConnection) -> None:
    rules = compiled(
        ["count(last 3 days) >= 1 and count(last 5 hours) >= 0 and sum(properties.x) > 0"]
    )
    plan = plan_for(rules, NOW.zone.key)
    person = Someone("p", [at(1), at(30), at(400)])
    in_base = [Place("a", True)] * 3
    ((_, whole), _) = pairs_of(engine, plan, person, in_base, NOW)
    mixed = [Place("a", True), Place("a", False), Place("a", False)]
    earlier = replace(NOW, ms=NOW.ms - DAY_MS // 2)
    ((live, base), _) = pairs_of(engine, plan, person, mixed, earlier)
    assert measured_seen(live, base, plan, NOW) == whole.measured
    assert measured_seen(Live(), base, plan, NOW) != whole.measured


def test_hours_are_the_only_windows_that_keep_instants_of_the_past(
    engine: DuckDBPyConnection,
) -> None:
    plan = plan_for(
        compiled(["count(last 30 days) > 0", "count(event = 'Seen', last 6 hours) > 0"]), "UTC"
    )
    ((_, base), _) = pairs_of(engine, plan, Someone("p", [at(1)]), [Place("a", True)], NOW)
    kept = {t.id: base.measured[t.id][""]["t"] for t in plan.tracked}
    hours = [t.id for t in plan.tracked if any(isinstance(w, Hours) for w in t.windows)]
    assert [name for name, instants in kept.items() if instants] == hours
