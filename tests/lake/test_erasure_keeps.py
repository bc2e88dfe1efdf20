"""Whoever was taken for the erased and is cut from them keeps all that was theirs, cell by cell."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamgast.erasure.subject import Subject
from stamgast.moments import iso_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.dynamo_values import attributes_of, item_of
from stamgast_lake.erasure.rules import RULES
from stamgast_lake.tables import ANCHORS
from tests.lake import erasure_world as worlds
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.thorough import thorough
from tests.lake.world import KEYRING, NOON_MS

SEGMENTS = "segments:\n  buyers:\n    rule: orders.count >= 1\n"
TRAITS = """
traits:
  average_basket:
    making: average
    value: order.revenue
    where: event = 'Order Completed'
    window: last 365 days
"""
TEXTS = {"sources.yaml": worlds.SOURCES, "segments.yaml": SEGMENTS, "traits.yaml": TRAITS}
WORKSPACE = workspace_of(compile_files(TEXTS))
FRIEND, GONE = "friend-1122", "gone-7731"
MAIL = {FRIEND: "friend@example.com", GONE: "gone@example.com"}
DEVICE = {FRIEND: "device-of-friend", GONE: "device-of-gone"}
KEY = KEYRING.identifier_key("user_id", FRIEND)
# What numbers runs, and what ranks a person among those who are there.
OF_A_RUN = frozenset(("run", "run_id", "recorded_at", "moment", "person_id", "seen", "PK"))
RANKS = frozenset(("recency_score", "frequency_score", "monetary_score", "segment", "r", "f", "m"))
SCORE = {"SK": "S#likely", "value": "0.42", "run": 1}
GONE_BESIDE = "anchor_key in (select key from erased) or anchor_key in (select key from apart)"
Event = dict[str, Any]
History = tuple[list[Event], bool]


def said(who: str, **traits: Any) -> Event:
    return {"type": "identify", "userId": who, "traits": traits}


def bought(who: str, revenue: int) -> Event:
    told = {"revenue": revenue, "currency": "EUR", "order_id": f"of-{who}-{revenue}"}
    return {"type": "track", "event": "Order Completed", "userId": who, "properties": told}


def seen(who: str) -> Event:
    return {"type": "page", "anonymousId": DEVICE[who]}


def logged_in(who: str, device: str) -> Event:
    return {"type": "identify", "userId": who, "anonymousId": DEVICE[device]}


WHO = st.sampled_from((FRIEND, GONE))
OWN = st.one_of(
    st.builds(said, WHO, age=st.integers(20, 60)),
    st.builds(lambda who: said(who, email=MAIL[who]), WHO),
    st.builds(bought, WHO, st.integers(1, 99)),
    st.builds(seen, WHO),
    st.builds(lambda who: logged_in(who, who), WHO),
)
BRIDGES = (
    said(FRIEND, email=MAIL[GONE]),
    said(GONE, email=MAIL[FRIEND]),
    logged_in(FRIEND, GONE),
    {**said(FRIEND), "anonymousId": DEVICE[FRIEND], "traits": {"email": MAIL[GONE], "age": 33}},
)
BEGUN = [said(who, email=MAIL[who], city="Delft") for who in (FRIEND, GONE)]


@st.composite
def histories(draw: Any) -> History:
    """What two said, each of themselves, and what named both; whether a run saw them as one.

    The friend's own message is the oldest, so it founds them whatever goes.
    """
    told = BEGUN + draw(st.lists(OWN, min_size=2, max_size=7))
    for bridge in draw(st.lists(st.sampled_from(BRIDGES), min_size=1, max_size=2)):
        told.insert(draw(st.integers(1, len(told))), bridge)
    return told, draw(st.booleans())


def kept(history: History) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What is told of the friend after the cut, and after the other was erased."""
    events, is_run_before = history
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(worlds, "WORKSPACE", WORKSPACE)
        with erasure_world(Path(folder), patch) as world:
            return _kept(world, events, is_run_before=is_run_before)


def _kept(
    world: ErasureWorld, events: list[Event], *, is_run_before: bool
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    numbers = count()
    for event in events:
        n = next(numbers)
        told = {"messageId": f"m{n}", "timestamp": iso_of(NOON_MS - 60_000 + n), **event}
        world.send(told, request_id=f"r{n}", received_ms=NOON_MS + n)
    if is_run_before:
        world.run()
    world.cut(("user_id", FRIEND), ("user_id", GONE))
    world.run()
    world.now_ms += 1_000
    subject = world.live_tables.resolve(world.subject(user_id=GONE))
    scored(world)
    had = told_of_the_friend(world, subject)
    world.erase(world.subject(user_id=GONE))
    world.run()
    return had, told_of_the_friend(world, subject)


def scored(world: ErasureWorld) -> None:
    """A score of each, as a run of models stores it."""
    for person in world.persons():
        item = item_of({"PK": f"P#{person}", **SCORE})
        world.dynamodb.put_item(TableName="profiles", Item=item)


def told_of_the_friend(world: ErasureWorld, gone: Subject) -> Mapping[str, Any]:
    """Everything live and in the lake; an address of the erased gives way to the friend's own."""
    [person] = [one for one, keys in world.persons().items() if KEY in keys]
    facts, root = world.profiles()[person], world.roots()[person]
    traits = {name: (one.value, one.event_ms, one.key) for name, one in facts.told.items()}
    address, *_ = traits.pop("email")
    anchors = {f"I#{key}" for key in root.anchors}
    lake = [row for row in world.rows("identity_current") if row["person_id"] == person]
    items = [item for item in world.dynamodb.items("profiles") if item["PK"]["S"] == f"P#{person}"]
    return {
        "person": person,
        "identifiers": (root.members.keys(), {one["identifier"] for one in lake}),
        "address": MAIL[FRIEND] if address in gone.values.values() else address,
        "traits": traits,
        "counts": (facts.counters, facts.orders, facts.recent_orders, facts.first, facts.last),
        "timeline": {one for one in world.entries() if one[0] in anchors},
        "rows": {one["SK"]["S"]: cells(attributes_of(one)) for one in items if is_row(one)},
        **{
            view: [cells(row) for row in world.rows(view) if row["person_id"] == person]
            for view in ("rfm_current", "computed_traits_current")
        },
    }


def is_row(item: Any) -> bool:
    return item["SK"]["S"][:2] in ("M#", "R#", "S#", "T#")


def cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what others move: ranks, and since when they are these."""
    moved = OF_A_RUN | RANKS | ({"since"} if row.get("SK") == "R#rfm" else set())
    return {name: value for name, value in row.items() if name not in moved}


# The erased was one of two who were ranked: without them the friend's ranks are others, since then.
RANKED_ANEW: History = (
    [
        *BEGUN,
        said(FRIEND, email=MAIL[FRIEND]),
        *(bought(FRIEND, 52), bought(GONE, 88), bought(FRIEND, 6), bought(FRIEND, 92)),
        said(GONE, email=MAIL[FRIEND]),
        *(bought(GONE, 37), bought(FRIEND, 61)),
    ],
    False,
)


@pytest.mark.deep
@thorough(20)
@given(histories())
@example(RANKED_ANEW)
def test_who_is_cut_from_the_erased_keeps_every_cell(history: History) -> None:
    """Traits, counts, orders, timeline, memberships, scores, and what the lake has of them."""
    had, has = kept(history)
    assert has == had


NAMED_BY_THE_ERASED: History = ([*BEGUN, bought(FRIEND, 7), BRIDGES[1]], False)


def test_whom_the_erased_alone_had_named_keeps_every_cell() -> None:
    """The friend's own events name nobody, so the erasure reads none of their anchors."""
    had, has = kept(NAMED_BY_THE_ERASED)
    assert has == had


@pytest.mark.deep
def test_an_erasure_that_keeps_the_anchors_of_a_profile_it_takes_would_be_seen() -> None:
    rule = replace(RULES[ANCHORS.name], gone=GONE_BESIDE)
    with mock.patch.dict(RULES, {ANCHORS.name: rule}):
        had, has = kept(NAMED_BY_THE_ERASED)
    assert [name for name in had if has[name] != had[name]]
