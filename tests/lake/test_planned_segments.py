"""What an edited rule or computed trait would change, before it is in force."""

from zoneinfo import ZoneInfo

import pytest

from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast.workspace.model import Workspace
from stamgast_lake.logs import see
from stamgast_lake.rules import planned as of_planning
from stamgast_lake.rules import relations
from stamgast_lake.rules.planned import Because, Book, PlannedSegment, PlannedTrait, planned
from stamgast_lake.tables import COMPUTED_TRAITS, MEMBERSHIPS
from tests.lake.test_computed_traits import workspace as with_traits
from tests.lake.test_memberships import STAGES, bought, workspace, world
from tests.lake.world import NOON_MS, World


def book(told: Workspace) -> Book:
    rules = [one.rule for one in segments_of(told.segments)]
    return Book(rules, computed_traits_of(told.traits), Now(NOON_MS, ZoneInfo("UTC")))


def asked(
    shop: World, before: Workspace, after: Workspace
) -> tuple[dict[str, PlannedSegment], list[PlannedTrait]]:
    segments, traits = planned(shop.lake, book(before), book(after), 5)
    return {one.segment: one for one in segments}, traits


def shop_of_three() -> World:
    shop = world()
    for buyer, orders in (("a", 3), ("b", 2), ("c", 1)):
        shop.send(*(bought(buyer, f"{buyer}{n}") for n in range(orders)), request_id=buyer)
    shop.run(STAGES)
    return shop


def test_an_edited_rule_tells_sizes_and_who_would_enter_and_leave() -> None:
    before = workspace(few="orders.count <= 2", many="orders.count >= 3", same="orders.count > 0")
    after = workspace(few="orders.count = 1", same="orders.count > 0", more="orders.count > 1")
    told, traits = asked(shop_of_three(), before, after)
    sizes = {
        name: (one.because, one.before, one.after, one.entering, one.leaving)
        for name, one in told.items()
    }
    assert sizes == {
        "few": (Because.RULE, 2, 1, 0, 1),
        "more": (Because.NEW, None, 2, 2, 0),
        "many": (Because.REMOVED, 1, None, 0, 1),
    }
    assert len(told["few"].leaving_sample) == 1
    assert len(told["more"].entering_sample) == 2
    assert traits == []


def test_a_segment_that_rests_on_an_edited_one_is_told_too() -> None:
    before = workspace(few="orders.count <= 2", other="not in segment('few')")
    after = workspace(few="orders.count <= 1", other="not in segment('few')")
    told, _ = asked(shop_of_three(), before, after)
    assert (told["other"].because, told["other"].entering) == (Because.RULE, 1)


@pytest.mark.parametrize("most_kept", [0, 250_000])
def test_an_edited_computed_trait_moves_the_segments_that_use_it(
    most_kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether each pass over the events reads them, or they are kept."""
    monkeypatch.setattr(relations, "MOST_KEPT", most_kept)
    rule = "segments:\n  few:\n    rule: computed.baskets < 2\n"
    trait = "traits:\n  baskets:\n    making: count\n    where: {where}\n"
    before = with_traits(trait.format(where="event = 'Order Completed'"), rule)
    after = with_traits(trait.format(where="event = 'Signed Up'"), rule)
    told, traits = asked(shop_of_three(), before, after)
    few = told["few"]
    assert (few.because, few.before, few.after, few.entering) == (Because.TRAITS, 1, 3, 2)
    assert traits == [PlannedTrait("baskets", 3, 3, 3)]


def sizes_in_the_middle_of_a_run() -> tuple[int | None, int | None]:
    """Before and after of everybody, while a run has founded a fourth and has not ended."""
    shop = shop_of_three()
    shop.send(bought("d", "d0"), request_id="d")
    run = shop.open()
    load = shop.load(run)
    for stage in STAGES[:2]:
        stage(shop, run, load)
    told, _ = asked(shop, workspace(few="orders.count > 0"), workspace(few="orders.count >= 1"))
    return told["few"].before, told["few"].after


def test_a_plan_counts_nobody_of_a_run_that_has_not_ended() -> None:
    assert sizes_in_the_middle_of_a_run() == (3, 3)


@pytest.mark.deep
def test_counting_whom_a_run_is_still_making_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of_planning, "see_settled", see)
    assert sizes_in_the_middle_of_a_run() == (4, 4)


def test_planning_writes_nothing() -> None:
    shop = shop_of_three()
    asked(shop, workspace(few="orders.count <= 2"), workspace(few="orders.count > 2"))
    assert shop.catalogue.rows(MEMBERSHIPS) == []
    assert shop.catalogue.rows(COMPUTED_TRAITS) == []
