"""Of a cut-off nobody is known by what joined them after it; what comes is that of all they are."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from stamgast.models.declaration import Model, models_of
from stamgast_lake.engine import session
from stamgast_lake.features import known_as, panel
from stamgast_lake.features.measured import CutOff
from stamgast_lake.features.panel import Asked, fill
from stamgast_lake.features.received import known
from stamgast_lake.features.then import see_events
from tests.fakes.joining_world import MODELS, Happened, lake_of, lives
from tests.fakes.model_world import workspace

ZONE = ZoneInfo("Europe/Amsterdam")
CUT, CUT_DAY = CutOff(date(2026, 9, 21), ZONE), 239.79
"""The day in days of the world, whose last, the 300th, ends on 20 November at 3 in UTC."""
OTHERS = """
  worth:
    kind: lifetime_value
  moved:
    kind: uplift
    target: event = 'Order Completed'
    population: count(last 60 days) >= 1
    defaults: false
    features: {visits: count(last 30 days)}
    experiment:
      starts_on: 2026-09-21
      treated: count(event = 'Offer Seen') >= 1
      held_out: count(event = 'Offer Kept Back') >= 1
"""
TOLD = workspace(MODELS + OTHERS, "segments: {}")
MODEL, WORTH_OF, MOVED = models_of(TOLD.models)
Row = tuple[object, ...]


def rows(happened: Sequence[Happened], columns: str = "*", model: Model = MODEL) -> list[Row]:
    """The panel of one learnt cut-off."""
    with session() as engine:
        see_events(engine, lake_of(TOLD, list(happened)))
        fill(engine, model, Asked(ZONE), [CUT], None)
        return engine.sql(f"select {columns} from panel order by all").fetchall()


MEASURED = "f0, f1, f2, f3, f4"


def is_blind(happened: Sequence[Happened]) -> bool:
    """Whether people are measured as they would be if nothing had happened since."""
    before = [one for one in happened if one.day < CUT_DAY]
    return rows(happened, MEASURED) == rows(before, MEASURED)


@pytest.mark.failure_line(34)
def test_people_are_measured_as_if_nothing_had_joined_them_since() -> None:
    """Line 34: whoever buys says who they are, and is joined with all that they did unnamed."""
    assert is_blind(lives(60, 4))


def test_a_variant_that_takes_persons_as_they_are_today_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(panel, "AS_THEN", frozenset())
    assert not is_blind(lives(60, 4))


def seen(device: int, day: float, **told: bool | float) -> Happened:
    return Happened(day, 7, device, "Product Viewed", is_known=False, **told)  # type: ignore[arg-type]


VISITS = [seen(0, 200.0), seen(0, 230.0), seen(1, 235.0)]
BOUGHT = Happened(245.0, 7, 0, "Order Completed", is_known=True)
SIGNED_IN = Happened(246.0, 7, 1, "Signed In", is_known=True)


def test_the_outcome_of_each_is_that_of_the_person_whom_both_became() -> None:
    told = rows([*VISITS, BOUGHT, SIGNED_IN], "person_id, label, f2")
    assert told == [("user_id:00007u", 1.0, 1.0), ("user_id:00007u", 1.0, 1.0)]
    assert rows([*VISITS, BOUGHT], "label") == [(0.0,), (1.0,)]


def test_whoever_was_joined_before_is_one() -> None:
    joined = [Happened(210.0 + n, 7, n, "Signed In", is_known=True) for n in (0, 1)]
    assert rows([*VISITS, *joined], "f2") == [(4.0,)]
    assert rows([*VISITS, joined[0], SIGNED_IN], "f2") == [(1.0,), (2.0,)]


GUEST = [Happened(day, 7, n, "Order Completed", is_known=False) for n, day in enumerate((200, 230))]
WORTH = "person_id, repeats, label"


def test_money_is_shared_among_those_who_became_one() -> None:
    """What is stated of each is added up, and what came must come once."""
    told = rows([*GUEST, BOUGHT, SIGNED_IN], WORTH, WORTH_OF)
    assert told == [("user_id:00007u", 0, 5.0), ("user_id:00007u", 0, 5.0)]
    assert rows([*GUEST, BOUGHT], "repeats, label", WORTH_OF) == [(0, 0.0), (0, 10.0)]


def test_a_variant_that_gives_each_the_whole_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "SHARED", panel.WHOLE)
    told = rows([*GUEST, BOUGHT, SIGNED_IN], WORTH, WORTH_OF)
    assert sum(float(str(money)) for *_, money in told) == 20.0


def test_a_history_of_orders_is_as_it_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "AS_THEN", frozenset())
    assert rows([*GUEST, BOUGHT, SIGNED_IN], WORTH, WORTH_OF) == [("user_id:00007u", 1, 10.0)]


EXPOSED = Happened(242.0, 7, 0, "Offer Seen", is_known=False)


def test_an_experiments_people_are_those_who_were_known_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A treatment that makes people buy joins them: their outcome is that of all they were."""
    happened = [*VISITS, EXPOSED, BOUGHT, SIGNED_IN]
    assert rows(happened, "label, arm", MOVED) == [(1.0, 1.0), (1.0, 1.0)]
    monkeypatch.setattr(panel, "AS_THEN", frozenset())
    assert rows(happened, "label, arm", MOVED) == [(1.0, 1.0)]


def test_a_card_counts_who_was_known_as_several() -> None:
    with session() as engine:
        see_events(engine, lake_of(TOLD, [*VISITS, BOUGHT, SIGNED_IN]))
        told = known(engine, MODEL, CUT)
    assert (told["joined"], told["are_apart"]) == (1, True)


def loaded(on: float) -> list[Happened]:
    """History that came on day 250, and links without a time that came on a day."""
    visits = [seen(one.device, one.day, received=250.0) for one in VISITS]
    undated = {"received": on, "has_own_time": False}
    return visits + [Happened(on, 7, n, "Imported", True, **undated) for n in (0, 1)]


def test_links_without_a_time_among_what_a_source_first_brought_are_history() -> None:
    assert rows(loaded(250.5), "f2") == [(2.0,)]
    assert rows(loaded(252.0), "f2") == [(1.0,), (1.0,)]


def test_it_is_told_whom_a_list_without_times_joined() -> None:
    assert rows(loaded(250.5), "listed") == [(1.0,)]
    other = Happened(220.0, 8, 0, "Product Viewed", is_known=False, received=250.0)
    assert rows([*loaded(250.5), other], "f2, listed") == [(1.0, 0.0), (2.0, 1.0)]


def test_of_links_with_times_nothing_is_told() -> None:
    with session() as engine:
        see_events(engine, lake_of(TOLD, [*VISITS, BOUGHT, SIGNED_IN]))
        fill(engine, MODEL, Asked(ZONE), [CUT], None)
        names = {name for name, *_ in engine.execute("describe panel").fetchall()}
    assert "listed" not in names


def test_without_regard_to_history_its_links_would_be_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_as, "LINKS", known_as.LINKS.replace("is_undated and", "false and"))
    assert rows(loaded(250.5), "f2") == [(1.0,), (1.0,)]
