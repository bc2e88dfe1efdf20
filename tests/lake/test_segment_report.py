"""A segment's report says what pandas finds in the events as they were sent."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from math import exp, log, sqrt
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from stamgast.segments.rhythm import rhythm_of, stage_of
from stamgast_cli.errors import InputError
from stamgast_cli.reports.segment import Asked, segment_report
from stamgast_cli.reports.small import Minimum
from stamgast_lake.engine import session
from stamgast_lake.query import LakeSession
from stamgast_lake.reports.stages import stage_sql
from stamgast_lake.rhythm import rhythm_sql
from tests.fakes.small_shop import FIRST_RUN_MS, NOON_AT, NOON_MS, frame, shop
from tests.lake.test_memberships import STAGES, bought
from tests.lake.test_memberships import world as workspaced
from tests.lake.world import World

WEEKS, LEAST, SILENCE = 10, 5, 14


@cache
def report(name: str = "regulars", least: int = LEAST, conversion: str = "Order Completed") -> Any:
    world = shop()
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        asked = Asked(name, WEEKS, conversion, SILENCE, least)
        return segment_report(lake, world.workspace, asked)


@cache
def events() -> pd.DataFrame:
    return frame()


@cache
def members(before_ms: int = NOON_MS) -> frozenset[str]:
    told = events()
    orders = told[told["is_order"] & (told["ms"] < before_ms)].groupby("user").size()
    return frozenset(orders.index[orders >= 3])


def of(group: str) -> pd.DataFrame:
    told = events()
    return told[told["user"].isin(members())] if group == "segment" else told


def everyone_in_the_middle_of_a_run() -> int:
    """How many a report counts while a run has founded a fourth and has not ended."""
    world = workspaced(few="orders.count > 0")
    for buyer in "abc":
        world.send(bought(buyer, f"{buyer}0"), request_id=buyer)
    world.run(STAGES)
    world.send(bought("d", "d0"), request_id="d")
    run = world.open()
    load = world.load(run)
    for stage in STAGES:
        stage(world, run, load)
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        told = segment_report(lake, world.workspace, Asked("few", least=1))
    size: int = told["size"]["everyone"]
    return size


def test_a_report_counts_nobody_of_a_run_that_has_not_ended() -> None:
    assert everyone_in_the_middle_of_a_run() == 3


@pytest.mark.deep
def test_counting_whom_a_run_is_still_making_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LakeSession, "settle", lambda *_: None)
    assert everyone_in_the_middle_of_a_run() == 4


GROUPS = pytest.mark.parametrize("group", ["segment", "everyone"])


def test_it_says_who_as_of_when_and_by_whose_clock() -> None:
    told = report()
    assert told["size"]["segment"] == len(members())
    assert told["size"]["everyone"] == events()["user"].nunique()
    assert told["as_of"] == NOON_AT.isoformat()
    assert (told["time_zone"], told["currency"]) == ("Europe/Amsterdam", "EUR")
    assert told["is_as_the_rule_stands"]


def test_the_size_over_time_is_that_of_each_run() -> None:
    before, after = members(FIRST_RUN_MS), members()
    rows = report(least=1)["size_over_time"]["segment"]
    assert [(row["entered"], row["left"], row["size"]) for row in rows] == [
        (len(before), 0, len(before)),
        (len(after - before), len(before - after), len(after)),
    ]
    everyone = report(least=1)["size_over_time"]["everyone"]
    assert everyone[-1]["size"] == events()["user"].nunique()


@GROUPS
def test_weeks_are_those_of_the_workspaces_time_zone(group: str) -> None:
    told = of(group)
    euros = told[told["is_order"] & (told["currency"] == "EUR")]
    expected = pd.DataFrame(
        {
            "people": told.groupby("week")["user"].nunique(),
            "events": told.groupby("week").size(),
            "buyers": euros.groupby("week")["user"].nunique(),
            "orders": euros.groupby("week").size(),
            "revenue_minor": euros.groupby("week")["cents"].sum(),
        }
    ).fillna(0)
    rows = report(least=1)["activity"][group]
    assert len(rows) == WEEKS
    found = pd.DataFrame(rows).set_index(pd.to_datetime([row["week_on"] for row in rows]))
    expected = expected.reindex(found.index, fill_value=0).astype("int64")
    assert found[list(expected.columns)].astype("int64").equals(expected)
    assert [row["is_whole"] for row in rows] == [True] * (WEEKS - 1) + [False]


@GROUPS
def test_channels_are_counted_by_people_and_events(group: str) -> None:
    told = of(group)
    expected = {name: (part["user"].nunique(), len(part)) for name, part in told.groupby("channel")}
    rows = report(least=1)["channels"][group]["rows"]
    assert {row["channel"]: (row["people"], row["events"]) for row in rows} == expected
    weeks = report(least=1)["channels"][group]["weeks"]
    assert sum(row["events"] for row in weeks) == len(told)


def traits() -> Iterator[tuple[str, str, str, str]]:
    """Who has which trait: user, kind, name, value."""
    for user, told in events().groupby("user"):
        for trait in told["traits"]:
            if trait:
                yield str(user), "trait", "address.city", trait["address"]["city"]
                for tag in trait["tags"]:
                    yield str(user), "trait", "tags", tag
        for channel in told["channel"].unique():
            yield str(user), "channel", channel, "used"
        days = told.loc[told["is_order"], "local"].dt.date
        yield str(user), "lifecycle", "stage", stage_of(rhythm_of(days), NOON_AT.date())


def test_traits_are_counted_in_the_segment_and_in_everyone() -> None:
    everyone, segment = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for user, *row in traits():
        everyone[tuple(row)] += 1
        segment[tuple(row)] += user in members()
    found = {
        (row["kind"], row["name"], row["value"]): (row["segment"], row["everyone"])
        for row in report(least=1)["traits"]["rows"]
    }
    assert everyone
    for row, count in everyone.items():
        assert found[row] == (segment[row], count), row  # type: ignore[index]


def test_numbers_with_many_values_are_quartiles_of_everyone() -> None:
    ages = sorted(
        (trait["age"], user)
        for user, trait in zip(events()["user"], events()["traits"], strict=True)
        if trait
    )
    q = [ages[-(-quarter * len(ages) // 4) - 1][0] for quarter in (1, 2, 3)]
    bands = [(None, q[0]), (q[0], q[1]), (q[1], q[2]), (q[2], None)]
    expected = {
        (low, high): sum(
            (low is None or age > low) and (high is None or age <= high) for age, _ in ages
        )
        for low, high in bands
    }
    rows = [row for row in report(least=1)["traits"]["rows"] if row["name"] == "age"]
    assert {(row["above"], row["up_to"]): row["everyone"] for row in rows} == expected


def test_a_lift_is_one_share_over_the_other_with_katz_interval_carried_over() -> None:
    sizes = report()["size"]
    n, others = sizes["segment"], sizes["everyone"] - sizes["segment"]
    for row in report()["categories"]["rows"]:
        a, b = row["segment"], row["everyone"] - row["segment"]
        assert row["lift"] == pytest.approx((a / n) / (row["everyone"] / sizes["everyone"]))
        if not a or not b:
            continue
        wide = norm.ppf(1 - (1 - row["confidence"]) / 2) * sqrt(1 / a - 1 / n + 1 / b - 1 / others)
        for name, sign in (("lift_low", -1), ("lift_high", 1)):
            ratio = exp(log((a / n) / (b / others)) + sign * wide)
            weight = n / sizes["everyone"]
            assert row[name] == pytest.approx(ratio / (weight * ratio + 1 - weight))


def test_categories_are_counted_by_buyers() -> None:
    told = events().explode("kinds").dropna(subset=["kinds"])
    mine = told[told["user"].isin(members())].groupby("kinds")["user"].nunique().to_dict()
    rows = report()["categories"]["rows"]
    assert {row["name"]: row["segment"] for row in rows} == mine
    assert next(row for row in rows if row["name"] == "Wine")["is_distinguishing"]


def journeys(told: pd.DataFrame) -> Iterator[tuple[str, str, list[str], str | None]]:
    """User, outcome, distinct steps in order, last step: by a loop over each person's events."""
    for user, acts in told.sort_values(["ms", "message"]).groupby("user"):
        steps: list[str] = []
        before: int | None = None
        for ms, step, is_order in zip(acts["ms"], acts["step"], acts["is_order"], strict=True):
            if before is not None and ms - before > SILENCE * 86_400_000:
                yield str(user), "stopped", list(dict.fromkeys(steps)), steps[-1]
                steps = []
            if is_order:
                yield str(user), "converted", list(dict.fromkeys(steps)), None
                steps, before = [], None
            else:
                steps.append(step)
                before = ms
        if before is not None:
            is_open = NOON_MS - before <= SILENCE * 86_400_000
            yield str(user), "open" if is_open else "stopped", list(dict.fromkeys(steps)), steps[-1]


@GROUPS
def test_journeys_end_in_a_conversion_or_in_silence(group: str) -> None:
    expected = Counter(outcome for _, outcome, _, _ in journeys(of(group)))
    outcomes = report(least=1)["conversion"][group]["outcomes"]
    assert {name: one["journeys"] for name, one in outcomes.items()} == {
        name: expected[name] for name in ("converted", "stopped", "open")
    }


@GROUPS
def test_steps_say_which_converters_share_and_where_others_stop(group: str) -> None:
    ended = [one for one in journeys(of(group)) if one[1] != "open"]
    converted = Counter(step for _, how, steps, _ in ended for step in steps if how == "converted")
    stopped = Counter(step for _, how, steps, _ in ended for step in steps if how == "stopped")
    here = Counter(last for _, how, _, last in ended if how == "stopped")
    rows = report(least=1)["conversion"][group]["steps"]
    found = {row["step"]: (row["converted"], row["stopped"], row["stopped_here"]) for row in rows}
    assert found == {
        step: (converted[step], stopped[step], here[step]) for step in converted | stopped
    }


@GROUPS
def test_the_funnel_takes_the_common_steps_in_order(group: str) -> None:
    told = report(least=1)["conversion"]
    assert told["common_steps"] == ["page: Home", "Product Viewed"]
    ended = [one for one in journeys(of(group)) if one[1] != "open"]
    home = [one for one in ended if "page: Home" in one[2]]
    viewed = [one for one in home if one[2][-1] == "Product Viewed" and "page: Home" in one[2][:-1]]
    bought = [one for one in viewed if one[1] == "converted"]
    assert [row["journeys"] for row in told[group]["funnel"]] == [*map(len, (home, viewed, bought))]


def test_another_conversion_leads_to_other_journeys() -> None:
    told = report(conversion="Product Viewed")["conversion"]
    views = (of("segment")["step"] == "Product Viewed").sum()
    assert told["segment"]["outcomes"]["converted"]["journeys"] == views


def test_medians_are_those_of_people() -> None:
    told = of("segment")
    euros = told[told["is_order"] & (told["currency"] == "EUR")].groupby("user")["cents"]
    numbers = report()["persona"]["numbers"]["segment"]
    assert numbers["buyers"] == len(euros)
    assert numbers["revenue_minor"] == euros.sum().sum()
    assert numbers["median_orders"] == euros.size().quantile(0.5, interpolation="lower")
    best = told.groupby([told["local"].dt.day_of_week + 1, told["local"].dt.hour]).size()
    hours = {(row["weekday"], row["hour"]): row["events"] for row in numbers["hours"]}
    assert all(best[place] == count for place, count in hours.items())


def test_no_figure_tells_of_fewer_people_than_the_minimum() -> None:
    assert report(least=20)["traits"]["suppressed"] > report()["traits"]["suppressed"]
    for count in people_in(report(least=20)):
        assert count == 0 or count >= 20
    assert any(0 < count < 20 for count in people_in(report(least=1)))


PEOPLE = {"people", "buyers", "entered", "left", "segment", "everyone", "with_rhythm"}


def people_in(told: Any, name: str = "") -> Iterator[int]:
    """Every count of people in a report."""
    if isinstance(told, dict):
        is_comparison = "everyone_share" in told
        for key, value in told.items():
            if is_comparison and key == "everyone":
                yield value - told["segment"]
            else:
                yield from people_in(value, key)
    elif isinstance(told, list):
        for one in told:
            yield from people_in(one, name)
    elif name in PEOPLE and isinstance(told, int):
        yield told


def test_a_segment_of_few_has_no_figures_and_says_so() -> None:
    told = report("handful", least=10)
    assert told["is_suppressed"]
    assert told["size"]["segment"] is None
    assert "traits" not in told
    assert report("nobody")["size"]["segment"] == 0


def test_who_names_a_person_is_no_trait_of_a_group() -> None:
    names = {row["name"] for row in report(least=1)["traits"]["rows"]}
    assert {"age", "tags", "address.city"} <= names
    assert not names & {"email", "name", "address.street"}


def test_what_the_rule_speaks_of_is_marked() -> None:
    rows = report("wine")["categories"]["rows"]
    assert {row["name"]: row["is_of_the_rule"] for row in rows} == {
        "Wine": True,
        "Bread": False,
        "Milk": False,
    }
    kinds = {row["kind"]: row["is_of_the_rule"] for row in report()["traits"]["rows"]}
    assert (kinds["orders"], kinds["rfm"], kinds["trait"]) == (True, True, False)


def test_everybody_is_compared_with_nobody() -> None:
    rows = report("everybody")["traits"]["rows"]
    assert rows
    assert {row["lift"] for row in rows} == {None}


def test_a_rule_that_no_run_has_asked_yet_is_told() -> None:
    world = shop()
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        newer = replace(world.workspace, version="newer")
        assert not segment_report(lake, newer, Asked("nobody"))["is_as_the_rule_stands"]
    assert report("nobody")["is_as_the_rule_stands"]


@pytest.mark.parametrize("is_asked", [True, False])
def test_members_who_stayed_when_the_rule_was_edited_do_not_make_it_new(is_asked: bool) -> None:
    """They entered by the old version; what the newest run read tells whether it was asked."""
    world = shop()
    edited = tuple({**one, "version": "edited"} for one in world.workspace.segments)
    version = world.workspace.version if is_asked else "newer"
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        newer = replace(world.workspace, segments=edited, version=version)
        told = segment_report(lake, newer, Asked("regulars"))
    assert told["is_as_the_rule_stands"] is is_asked


def test_an_unknown_segment_is_told_which_there_are() -> None:
    with pytest.raises(InputError, match="no segment is called 'regular'") as error:
        report("regular")
    assert "regulars" in error.value.hint


def test_before_the_first_run_there_is_nothing_to_report() -> None:
    world = World(workspace=shop().workspace)
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        with pytest.raises(InputError, match="no run has finished"):
            segment_report(lake, world.workspace, Asked("regulars"))


@pytest.mark.parametrize("count", [0, 9, 10])
def test_nobody_is_no_secret_and_few_are(count: int) -> None:
    row = Minimum(10).row({"people": count, "sum": 5}, ("people",), ("people", "sum"))
    assert row["is_suppressed"] == (count == 9)
    assert (row["sum"] is None) == (count == 9)


@cache
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set threads = 1")
    return connection


days_of = st.lists(st.one_of(st.integers(0, 900), st.integers(850, 900)), max_size=9)


def stages_agree(told: list[list[int]], today: int, stage: Callable[[str], str]) -> bool:
    start = date(2024, 1, 1)
    rows = [(str(n), start + timedelta(day)) for n, days in enumerate(told) for day in days]
    columns = [[row[n] for row in rows] for n in (0, 1)]
    schema = pa.schema({"person_id": pa.string(), "ordered_on": pa.date32()})
    engine().register("order_days", pa.table(dict(zip(schema.names, columns, strict=True)), schema))
    on = start + timedelta(today)
    told_by_sql = stage(f"cast('{on}' as date)")
    sql = f"select rhythm.person_id, {told_by_sql} from ({rhythm_sql('order_days')}) rhythm"
    expected = {
        str(n): stage_of(rhythm_of([start + timedelta(day) for day in days]), on)
        for n, days in enumerate(told)
        if days
    }
    return dict(engine().execute(sql).fetchall()) == expected


histories = st.lists(days_of, min_size=1, max_size=6)
DAYS = st.one_of(st.integers(900, 1_000), st.integers(900, 1_600))


@given(histories, DAYS)
@settings(max_examples=25)
def test_the_stage_in_sql_is_the_stage_of_the_rule(told: list[list[int]], today: int) -> None:
    assert stages_agree(told, today, stage_sql)


MONTHLY, TWICE = [*range(0, 801, 100)], [0, 30]


@pytest.mark.parametrize(
    ("right", "wrong", "days", "today"),
    [
        ("> coalesce(3 *", "> coalesce(2 *", MONTHLY, 1_300),
        ("order_days = 1", "order_days = 2", TWICE, 40),
    ],
)
def test_a_stage_in_sql_that_goes_wrong_is_found(
    right: str, wrong: str, days: list[int], today: int
) -> None:
    def broken(today: str) -> str:
        assert right in stage_sql(today)
        return stage_sql(today).replace(right, wrong)

    assert stages_agree([days], today, stage_sql)
    assert not stages_agree([days], today, broken)
