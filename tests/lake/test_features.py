"""Features know nothing of the cut-off or after it, outcomes nothing before it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.models.declaration import Feature, Kind, Model
from stamgast.models.features import DEFAULT_FEATURES, FEATURE_DOCS
from stamgast.segments.language.check import compile_filter, compile_rule, compile_value
from stamgast.segments.language.names import Scope
from stamgast_lake.engine import session
from stamgast_lake.features import known_as, measured, received
from stamgast_lake.features.measured import CutOff
from stamgast_lake.features.panel import Asked, cut_offs_of, fill

ZONE = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 1, 1, tzinfo=UTC)
CUT = CutOff(date(2026, 3, 1), ZONE)
NAMES = ("Order Completed", "Product Viewed", "Order Cancelled")
FIELDS = pa.schema(
    {
        "person_id": pa.string(),
        "message_key": pa.string(),
        "event_at": pa.timestamp("us", "UTC"),
        "received_at": pa.timestamp("us", "UTC"),
        "event": pa.string(),
        "type": pa.string(),
        "source_id": pa.string(),
        "order_id": pa.string(),
        "revenue_minor": pa.int64(),
        "currency": pa.string(),
        "products": pa.list_(pa.struct({"product_id": pa.string(), "category": pa.string()})),
        "properties": pa.string(),
        "campaign": pa.string(),
        "page": pa.string(),
        "context": pa.string(),
        "traits": pa.string(),
        "assurance": pa.int32(),
    }
)


@dataclass(frozen=True)
class Happened:
    """An event of a test: whose, how many hours after the start, what, and for how much."""

    person: int
    hours: int
    event: str
    minor: int
    city: str | None = None
    late_hours: int = 0
    currency: str = "EUR"

    def row(self, place: int) -> dict[str, object]:
        """The event as the relation `person_event` has it."""
        bought = self.event == "Order Completed"
        return {
            "person_id": f"p{self.person}",
            "message_key": f"m{place:05}",
            "event_at": START + timedelta(hours=self.hours),
            "received_at": START + timedelta(hours=self.hours + self.late_hours),
            "event": self.event,
            "type": "track",
            "source_id": "shop",
            "order_id": f"o{place}" if bought else None,
            "revenue_minor": self.minor if bought else None,
            "currency": self.currency if bought else None,
            "properties": "{}",
            "traits": None if self.city is None else json.dumps({"city": self.city}),
            "assurance": 2,
        }


def feature(name: str, text: str) -> Feature:
    """A feature of its text."""
    return Feature(name, compile_value(text, scope=Scope.PERSON), text)


DEFAULTS = tuple(feature(name, text) for name, text in DEFAULT_FEATURES.items())
MODEL = Model(
    name="buys_again",
    kind=Kind.PROPENSITY,
    version="1",
    within_days=30,
    population=compile_rule("orders.count >= 1"),
    target=compile_filter("event = 'Order Completed'"),
    features=(*DEFAULTS, feature("in_delft", "traits.city = 'Delft'")),
)
ASKED = Asked(ZONE)
Row = dict[str, object]


def panel(events: Sequence[Happened], model: Model = MODEL, cut: CutOff = CUT) -> list[Row]:
    """The panel of one learnt cut-off."""
    rows = [one.row(place) for place, one in enumerate(events)]
    with session() as engine:
        given_events(engine, rows)
        fill(engine, model, ASKED, [cut], None)
        return engine.sql("select * from panel order by person_id").to_arrow_table().to_pylist()


def given_events(engine: duckdb.DuckDBPyConnection, rows: list[dict[str, object]]) -> None:
    """Makes `every_event` and `person_event` of rows; nobody was ever joined."""
    table = pa.Table.from_pylist(rows, schema=FIELDS)
    engine.register("given_rows", table)
    engine.execute("create or replace temp table every_event as select * from given_rows")
    engine.execute(known_as.OF_TODAY)
    engine.execute(known_as.NO_LINKS)


def features_of(rows: list[Row]) -> list[Row]:
    """The panel without its labels."""
    return [{name: one for name, one in row.items() if name != "label"} for row in rows]


happened = st.builds(
    Happened,
    person=st.integers(0, 3),
    hours=st.integers(0, 24 * 120),
    event=st.sampled_from(NAMES),
    minor=st.integers(0, 10_000),
    city=st.sampled_from([None, "Delft", "Gent"]),
)


def is_blind(events: list[Happened]) -> bool:
    """Whether features are the same if nothing at or after the cut-off had happened."""
    cut_hours = (CUT.ms - START.timestamp() * 1000) / 3_600_000
    before = [one for one in events if one.hours < cut_hours]
    return features_of(panel(events)) == features_of(panel(before))


def rows_before(events: list[Happened]) -> bool:
    return any(one.hours < 24 * 58 for one in events)


@settings(max_examples=12)
@given(st.lists(happened, min_size=1, max_size=25).filter(rows_before))
def test_features_are_blind_to_the_cut_off_and_all_after_it(events: list[Happened]) -> None:
    # Message keys follow the place, so what is left out must stand last.
    assert is_blind(sorted(events, key=lambda one: one.hours))


LEAK = [
    Happened(0, 24, "Order Completed", 100),
    Happened(0, 24 * 59, "Order Completed", 200, "Delft"),
]


def test_an_event_in_the_very_instant_of_the_cut_off_is_outcome_not_feature() -> None:
    at_cut = [LEAK[0], replace(LEAK[1], hours=int((CUT.ms / 1000 - START.timestamp()) // 3600))]
    assert is_blind(at_cut)
    assert panel(at_cut)[0]["label"] == 1.0
    assert panel(at_cut[:1])[0]["label"] == 0.0


def test_a_variant_that_asks_features_an_hour_late_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CutOff, "before", property(lambda cut: cut.after(1)))
    assert not is_blind(LEAK)


def quiet_days(events: Sequence[Happened]) -> list[float | None]:
    """How long ago people were seen last: of rows that are learnt of, then of people to score."""
    with session() as engine:
        given_events(engine, [one.row(place) for place, one in enumerate(events)])
        fill(engine, MODEL, ASKED, [CutOff(date(2026, 2, 1), ZONE)], CUT)
        found = engine.sql("select quiet_days from panel order by cut_on, person_id").fetchall()
    return [one for (one,) in found]


def test_people_to_score_say_how_long_ago_each_was_seen_last() -> None:
    """The cut-off, an hour before midnight in UTC, is 1,415 hours after the start."""
    seen = [LEAK[0], replace(LEAK[0], person=1, hours=1_409), replace(LEAK[0], hours=1_416)]
    assert quiet_days(seen) == [None, pytest.approx(1_391 / 24), pytest.approx(6 / 24)]


def test_a_variant_that_sees_people_after_the_cut_off_tells_that_they_were_seen_of_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CutOff, "before", property(lambda cut: cut.after(1)))
    seen = [LEAK[0], replace(LEAK[0], hours=1_416)]
    assert quiet_days(seen)[-1] == pytest.approx(-1 / 24)


def test_an_outcome_ends_with_its_horizon() -> None:
    late = replace(LEAK[1], hours=LEAK[1].hours + 24 * 31)
    assert panel([LEAK[0], late])[0]["label"] == 0.0
    churn = replace(MODEL, kind=Kind.CHURN)
    assert panel([LEAK[0], late], churn)[0]["label"] == 1.0


WORTH = replace(MODEL, kind=Kind.LIFETIME_VALUE, features=())


def test_money_to_come_and_the_history_behind_it() -> None:
    events = [
        Happened(0, 10, "Order Completed", 1_000),
        Happened(0, 10 + 24 * 7, "Order Completed", 2_000),
        Happened(0, 12 + 24 * 7, "Order Completed", 500),
        Happened(0, 24 * 60, "Order Completed", 4_200),
    ]
    (row,) = panel(events, WORTH)
    assert row["label"] == 42.0
    assert (row["repeats"], row["recency"], row["age"]) == (1, 7, 59)
    assert row["mean_spend"] == 25.0


SENT_BACK = [
    Happened(0, 10, "Order Completed", 1_000),
    Happened(0, 10 + 24 * 7, "Order Completed", 2_000),
    Happened(0, 10 + 24 * 9, "Order Completed", -1_500),
    Happened(0, 24 * 60, "Order Completed", -700),
    Happened(1, 10, "Order Completed", 3_000),
    Happened(2, 10, "Order Completed", -100),
    Happened(3, 10, "Order Completed", 900, currency="USD"),
    Happened(3, 40, "Order Completed", 900, currency="USD"),
]


def test_a_refund_is_no_purchase_and_lessens_what_all_buyers_of_its_currency_spend() -> None:
    row, once, dollars = panel(SENT_BACK, WORTH)
    assert (row["person_id"], once["person_id"], dollars["person_id"]) == ("p0", "p1", "p3")
    assert (row["repeats"], row["recency"]) == (1, 7)
    assert row["mean_spend"] == pytest.approx(20.0 * (60 - 16) / 60)
    assert (once["mean_spend"], dollars["mean_spend"]) == (0.0, 9.0)
    assert row["label"] == -7.0, "money to come is what is left of it"


def test_refunds_taken_for_purchases_make_a_history_that_no_customer_can_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = measured.HISTORIES.replace("where is_purchase", "").replace(
        "sum(greatest(revenue_minor, 0)) as spent", "sum(revenue_minor) as spent"
    )
    monkeypatch.setattr(measured, "HISTORIES", taken)
    spent = [Happened(0, 10, "Order Completed", 500), Happened(0, 90, "Order Completed", -400)]
    (row,) = panel(spent, WORTH)
    assert row["repeats"] == 1
    assert row["mean_spend"] < 0


def test_cut_offs_lie_a_horizon_before_today_and_apart() -> None:
    now_ms = int(datetime(2026, 6, 30, 23, 30, tzinfo=UTC).timestamp() * 1000)
    scored, learnt = cut_offs_of(MODEL, now_ms, ZONE)
    assert scored.on == date(2026, 7, 1)
    assert [one.on for one in learnt][-2:] == [date(2026, 5, 2), date(2026, 6, 1)]
    assert len(learnt) == 6


EXPERIMENT = {"starts_on": "2026-02-01", "treated_share": 0.5, "every_days": 14}
WAVES = replace(
    MODEL,
    kind=Kind.UPLIFT,
    features=(),
    population=compile_rule("true"),
    settings=EXPERIMENT,
    rules={
        "treated": compile_rule("count(event = 'Product Viewed') >= 1"),
        "held_out": compile_rule("count(event = 'Order Cancelled') >= 1"),
    },
)


def test_of_a_wave_are_those_who_entered_the_experiment_within_it() -> None:
    entered = {0: (40, "Product Viewed"), 1: (62, "Order Cancelled"), 2: (75, "Product Viewed")}
    events = [Happened(person, 24, "Order Completed", 1) for person in entered]
    events += [Happened(person, 24 * day, name, 0) for person, (day, name) in entered.items()]
    events.append(Happened(1, 24 * 80, "Order Completed", 1))
    told = {row["person_id"]: (row["arm"], row["label"]) for row in panel(events, WAVES)}
    # From 1 March, day 59, on: one was in it before, one enters, one enters a later wave.
    assert told == {"p0": (None, 0.0), "p1": (0.0, 1.0), "p2": (None, 0.0)}


def test_waves_begin_every_so_many_days_while_their_horizon_has_passed() -> None:
    now_ms = int(datetime(2026, 4, 15, 12, tzinfo=UTC).timestamp() * 1000)
    days = [one.on for one in cut_offs_of(WAVES, now_ms, ZONE)[1]]
    assert days == [date(2026, 2, 1), date(2026, 2, 15), date(2026, 3, 1), date(2026, 3, 15)]
    single = replace(WAVES, settings=EXPERIMENT | {"every_days": None})
    assert [one.on for one in cut_offs_of(single, now_ms, ZONE)[1]] == [date(2026, 2, 1)]


VIEWS = replace(MODEL, features=(feature("views", "count(event = 'Product Viewed')"),))


def test_what_came_after_the_cut_off_under_an_older_date_is_told_apart() -> None:
    bought = [Happened(person, 24, "Order Completed", 1) for person in (0, 1)]
    viewed = [Happened(person, 48, "Product Viewed", 0) for person in (0, 1)]
    came_late = [*bought, viewed[0], replace(viewed[1], late_hours=24 * 60)]
    assert [(row["f0"], row["g0"]) for row in panel(came_late, VIEWS)] == [(1, 1), (1, 0)]
    a_day_late = [*bought, viewed[0], replace(viewed[1], hours=24 * 59 - 2, late_hours=24)]
    assert "g0" not in panel(a_day_late, VIEWS)[0]


IN_DELFT = replace(MODEL, features=(feature("in_delft", "traits.city = 'Delft'"),))


@pytest.mark.failure_line(34)
def test_a_trait_that_is_edited_after_the_cut_off_is_what_it_was_before() -> None:
    """Line 34: whoever buys is asked for their address, and it is filled in or put right."""
    first = Happened(0, 24, "Order Completed", 1, "Gent")
    edited = Happened(0, 24 * 61, "Order Completed", 1, "Delft")
    assert panel([first, edited], IN_DELFT)[0]["f0"] == 0.0
    filled_in = panel([replace(first, city=None), edited], IN_DELFT)[0]
    assert (filled_in["f0"], filled_in["label"]) == (None, 1.0)


@pytest.mark.failure_line(34)
def test_a_trait_that_is_dated_before_the_cut_off_and_came_after_it_is_told_apart() -> None:
    """Line 34: an import under an older date, from a source that was delivering."""
    bought = [Happened(person, 24, "Order Completed", 1, "Gent") for person in (0, 1)]
    late = Happened(0, 48, "Product Viewed", 0, "Delft", late_hours=24 * 60)
    assert [(row["f0"], row["g0"]) for row in panel([*bought, late], IN_DELFT)] == [(1, 0), (0, 0)]


def test_history_that_was_loaded_in_one_go_is_not_late() -> None:
    loaded = [Happened(0, day * 24, "Order Completed", 1, None, 24 * 200) for day in (1, 2)]
    assert "g0" not in panel(loaded, VIEWS)[0]


def loaded_beside_live() -> list[Happened]:
    """A source that began to deliver on day 40, and history that it was given on day 80."""
    live = [Happened(person, 24 * 40, "Order Completed", 1) for person in (0, 1)]
    viewed = Happened(0, 24 * 45, "Product Viewed", 0)
    old = [Happened(1, 24 * day, "Product Viewed", 0, None, 24 * (80 - day)) for day in (5, 35)]
    return [*live, viewed, *old]


def test_history_that_is_given_to_a_source_which_delivers_is_not_late() -> None:
    assert "g0" not in panel(loaded_beside_live(), VIEWS)[0]


def test_without_regard_to_when_a_source_began_its_history_would_be_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = received.BEGAN.replace("min(received_at)", "min(event_at)")
    monkeypatch.setattr(received, "BEGAN", began)
    assert [row["g0"] for row in panel(loaded_beside_live(), VIEWS)] == [1, 0]


def known_of(events: Sequence[Happened], cut: CutOff = CUT) -> dict[str, object]:
    """How much of what happened had come by the cut-off."""
    with session() as engine:
        given_events(engine, [one.row(place) for place, one in enumerate(events)])
        return dict(received.known(engine, VIEWS, cut))


def test_a_card_is_told_how_much_had_come_by_the_newest_cut_off() -> None:
    late = Happened(0, 24 * 50, "Product Viewed", 0, None, 24 * 30)
    told = known_of([*loaded_beside_live(), late])
    counts = {"events": 5, "late": 1, "loaded": 1, "joined": 0, "are_apart": True}
    assert told == {"cut_on": "2026-03-01", "days": 30, **counts}


def test_every_default_feature_says_what_it_is() -> None:
    assert set(FEATURE_DOCS) == set(DEFAULT_FEATURES)


def test_of_money_to_come_a_row_names_the_currency_that_its_person_pays_in() -> None:
    bought = [Happened(person, 24, "Order Completed", 1) for person in (0, 1)]
    worth = replace(MODEL, kind=Kind.LIFETIME_VALUE, target=None, features=())
    assert [row["principal"] for row in panel(bought, worth)] == ["EUR", "EUR"]
    drivers = replace(VIEWS, kind=Kind.DRIVERS, target=None)
    assert [row["principal"] for row in panel(bought, drivers)] == ["EUR", "EUR"]
    assert "principal" not in panel(bought, VIEWS)[0]
