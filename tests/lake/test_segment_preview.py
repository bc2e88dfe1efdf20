"""What a segment would be, before its rule is in force."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast_lake.rules.preview import Overlap, Question, SegmentPreview, preview_segment
from stamgast_lake.tables import MEMBERSHIPS
from tests.lake.test_memberships import STAGES, bought, workspace, world
from tests.lake.world import NOON_MS, World


def asked(shop: World, name: str, purpose: str | None = None, **rules: str) -> SegmentPreview:
    planned = workspace(**rules)
    question = Question(
        name=name,
        rules=[one.rule for one in segments_of(planned.segments)],
        traits=computed_traits_of(planned.traits),
        purpose=purpose,
        now=Now(NOON_MS, ZoneInfo("UTC")),
        against=name,
    )
    return preview_segment(replace(shop.lake, workspace=lambda: planned), question, 10)


def shop_of_three() -> World:
    shop = world(buyers="orders.count >= 2")
    shop.send(
        *(bought("a", f"a{n}") for n in range(3)),
        *(bought("b", f"b{n}") for n in range(2)),
        bought("c", "c1", revenue=99),
    )
    shop.run(STAGES)
    return shop


def test_an_edited_rule_shows_who_would_enter_and_who_would_leave() -> None:
    found = asked(shop_of_three(), "buyers", buyers="orders.count = 2 or orders.total_365d > 50")
    assert (found.size, found.population) == (2, 3)
    assert found.change is not None
    assert (found.change.size, found.change.entering, found.change.leaving) == (2, 1, 1)
    assert [one.orders for one in found.change.entering_sample] == [1]
    assert [one.orders for one in found.change.leaving_sample] == [3]
    assert found.change.rule_version != found.rule_version
    assert found.reached == {"u": (2, None)}
    assert len(found.sample) == 2
    assert all(len(one.identifiers) == 1 for one in found.sample)


def test_another_segment_is_compared_with_chance() -> None:
    rules = {"buyers": "orders.count >= 2", "regulars": "orders.count >= 3"}
    found = asked(shop_of_three(), "buyers", **rules)
    assert found.overlaps == (Overlap("regulars", 1, 1, 1.5),)


def test_nobody_is_counted_as_allowing_a_purpose_without_having_said_so() -> None:
    shop = world()
    identify = {"type": "identify"}
    shop.send(
        bought("a", "m1"),
        {**bought("b", "m2"), **identify, "traits": {"consent": {"email": True}}},
        {**bought("c", "m3"), **identify, "traits": {"consent": {"email": False}}},
        {**bought("d", "m4"), **identify, "traits": {"consent": {"email": "true"}}},
    )
    shop.run(STAGES)
    found = asked(shop, "all", "email", all="person_id is not null")
    assert (found.size, found.consented) == (4, 1)
    assert found.reached == {"u": (4, 1)}


def test_a_preview_writes_nothing() -> None:
    shop = shop_of_three()
    rows = len(shop.catalogue.rows(MEMBERSHIPS))
    asked(shop, "buyers", buyers="orders.count >= 1")
    assert len(shop.catalogue.rows(MEMBERSHIPS)) == rows
