"""Of a cut-off nobody is known by what joined them after it; what comes is that of all they are."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from stamgast.models.declaration import models_of
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
TOLD = workspace(MODELS, "segments: {}")
(MODEL,) = models_of(TOLD.models)
Row = tuple[object, ...]


def rows(happened: Sequence[Happened], columns: str = "*") -> list[Row]:
    """The panel of one learnt cut-off."""
    with session() as engine:
        see_events(engine, lake_of(TOLD, list(happened)))
        fill(engine, MODEL, Asked(ZONE), [CUT], None)
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


def test_without_regard_to_history_its_links_would_be_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_as, "LINKS", known_as.LINKS.replace("is_undated and", "false and"))
    assert rows(loaded(250.5), "f2") == [(1.0,), (1.0,)]
