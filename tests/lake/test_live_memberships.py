"""Live memberships against pandas: late, repeated, out of order, across days, zones and runs."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pandas as pd
import pytest

from stamgast.lookup.find import find
from stamgast.lookup.live import lived
from stamgast.lookup.person import Lens, Profile
from stamgast.lookup.request import View
from stamgast.moments import iso_of
from stamgast.segments.changes import ENTERED
from stamgast.segments.live.rules import LiveRules
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_aws.live_wiring import live_rules
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_lake.tables import MEMBERSHIPS
from tests.lake.pandas_members import RULES, TRAITS, ZONE, members
from tests.lake.thorough import seeds
from tests.lake.world import KEYRING, WORKSPACE, World, latest

DAY_MS, MINUTE_MS = 86_400_000, 60_000
CLOCKS_CHANGE_MS = 1_792_890_000_000  # 2026-10-25T01:00Z, when Amsterdam falls back an hour
USERS = ("ann", "bob", "cas")
SECOND_DEVICE = {"ann": "d-ann", "bob": "d-bob"}


def workspace(
    rules: Mapping[str, str] = RULES, traits: str = TRAITS, zone: str = ZONE
) -> Workspace:
    lines = [f"  {name}:\n    rule: |\n      {rule}" for name, rule in rules.items()]
    texts = {
        "workspace.yaml": f"time_zone: {zone}\n",
        "sources.yaml": "sources:\n  web:\n    name: Web\n",
        "segments.yaml": "segments:\n" + "\n".join(lines),
        "traits.yaml": traits,
    }
    told = workspace_of(compile_files(texts))
    return replace(WORKSPACE, segments=told.segments, traits=told.traits, time_zone=zone)


@dataclass
class Shop:
    """A world, and everything that was sent to it as pandas sees it."""

    world: World
    rows: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0

    def send(self, events: list[dict[str, Any]]) -> None:
        self.sent += 1
        self.world.send(*events, request_id=f"r{self.sent}", received_ms=self.world.now_ms)

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows).drop_duplicates("key")

    def profile(self, user: str) -> Profile:
        with ThreadPoolExecutor(1) as threads:
            store = DynamoLookupStore(self.world.dynamodb, "profiles", threads, lambda _: None)
            key = KEYRING.identifier_key("u", user)
            lens = Lens(View.VERIFIED, frozenset({"d"}))
            found = find((key,), store, lens, is_live=True)[key]
            return lived(found, self.world.workspace, store.coverage(), self.world.now_ms)

    def live(self) -> dict[str, set[str]]:
        """The members that look-ups tell now; every rule must be answered live."""
        found: dict[str, set[str]] = {name: set() for name in RULES}
        for user in {row["person"] for row in self.rows}:
            for name, row in self.profile(user).person.rows["segments"].items():
                assert row["live"], (name, user)
                found[name].add(user)
        return found

    def in_lake(self) -> dict[str, set[str]]:
        users = {p: u for p, keys in self.world.persons().items() for u in self._users(keys)}
        rows = self.world.catalogue.rows(MEMBERSHIPS)
        newest = latest(
            [{**row, "place": (row["person_id"], row["segment"])} for row in rows], "place"
        )
        found: dict[str, set[str]] = {name: set() for name in RULES}
        for row in newest.values():
            if row["change"] == ENTERED:
                found[row["segment"]].add(users[row["person_id"]])
        return found

    def standing(self) -> dict[str, set[str]]:
        """What the items say, which whoever looks without a clock would read."""
        users = {p: u for p, keys in self.world.persons().items() for u in self._users(keys)}
        found: dict[str, set[str]] = {name: set() for name in RULES}
        for item in self.world.dynamodb.items("profiles"):
            who, name = item["PK"]["S"][2:], item["SK"]["S"]
            if name.startswith("M#") and item["state"]["S"] == ENTERED and who in users:
                found[name[2:]].add(users[who])
        return found

    def _users(self, keys: frozenset[str]) -> Iterator[str]:
        yield from (u for u in USERS if KEYRING.identifier_key("u", u) in keys)


def happening(random: Random, shop: Shop, number: int) -> dict[str, Any]:
    """One event, late by up to three weeks, with now and then nothing where a value belongs."""
    late_ms = random.choice((0, 0, 0, random.randrange(3 * DAY_MS), random.randrange(21 * DAY_MS)))
    at_ms = shop.world.now_ms - late_ms - random.randrange(MINUTE_MS)
    user = random.choice(USERS)
    device = {"anonymousId": SECOND_DEVICE[user]} if user in SECOND_DEVICE else {}
    who = {"userId": user, **(device if random.random() < 0.4 else {})}
    if device and random.random() < 0.2 and any(r["linked"] == user for r in shop.rows):
        who = device
    told: dict[str, Any] = {"messageId": f"m{number}", "timestamp": at_ms, **who}
    row: dict[str, Any] = {"key": f"m{number}", "person": user, "at": at_ms, "name": None}
    row |= {"amount": float("nan"), "category": None, "traits": None}
    row["linked"] = user if len(who) == 2 else None
    match random.randrange(4):
        case 0:
            amount = random.choice((5, 12.5, 30))
            told |= {"type": "track", "event": "Order Completed"}
            told["properties"] = {"revenue": amount, "currency": "EUR", "amount": amount}
            row |= {"name": "Order Completed", "amount": amount}
        case 1:
            category = random.choice(("Wine", "Ale", None))
            told |= {
                "type": "track",
                "event": "Product Viewed",
                "properties": {"category": category},
            }
            row |= {"name": "Product Viewed", "category": category}
        case 2:
            told_amount = random.choice((4, 8.25, 21, "many", None))
            number_told = told_amount if isinstance(told_amount, int | float) else float("nan")
            told |= {"type": "track", "event": "Paid", "properties": {"amount": told_amount}}
            row |= {"name": "Paid", "amount": number_told}
        case _:
            traits = {
                "city": random.choice(("Delft", "Goes", None)),
                "age": random.choice((17, 18.0, "18")),
            }
            told |= {"type": "identify", "userId": user, "traits": traits}
            row |= {"traits": traits, "linked": user if "anonymousId" in who else None}
    shop.rows.append(row)
    return told


@pytest.mark.failure_line(33)
@pytest.mark.parametrize("seed", seeds([1], range(2, 20)))
def test_live_and_in_the_lake_the_members_are_those_that_pandas_finds(seed: int) -> None:
    """Line 33: late events, windows that pass, nulls, mixed types, a change of the clocks."""
    random = Random(seed)
    shop = Shop(World(workspace=workspace()))
    shop.world.now_ms = CLOCKS_CHANGE_MS - 3 * DAY_MS
    events: list[dict[str, Any]] = []
    for step in range(6):
        fresh = [happening(random, shop, 100 * step + n) for n in range(random.randrange(1, 5))]
        events += fresh
        repeated = random.sample(events, min(2, len(events)))
        batch = [*fresh, *repeated]
        random.shuffle(batch)
        shop.send(batch)
        assert shop.live() == members(shop.frame(), shop.world.now_ms)
        if step % 3 == 2:
            shop.world.run()
            expected = members(shop.frame(), shop.world.now_ms)
            assert shop.in_lake() == expected
            assert shop.standing() == expected
            assert shop.live() == expected
        shop.world.now_ms += random.choice((40 * MINUTE_MS, 9 * 60 * MINUTE_MS, DAY_MS, 4 * DAY_MS))
        assert shop.live() == members(shop.frame(), shop.world.now_ms)


class Platform(World):
    """A world whose runs settle the rules that wait for them, as deployed ones do."""

    def live(self) -> LiveRules | None:
        return live_rules(
            self.workspace,
            self.dynamodb,
            "profiles",
            self.tell_memberships,
            lambda: self.now_ms,
            lambda _: None,
            is_run=True,
        )


def ordered(message: str, at_ms: int) -> dict[str, Any]:
    properties = {"revenue": 9, "currency": "EUR"}
    told = {"type": "track", "event": "Order Completed", "properties": properties}
    return {"messageId": message, "userId": "ann", "timestamp": at_ms, **told}


def shop_of(**rules: str) -> Shop:
    return Shop(Platform(workspace=workspace(rules, "{}")))


def rows_of(shop: Shop) -> dict[str, Any]:
    return dict(shop.profile("ann").person.rows["segments"])


def test_what_waits_for_a_run_is_told_by_it_once_and_says_as_of_when() -> None:
    shop = shop_of(scored="rfm.segment is not null", buyer="orders.count >= 1")
    shop.world.send(ordered("m1", shop.world.now_ms))
    assert {name: row["live"] for name, row in rows_of(shop).items()} == {"buyer": True}
    shop.world.run()
    shop.world.run()
    told = rows_of(shop)
    assert (told["scored"]["live"], told["buyer"]["live"]) == (False, True)
    assert told["scored"]["as_of"] == iso_of(shop.world.now_ms)
    names = [one.segment for one in shop.world.told_memberships]
    assert sorted(names) == ["buyer", "scored"]


def test_a_change_that_the_live_loop_told_is_not_told_again_by_the_run() -> None:
    shop = shop_of(recent="count(last 2 days) >= 1")
    shop.world.send(ordered("m1", shop.world.now_ms))
    shop.world.now_ms += DAY_MS
    shop.world.run()
    assert [one.change for one in shop.world.told_memberships] == ["entered"]
    shop.world.now_ms += 2 * DAY_MS
    assert rows_of(shop) == {}
    shop.world.run()
    _, left = shop.world.told_memberships
    rows = [row for row in shop.world.catalogue.rows(MEMBERSHIPS) if row["change"] == "left"]
    assert (left.change, [left.change_id]) == ("left", [row["change_id"] for row in rows])


def test_a_new_rule_is_live_from_the_first_run_after_it_was_published() -> None:
    shop = shop_of(buyer="orders.count >= 1")
    shop.world.send(ordered("m1", shop.world.now_ms))
    shop.world.run()
    rules = {"buyer": "orders.count >= 1", "recent": "count(last 9 days) >= 1"}
    shop.world.workspace = workspace(rules, "{}")
    assert {name: row["live"] for name, row in rows_of(shop).items()} == {"buyer": True}
    shop.world.run()
    assert {n: row["live"] for n, row in rows_of(shop).items()} == {"buyer": True, "recent": True}


def test_with_a_full_tail_the_answer_is_that_of_the_last_change_and_says_so() -> None:
    shop = shop_of(busy="count(last 1 day) >= 20", many="count(last 1 day) >= 30")
    shop.send([ordered(f"m{n}", shop.world.now_ms - n) for n in range(20)])
    assert rows_of(shop)["busy"]["live"]
    shop.send([ordered(f"m{n}", shop.world.now_ms - n) for n in range(20, 40)])
    told = rows_of(shop)
    assert (list(told), told["busy"]["live"]) == (["busy"], False)
    assert told["busy"]["as_of"] == told["busy"]["since"] == iso_of(shop.world.now_ms)
    shop.world.run()
    assert {n: row["live"] for n, row in rows_of(shop).items()} == {"busy": True, "many": True}


def test_whom_a_losing_copy_let_in_leaves_though_the_run_has_nothing_to_say_of_it() -> None:
    """The lake never had the member: only its other base tells the run to look."""
    shop = shop_of(rich="orders.revenue >= 8")
    first, second = (ordered("m1", shop.world.now_ms) for _ in range(2))
    second["properties"] = {"revenue": 5, "currency": "EUR"}
    shop.world.send(first, received_ms=shop.world.now_ms, request_id="later")
    assert list(rows_of(shop)) == ["rich"]
    shop.world.send(second, received_ms=shop.world.now_ms - 1_000, request_id="earlier")
    shop.world.run()
    assert shop.world.catalogue.rows(MEMBERSHIPS) == []
    assert rows_of(shop) == {}
    assert [one.change for one in shop.world.told_memberships] == ["entered", "left"]


def test_a_rule_that_was_edited_long_ago_is_no_reason_to_leave() -> None:
    """Who stayed in when the rule was edited has a standing of the old one, and leaves by facts."""
    shop = shop_of(recent="count(last 2 days) >= 1")
    shop.world.send(ordered("m1", shop.world.now_ms))
    shop.world.run()
    shop.world.workspace = workspace({"recent": "count(last 3 days) >= 1"}, "{}")
    shop.world.run()
    shop.world.now_ms += 4 * DAY_MS
    shop.world.send({"messageId": "m2", "userId": "ann", "type": "identify", "timestamp": 1})
    assert [(one.change, one.because) for one in shop.world.told_memberships] == [
        ("entered", "facts"),
        ("left", "facts"),
    ]
