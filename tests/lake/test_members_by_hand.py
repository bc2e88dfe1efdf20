"""Runs, look-ups, explanations and previews against rules by hand, in odd zones on odd days."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.look_up_profile import handler as function
from stamgast.lookup.reader import Reader
from stamgast.segments.language.windows import Now, bounds_of
from stamgast.segments.rfm import Spending, score
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore
from stamgast_lake import segment_records
from stamgast_lake.rules import aggregates
from stamgast_lake.tables import MEMBERSHIPS
from tests.fakes.disclosures import KeptLines
from tests.fakes.segment_desk import Counter
from tests.functions.test_look_up_profile import Bucket
from tests.lake.members_by_hand import HOUR_MS, Clock, Order, Someone, scored
from tests.lake.rules_by_hand import DAY_MS, RULES, TRAITS, members
from tests.lake.test_live_memberships import Platform
from tests.lake.world import KEYRING, NOON_MS, evaluate, latest, resolve, unify

PEOPLE = ("zoë", "名前", "o'neil", "bo", "ağa", "late one", "cas", "новый")
NAMES = ("Zoë", "名前", "O'Neil", "Bö", "", None)
TOKEN = "sgr_of-the-tests"
SETTINGS = {
    "PROFILES_TABLE": "profiles",
    "CONTROL_TABLE": "control",
    "DISCLOSURES_STREAM": "disclosures",
    "WORKSPACE_SECRET": "secret",
    "LAKE_BUCKET": "lake",
    "POWERTOOLS_SERVICE_NAME": "look_up_profile",
}
SCENES = {
    "Europe/Amsterdam": "2026-03-29 12:00",
    "America/New_York": "2026-11-01 12:00",
    "Asia/Kathmandu": "2028-02-29 12:00",
    "Pacific/Apia": "2026-12-31 12:00",
}


class Secret:
    """The one call of the keyring: the secret of `World`."""

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        return {"SecretString": json.dumps({"version": 1, "secret": "a secret of the tests"})}


def compiled(zone: str, *only: str) -> dict[str, Any]:
    """The workspace with all rules, or some."""
    rules = {name: {"rule": rule} for name, (rule, _) in RULES.items() if name in (only or RULES)}
    return compile_files(
        {
            "workspace.yaml": f"time_zone: {zone}\n",
            "sources.yaml": "sources: {web: {name: Web}, shop: {name: Shop}}",
            "segments.yaml": json.dumps({"segments": rules}),
            "traits.yaml": TRAITS,
        }
    )


def happening(random: Random, who: str, at_ms: int, message: str) -> dict[str, Any]:
    """One event of somebody, with now and then nothing or something else where a value belongs."""
    told: dict[str, Any] = {"messageId": message, "userId": who, "timestamp": at_ms}
    pick: Callable[[Sequence[Any]], Any] = random.choice
    match random.randrange(7):
        case 0 | 1:
            currency = pick(({}, {"currency": "EUR"}, {"currency": "EUR"}, {"currency": "JPY"}))
            amount = pick((25, 9.99, "12.50", 0, -30, 0.005, 1000, "1e2"))
            lines = pick(([], [{"product_id": "p", "category": pick(("Wine", "Ale", None))}]))
            properties = {pick(("revenue", "total")): amount, "products": lines, **currency}
            return told | {"type": "track", "event": "Order Completed", "properties": properties}
        case 2:
            topic = pick(("Sport", "Food", None))
            properties = pick(({"meta": {"topic": topic}}, {"meta": "none"}, {}))
            properties = {**properties, "tags": pick((["blue"], ["red", 3], "blue", None))}
            path = pick(({"page": {"path": "/wine/1"}}, {"campaign": {"source": "mail"}}, {}))
            return told | {
                "type": "track",
                "event": "Article Read",
                "properties": properties,
                "context": path,
            }
        case 3:
            amount = pick((4, 8.25, 60, -5, "8", True, None, 1, 1.0, 0.1))
            properties = {"amount": amount}
            return told | {"type": "track", "event": "Paid", "properties": properties}
        case 4:
            return told | {"type": "track", "event": "Cart Opened"}
        case 5:
            return told | {"type": "track", "event": "Newsletter Unsubscribed"}
    traits = {
        "city": pick(("Apia", "Delft", None, 7)),
        "name": pick(NAMES),
        "labels": pick((["vip"], ["vip", 3], "vip", [], None)),
        "born": pick(("2008-03-29", "2008-02-29", "2010-11-01T23:30:00Z", "unknown", None)),
        "points": pick((12, 9.5, "12", None)),
        "consent": pick(({"email": True}, {"email": False}, {}, None)),
    }
    said = {name: traits[name] for name in random.sample(sorted(traits), 3)}
    return told | {"type": "identify", "traits": said}


def regulars(now_ms: int) -> list[dict[str, Any]]:
    """Buyers by habit: one on time, one who left the letter and is late, one gone, one back."""
    days = {
        "on time": (3, 10, 17, 24, 31, 38),
        "slower": (23, 30, 38, 44, 51),
        "gone": (400, 410, 420, 431),
        "back": (1, 300, 310, 320, 330),
        "yearly": (20, 385, 750, 1116),
    }
    told = [
        {
            "messageId": f"{who}-{ago}",
            "userId": who,
            "timestamp": now_ms - ago * DAY_MS,
            "type": "track",
            "event": "Order Completed",
            "properties": {"revenue": 10 + place, "currency": "EUR"},
        }
        for place, who in enumerate(days)
        for ago in days[who]
    ]
    left = {"messageId": "left", "userId": "slower", "timestamp": now_ms - 22 * DAY_MS}
    return [*told, {**left, "type": "track", "event": "Newsletter Unsubscribed"}]


@dataclass
class Town:
    """A platform, its look-up function, and everything that was sent to it."""

    zone: str
    platform: Platform
    told: list[dict[str, Any]] = field(default_factory=list)
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    at_run: Mapping[str, set[str]] = field(default_factory=dict)
    requests: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, *events: dict[str, Any]) -> None:
        """Through the live loop, copies among them."""
        self.told += [one for one in events if one not in self.told]
        self.platform.send(*events, request_id=f"r{next(self.requests)}", **self._now())

    def file(self, *events: dict[str, Any]) -> None:
        """What runs see first."""
        self.told += events
        request = f"import-{next(self.requests)}"
        self.platform.put_file(*events, request_id=request, source_id="web", **self._now())

    def _now(self) -> dict[str, int]:
        return {"received_ms": self.platform.now_ms}

    def everybody(self) -> list[str]:
        return sorted({one["userId"] for one in self.told})

    def people(self) -> dict[str, Someone]:
        """By hand, at this moment; scores are those of the last run."""
        clock = Clock(self.platform.now_ms, self.zone)
        found = {}
        for who in self.everybody():
            one = Someone([e for e in self.told if e["userId"] == who], clock)
            one.scores = self.scores.get(who, {})
            found[who] = one
        return found

    def run(self) -> None:
        """A run, by the platform and by hand."""
        self.platform.run()
        self.scores = scored(self.people(), self.platform.now_ms)
        self.at_run = members(self.people())

    def expected(self) -> dict[str, set[str]]:
        """What a look-up is to tell: of live rules as of now, of the others as of the run."""
        now = members(self.people())
        live = {one["name"] for one in self.platform.workspace.segments if one["live"]}
        return {name: now[name] if name in live else self.at_run[name] for name in RULES}

    def look_up(self) -> dict[str, dict[str, Any]]:
        """What the function answers of everybody whom it finds, by the body of one request."""
        body = {
            "identifiers": [f"user_id:{who}" for who in self.everybody()],
            "include": ["segments", "rfm"],
        }
        event = {
            "rawPath": "/v1/profiles:lookup",
            "headers": {"authorization": f"Bearer {TOKEN}"},
            "requestContext": {"http": {"method": "POST"}},
            "body": json.dumps(body),
        }
        answer = function.handler(event, None)
        assert answer["statusCode"] == 200
        results = zip(self.everybody(), json.loads(answer["body"])["results"], strict=True)
        return {who: one["profile"] for who, one in results if one["status"] == 200}

    def looked_up(self) -> dict[str, set[str]]:
        told = self.look_up()
        return {name: {w for w, one in told.items() if name in one["segments"]} for name in RULES}

    def scored(self) -> dict[str, tuple[Any, ...]]:
        """Recency, frequency and money, and the cell, as look-ups tell them."""
        names = ("recency_score", "frequency_score", "monetary_score", "segment")
        told = {who: one["rfm"] for who, one in self.look_up().items() if one.get("rfm")}
        return {who: tuple(one[name] for name in names) for who, one in told.items()}

    def in_lake(self) -> dict[str, set[str]]:
        """The members that the log of memberships leaves."""
        keys = {KEYRING.identifier_key("user_id", who): who for who in self.everybody()}
        users = {p: keys[k] for p, ks in self.platform.persons().items() for k in ks if k in keys}
        rows = self.platform.catalogue.rows(MEMBERSHIPS)
        placed = [{**row, "place": (row["person_id"], row["segment"])} for row in rows]
        newest = [row for row in latest(placed, "place").values() if row["change"] == "entered"]
        return {
            name: {users[r["person_id"]] for r in newest if r["segment"] == name} for name in RULES
        }


def town_of(zone: str, monkeypatch: pytest.MonkeyPatch) -> Town:
    """An empty town at its local noon, with the function wired to its tables."""
    document = compiled(zone)
    platform = Platform(workspace=workspace_of(document))
    platform.now_ms = int(pd.Timestamp(SCENES[zone], tz=zone).timestamp() * 1000)
    tables, bucket = platform.dynamodb, Bucket()
    workspaces = S3WorkspaceStore(
        s3=bucket, dynamodb=tables, bucket="lake", table="control", now=lambda: 0.0
    )
    workspaces.publish(document)
    DynamoTokenStore(tables, "control", lambda: 0.0).put(TOKEN, Reader("tests", ("*",)))
    clients = {
        "dynamodb": tables,
        "s3": bucket,
        "secretsmanager": Secret(),
        "firehose": KeptLines(),
    }
    monkeypatch.setattr(function, "client", clients.__getitem__)
    clock = SimpleNamespace(
        time_ns=lambda: platform.now_ms * 1_000_000, monotonic=lambda: 0.0, sleep=lambda _: None
    )
    monkeypatch.setattr(function, "time", clock)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    function.wiring.cache_clear()
    return Town(zone, platform)


def lived_in(zone: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Town]]:
    """A town whose people live on; after each step what it is, and the town."""
    random, numbers, town = Random(seed), count(), town_of(zone, monkeypatch)

    def something(who: str, back_ms: int) -> dict[str, Any]:
        at_ms = town.platform.now_ms - random.randrange(back_ms)
        return happening(random, who, at_ms, f"m{next(numbers)}")

    history = [
        something(who, random.choice((2, 20, 60, 500)) * DAY_MS)
        for place, who in enumerate(PEOPLE[:-1])
        for _ in range(place * 4 % 23 + 1)
    ]
    town.file(*regulars(town.platform.now_ms), *history)
    town.run()
    yield "run", town
    sent = history
    for step in range(3):
        late_ms = (HOUR_MS, HOUR_MS, DAY_MS, 3 * DAY_MS)
        fresh = [
            something(random.choice(PEOPLE), random.choice(late_ms))
            for _ in range(random.randrange(2, 8))
        ]
        batch = [*fresh, *random.sample(sent, 2)]
        random.shuffle(batch)
        town.send(*batch)
        sent += fresh
        yield f"sent {step}", town
        town.platform.now_ms += random.choice((HOUR_MS, 9 * HOUR_MS, DAY_MS, 2 * DAY_MS))
        yield f"passed {step}", town
    town.run()
    yield "run", town


DEEP = [(zone, seed) for zone in SCENES for seed in range(1, 6)]


@pytest.mark.failure_line(33)
@pytest.mark.parametrize(
    ("zone", "seed"),
    [("America/New_York", 6), *(pytest.param(*one, marks=pytest.mark.deep) for one in DEEP)],
)
def test_members_are_those_by_hand_wherever_and_whenever_one_asks(
    zone: str, seed: int, monkeypatch: pytest.MonkeyPatch, engine: DuckDBPyConnection
) -> None:
    """Line 33: windows that pass, late purchases, nulls, mixed types, changes of the clocks."""
    for step, town in lived_in(zone, seed, monkeypatch):
        assert town.looked_up() == town.expected(), step
        if step == "run":
            assert town.in_lake() == members(town.people())
    assert town.scored() == {
        who: (one["r"], one["f"], one["m"], one["cell"]) for who, one in town.scores.items()
    }
    asked(town, engine, monkeypatch, Random(seed))


def asked(
    town: Town, engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, random: Random
) -> None:
    """What explanations and a preview say at the moment of the run is what the run says.

    Who has refused everything is in segments as the rules have it, and counted in no preview.
    """
    desk, standing = Counter(town.platform), members(town.people())
    monkeypatch.setattr(segment_records, "session", lambda: nullcontext(engine))
    for name in random.sample(sorted(RULES), 24):
        who = random.choice(town.everybody())
        told = desk.answer("explain", segment=name, identifier=f"user_id:{who}")
        assert (told["is_in"], told["is_as_published"]) == (who in standing[name], True), name
    name = random.choice(sorted(RULES))
    found = desk.answer("preview", segment=name)
    counted = {who for who, one in town.people().items() if not one.is_closed}
    assert (found["size"], found["population"]) == (len(standing[name] & counted), len(counted))
    assert (found["change"]["entering"], found["change"]["leaving"]) == (0, 0)


def test_days_of_another_zone_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: the lake's windows begin at midnight in UTC."""
    town = town_of("America/New_York", monkeypatch)
    town.platform.workspace = workspace_of(compiled("America/New_York", "here_today"))
    evening = {"messageId": "m1", "userId": "bo", "type": "track", "event": "Cart Opened"}
    town.file({**evening, "timestamp": town.platform.now_ms - 14 * HOUR_MS})
    monkeypatch.setattr(
        aggregates, "bounds_of", lambda window, now: bounds_of(window, Now(now.ms, ZoneInfo("UTC")))
    )
    town.platform.run((resolve, unify, evaluate))
    assert members(town.people())["here_today"] == set()
    assert [row["segment"] for row in town.platform.catalogue.rows(MEMBERSHIPS)] == ["here_today"]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["EUR", "JPY"]), st.integers(-2, 3), st.integers(0, 3))),
        max_size=12,
    )
)
@settings(max_examples=20)
def test_scores_of_shops_of_any_size_are_those_by_hand(
    shops: list[list[tuple[str, int, int]]],
) -> None:
    """Ties, one-time buyers, refunds, two currencies; shops of one to four are drawn most."""
    people = {}
    for place, orders in enumerate(shops):
        one = Someone([], Clock(NOON_MS, "UTC"))
        one.orders = [Order(NOON_MS - ago * DAY_MS, n, code) for code, n, ago in orders]
        people[f"p{place}"] = one
    pure = score({who: spendings(one) for who, one in people.items()}, NOON_MS)
    assert {
        w: (s.recency_score, s.frequency_score, s.monetary_score, s.cell) for w, s in pure.items()
    } == {w: (s["r"], s["f"], s["m"], s["cell"]) for w, s in scored(people, NOON_MS).items()}


def spendings(one: Someone) -> list[Spending]:
    """Orders by currency, as profiles have them."""
    codes = sorted({order.currency for order in one.orders})
    mine = {code: [o for o in one.orders if o.currency == code] for code in codes}
    return [
        Spending(code, len(told), sum(o.minor for o in told), max(o.ms for o in told))
        for code, told in mine.items()
    ]
