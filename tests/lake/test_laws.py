"""Laws 1 and 2 of the lake and the live view together, over the real code of both loops.

Random histories go through the live loop and by file, with copies, in any order and batches, with
runs in between; the oracle is a naive reading of all messages at once, written apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from random import Random
from typing import Any

import orjson
import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event
from stamgast.profile.facts import NOTHING, Facts, facts_of, merge
from stamgast.segments.rfm import Spending, score
from stamgast_lake import evidence, logs, profiles, segments, state
from stamgast_lake import resolve as resolving
from stamgast_lake.facts_json import from_json
from stamgast_lake.publishing import anchors as publishing_anchors
from stamgast_lake.publishing import persons as publishing_persons
from stamgast_lake.publishing import rows as publishing_rows
from stamgast_lake.publishing import timeline as publishing_timeline
from stamgast_lake.publishing.work import PublishError
from stamgast_lake.runs import Run
from stamgast_lake.tables import ANCHORS, IDENTITY, PERSONS, PROFILES
from tests.lake.thorough import seeds
from tests.lake.world import KEYRING, NOON_MS, STAGES, Stage, World, latest, resolve, unify
from tests.schedules.identity_oracle import Message, Persons, expected

DAY_MS = 86_400_000
SEEDS = range(6)


@dataclass(frozen=True)
class Sent:
    """One event with how it comes; a copy differs in its receipt alone."""

    body: Mapping[str, Any]
    received_ms: int
    assurance: Assurance
    is_file: bool


def history(rng: Random) -> list[Sent]:
    """A few people, devices and addresses, entangled; some of it twice."""
    users, mails, devices = rng.randint(1, 4), rng.randint(1, 3), rng.randint(1, 4)
    sent = []
    for number in range(rng.choice([4, 8, 14, 20])):
        kind = rng.choice(["identify", "track"])
        body: dict[str, Any] = {"messageId": f"m{number}", "type": kind}
        names = {
            "userId": f"u{rng.randrange(users)}",
            "anonymousId": f"d{rng.randrange(devices)}",
        }
        chosen = rng.choice([("userId",), ("anonymousId",), ("userId", "anonymousId")])
        body |= {name: names[name] for name in chosen}
        at_ms = NOON_MS - rng.randrange(40) * DAY_MS - rng.randrange(3)
        if rng.random() < 0.9:
            body["timestamp"] = at_ms
        mail = {"email": f"e{rng.randrange(mails)}@x.org"} if rng.random() < 0.4 else {}
        if body["type"] == "identify":
            body["traits"] = {**mail, "plan": rng.choice(["a", "b", None]), "n": rng.randrange(3)}
        else:
            body["event"] = rng.choice(["Seen", "Order Completed"])
            currency = rng.choice(["EUR", "JPY"])
            body["properties"] = {**mail, "revenue": rng.randrange(50), "currency": currency}
        word = rng.choice([Assurance.CLAIMED, Assurance.VERIFIED])
        sent.append(Sent(body, NOON_MS + rng.randrange(6), word, rng.random() < 0.4))
    copies = [one for one in sent if rng.random() < 0.3]
    return sent + [
        Sent(one.body, one.received_ms + rng.randrange(3), one.assurance, one.is_file)
        for one in copies
    ]


def deliver(
    world: World, rng: Random, sent: Sequence[Sent], runs: int, stages: Sequence[Stage] = ()
) -> None:
    """In any order, alone or in batches, with runs between; each message with its own receipt."""
    pieces = list(enumerate(sent))
    rng.shuffle(pieces)
    stops = {rng.randrange(len(pieces) + 1) for _ in range(runs)}
    for place, (number, one) in enumerate(pieces):
        if place in stops:
            world.run(stages)
        told = {
            "received_ms": one.received_ms,
            "assurance": one.assurance,
            "source_id": "web",
            "request_id": f"{'import-' if one.is_file else ''}q{number}",
        }
        (world.put_file if one.is_file else world.send)(one.body, **told)


def oracle(events: Sequence[Event]) -> Persons:
    return expected(
        Message(
            event.message_key,
            event.received_ms,
            event.event_ms,
            int(event.assurance),
            tuple(seen.key for seen in event.identifiers),
        )
        for event in events
    )


def persons_of(events: Sequence[Event]) -> dict[str, frozenset[str]]:
    """Each person that should be, under the id that follows from its founding receipt."""
    by_key = {event.message_key: event for event in events}
    found = {}
    for part, (_, message_key, position) in oracle(events).parts.items():
        event = by_key[message_key]
        found[KEYRING.person_id(event.source_id, event.message_id, position)] = part
    return found


def facts_by_person(events: Sequence[Event]) -> dict[str, Facts]:
    return {
        person_id: reduce(merge, (facts_of(e) for e in events if e.anchor in part), NOTHING)
        for person_id, part in persons_of(events).items()
    }


def lake_persons(world: World) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, row in latest(world.catalogue.rows(IDENTITY), "identifier").items():
        if row["person_id"] is not None:
            found.setdefault(row["person_id"], set()).add(key)
    rows = latest(world.catalogue.rows(PERSONS), "person_id")
    standing = {person_id for person_id, row in rows.items() if row["state"] == "active"}
    assert standing == found.keys()
    assert all(rows[p]["identifiers"] == len(keys) for p, keys in found.items())
    return {person_id: frozenset(keys) for person_id, keys in found.items()}


def lake_facts(world: World) -> dict[str, Facts]:
    rows = latest(world.catalogue.rows(ANCHORS), "anchor_key")
    facts = {anchor: from_json(row["facts"]).facts for anchor, row in rows.items()}
    return {
        person_id: reduce(merge, (facts.get(key, NOTHING) for key in keys), NOTHING)
        for person_id, keys in lake_persons(world).items()
    }


def expected_cells(facts: Mapping[str, Facts], moment_ms: int) -> dict[str, tuple[Any, ...]]:
    bought = {
        person_id: [
            Spending(currency, o.count, o.revenue_minor, o.last_ms)
            for currency, o in one.orders.items()
        ]
        for person_id, one in facts.items()
    }
    return {
        person_id: (str(rfm.cell), rfm.code, rfm.frequency, rfm.monetary_minor, rfm.currency)
        for person_id, rfm in score(bought, moment_ms).items()
    }


def live_cells(world: World) -> dict[str, tuple[Any, ...]]:
    names = ("recency_score", "frequency_score", "monetary_score")
    return {
        person_id: (
            row["segment"],
            "".join(str(row[name]) for name in names),
            row["frequency"],
            row["monetary_minor"],
            row["currency"],
        )
        for person_id, row in world.cells().items()
    }


def check(world: World) -> None:
    """The lake is the oracle, and the live view is the lake, cell by cell."""
    events = world.events()
    facts = facts_by_person(events)
    assert lake_persons(world) == persons_of(events)
    assert lake_facts(world) == facts
    assert world.persons() == persons_of(events)
    assert world.profiles() == facts
    assert {key: m.group for r in world.roots().values() for key, m in r.members.items()} == (
        oracle(events).groups
    )
    assert live_cells(world) == expected_cells(facts, world.now_ms)
    check_profiles(world, facts)
    timed = {_entry_key(e) for e in events if e.original_ms is not None}
    assert timed <= world.entries()
    assert {sort_key[-26:] for _, sort_key in world.entries()} == {e.message_key for e in events}


def _entry_key(event: Event) -> tuple[str, str]:
    return f"I#{event.anchor}", f"X#{event.original_ms:015d}#{event.message_key}"


def check_profiles(world: World, facts: Mapping[str, Facts]) -> None:
    """Each trait names the message behind it, and the rest is as the facts say."""
    rows = latest(world.catalogue.rows(PROFILES), "person_id")
    for person_id, one in facts.items():
        row = rows[person_id]
        traits = orjson.loads(row["traits"])
        assert {name: (r.value, r.event_ms, r.key) for name, r in one.traits.items()} == {
            name: (told["value"], told["event_ms"], told["message_key"][:16])
            for name, told in traits.items()
        }
        assert orjson.loads(row["counters"]) == one.counters
        assert row["orders"] == sum(o.count for o in one.orders.values())


def snapshot(world: World) -> tuple[Any, ...]:
    tables = {name: world.catalogue.tables[name] for name in ("identity", "persons", "anchors")}
    tables |= {name: t for name, t in world.catalogue.tables.items() if name in ("profiles", "rfm")}
    items = sorted(
        (item["PK"]["S"], item["SK"]["S"], repr(sorted(item.items(), key=lambda kv: kv[0])))
        for item in world.dynamodb.items("profiles")
    )
    return {name: len(table.files) for name, table in tables.items()}, items


def play(seed: int, runs: int = 2) -> World:
    rng = Random(seed)
    world = World()
    deliver(world, rng, history(rng), runs)
    world.run()
    return world


@pytest.mark.parametrize("seed", seeds(SEEDS[:2], SEEDS[2:]))
@pytest.mark.failure_line(4)
def test_after_a_run_the_live_view_is_the_lake_and_both_are_the_oracle(seed: int) -> None:
    """Line 4: a late duplicate is one row in the lake and has no second effect in the profile."""
    check(play(seed))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(100, 500))
def test_the_same_holds_for_many_more_histories(seed: int) -> None:
    check(play(seed, runs=seed % 4))


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_order_copies_and_batches_do_not_matter(seed: int) -> None:
    sent = history(Random(seed))
    worlds = []
    for shuffle in range(2):
        world = World()
        deliver(world, Random(f"{seed}/{shuffle}"), sent, runs=shuffle * 2)
        world.run()
        worlds.append(world)
    one, two = worlds
    assert one.persons() == two.persons()
    assert one.profiles() == two.profiles()
    assert live_cells(one) == live_cells(two)


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_a_second_run_of_the_same_inputs_and_moment_changes_nothing(seed: int) -> None:
    world = play(seed, runs=1)
    before = snapshot(world)
    world.run()
    assert snapshot(world) == before


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_person_ids_survive_a_full_rebuild(seed: int) -> None:
    """From the archive alone: another lake, another table, the same persons."""
    world = play(seed, runs=1)
    rebuilt = World(archive=world.archive)
    rebuilt.run()
    assert lake_persons(rebuilt) == lake_persons(world)
    assert rebuilt.persons() == world.persons()
    assert rebuilt.profiles() == world.profiles()


def test_a_view_that_was_thrown_away_is_published_whole() -> None:
    world = play(1, runs=1)
    world.dynamodb.tables["profiles"].clear()
    run = world.open()
    world.load(run)
    world.publish(run, is_whole=True)
    world.close(run)
    check(world)


def test_publishing_page_by_page_ends_where_publishing_at_once_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A function that runs out of time after each page hands on where it stopped."""
    for module in (publishing_persons, publishing_anchors, publishing_timeline, publishing_rows):
        for name in ("KEYS_A_PAGE", "ANCHORS_A_PAGE", "ENTRIES_A_PAGE", "ROWS_A_PAGE"):
            monkeypatch.setattr(module, name, 2, raising=False)
    world = World()
    sent = [one for one in history(Random(3)) if one.is_file]
    for number, one in enumerate(sent):
        world.put_file(one.body, received_ms=one.received_ms, request_id=f"import-{number}")

    def in_pages(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
        published = world.publish(run, is_late=lambda: True)
        while published.left:
            calls.append(published.left.phase)
            published = world.publish(
                run, published.left, figures=published.figures, is_late=lambda: True
            )
        figures: Mapping[str, int] = published.figures
        return figures

    calls: list[str] = []
    world.run(stages=(*STAGES[:3], in_pages))
    assert len(calls) > 4
    facts = facts_by_person(world.events())
    assert world.profiles() == facts


@pytest.mark.failure_line(28)
def test_past_events_follow_their_anchor_into_the_person_of_today() -> None:
    """Line 28: past events keep the old person id for ever."""
    world = World()
    world.send(track("m1", anonymousId="d1"), request_id="q1")
    world.run()
    (before,) = world.persons()
    world.send(track("m2", userId="u1"), request_id="q2", received_ms=NOON_MS - 5)
    world.run()
    world.send(track("m3", userId="u1", anonymousId="d1"), request_id="q3")
    world.run()
    (after,) = world.persons()
    assert after != before
    assert world.profiles()[after].counters == {"Seen": 3}
    rows = latest(world.catalogue.rows(IDENTITY), "identifier").values()
    assert {row["person_id"] for row in rows} == {after}
    gone = latest(world.catalogue.rows(PERSONS), "person_id")[before]
    assert (gone["state"], gone["into"]) == ("merged", after)


@pytest.mark.failure_line(3)
def test_the_first_payload_of_a_message_is_what_the_profile_says_after_a_run() -> None:
    """Line 3: the same messageId with another payload: the first is kept."""
    world = World()
    late = {"type": "identify", "messageId": "m1", "userId": "u1", "timestamp": NOON_MS - 10}
    world.send({**late, "traits": {"plan": "late"}}, received_ms=NOON_MS + 9, request_id="q2")
    world.run()
    world.send({**late, "traits": {"plan": "first"}}, received_ms=NOON_MS, request_id="q1")
    world.run()
    (facts,) = world.profiles().values()
    assert facts.values == {"plan": "first"}
    assert facts.counters == {"$identify": 1}


@pytest.mark.failure_line(33)
def test_cells_move_with_the_moment_and_go_with_the_person() -> None:
    """Line 33: a window passes without an event, a late purchase changes RFM."""
    world = World()
    world.put_file(order("m1", "u1", 5, NOON_MS - 40 * DAY_MS), request_id="import-1")
    world.put_file(order("m2", "u2", 9, NOON_MS - DAY_MS), request_id="import-2")
    world.run()
    cells = {row["last_order_on"]: row["segment"] for row in world.cells().values()}
    world.put_file(order("m3", "u1", 900, NOON_MS), request_id="import-3")
    world.now_ms += 60 * DAY_MS
    world.run(moment_ms=world.now_ms)
    facts = facts_by_person(world.events())
    assert live_cells(world) == expected_cells(facts, world.now_ms)
    assert {row["last_order_on"]: row["segment"] for row in world.cells().values()} != cells


def track(message_id: str, **told: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Seen",
        "messageId": message_id,
        "timestamp": NOON_MS - 1000,
        **told,
    }


def order(message_id: str, user_id: str, revenue: int, at_ms: int) -> dict[str, Any]:
    properties = {"revenue": revenue, "currency": "EUR", "order_id": message_id}
    told = track(message_id, userId=user_id, timestamp=at_ms, properties=properties)
    return {**told, "event": "Order Completed"}


def seen(number: int, received_ms: int = 0, word: int = 2, **told: Any) -> Sent:
    """A track call by file, this many milliseconds after noon; more traits for more identifiers."""
    mail = {"properties": {"email": told.pop("email")}} if "email" in told else {}
    body = {**track(f"m{number}", **told), **mail}
    return Sent(body, NOON_MS + received_ms, Assurance(word), True)


def bought(number: int, received_ms: int, **told: Any) -> Sent:
    one = seen(number, received_ms, **told)
    body = {**one.body, "event": "Order Completed", "properties": {"revenue": 5, "currency": "EUR"}}
    return Sent(body, one.received_ms, one.assurance, True)


FOUNDED = [seen(n, (n * 5) % 7, userId=f"u{n // 4}", anonymousId=f"d{n // 4}") for n in range(24)]
TABLET = [seen(n, userId=f"u{n}", anonymousId="d0") for n in range(3)]
STEPS = [seen(0, userId="u0", anonymousId="d0")], [seen(1, email="e@x.org", anonymousId="d0")]
TWICE = [seen(0, userId="u0")], [seen(1, userId="u0")]
TAKEN = [bought(0, 5, anonymousId="d0")], [bought(1, 0, userId="u0", anonymousId="d0")]
AGAIN = (
    [seen(0, userId="u0")],
    [Sent(seen(0, userId="u0").body, NOON_MS + 3, Assurance.VERIFIED, False)],
)
# One identifier more than claims may join; by time and priority the second device is left out.
CLAIMED = [
    seen(0, word=1, userId="u0", email="e0@x.org"),
    seen(1, word=1, userId="u0", anonymousId="d0", timestamp=NOON_MS - 9),
    seen(2, word=1, userId="u0", anonymousId="d1", timestamp=NOON_MS - 5),
]


def persons_hold(world: World) -> None:
    assert lake_persons(world) == persons_of(world.events())


def facts_hold(world: World) -> None:
    assert lake_facts(world) == facts_by_person(world.events())


# Which part of the law a rule is broken against, and the stages that it takes.
Law = tuple[Sequence[Stage], Callable[[World], None]]
PERSONS_OF_LAKE: Law = ((resolve,), persons_hold)
FACTS_OF_LAKE: Law = ((resolve, unify), facts_hold)
LAKE_AND_VIEW: Law = (STAGES, check)
Broken = tuple[Any, str, str, str, Sequence[Sequence[Sent]], Law]
BROKEN: Mapping[str, Broken] = {
    "persons are born in the order of message keys": (
        *(evidence, "FIRST_SEEN", "and known.received_ms = said.received_ms", ""),
        [FOUNDED],
        PERSONS_OF_LAKE,
    ),
    "no value is ever off": (
        *(evidence, "OFF", "where persons > ", "where persons > 1000 + "),
        [TABLET],
        PERSONS_OF_LAKE,
    ),
    "only what new evidence names is looked at": (
        *(state, "WIDER", "where key not in (select key from touched)", "where key is null"),
        STEPS,
        PERSONS_OF_LAKE,
    ),
    "the person limit is not looked at": (
        *(resolving, "SUSPECT", "size > {person_limit}", "size > 1000 + {person_limit}"),
        [CLAIMED],
        PERSONS_OF_LAKE,
    ),
    "edges are ruled on in the order of their keys": (
        *(
            resolving,
            "ORDERED",
            "weakness, priority, event_ms, message_key, position, a, b",
            "a, b",
        ),
        [CLAIMED],
        PERSONS_OF_LAKE,
    ),
    "anchors are folded from new events alone": (
        *(profiles, "BASE", "where {only}", "where false and {only}"),
        TWICE,
        FACTS_OF_LAKE,
    ),
    "cells of persons that are gone stay": (
        *(segments, "LEFT", "where was.segment is not null", "where false"),
        TAKEN,
        LAKE_AND_VIEW,
    ),
    "the ring does not learn what the run has": (
        *(
            publishing_anchors,
            "IDS_OF_PAGE",
            "where anchor_key in",
            "where false and anchor_key in",
        ),
        AGAIN,
        LAKE_AND_VIEW,
    ),
    "what is new is taken for old": (logs, "FRESH", "not in", "in", TWICE, FACTS_OF_LAKE),
}


@pytest.mark.deep
@pytest.mark.parametrize("name", BROKEN)
def test_a_stage_that_breaks_one_rule_is_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module, statement, right, wrong, pieces, (stages, holds) = BROKEN[name]
    holds(in_pieces(pieces, stages))
    text = getattr(module, statement)
    assert right in text
    monkeypatch.setattr(module, statement, text.replace(right, wrong))
    with pytest.raises((AssertionError, KeyError, PublishError)):
        holds(in_pieces(pieces, stages))


def in_pieces(pieces: Sequence[Sequence[Sent]], stages: Sequence[Stage] = ()) -> World:
    """A run after each piece, of all stages unless some are named."""
    world = World()
    for place, piece in enumerate(pieces):
        for number, one in enumerate(piece):
            told = {"received_ms": one.received_ms, "assurance": one.assurance, "source_id": "web"}
            way = world.put_file if one.is_file else world.send
            way(one.body, request_id=f"import-{place}-{number}", **told)
        world.run(stages)
    return world


@pytest.mark.failure_line(3)
def test_a_conflicting_copy_at_another_anchor_leaves_nothing_behind_after_a_run() -> None:
    """Line 3: the first is kept; the second, which the live loop had to believe, is taken back."""
    world = World()
    world.send(track("m1", userId="u1"), request_id="q1")
    world.run()
    world.send(track("m1", userId="u2"), request_id="q2", received_ms=NOON_MS + 9)
    between = {facts.counters.get("Seen", 0) for facts in world.profiles().values()}
    world.run()
    after = sorted(facts.counters.get("Seen", 0) for facts in world.profiles().values())
    assert (between, after) == ({1}, [0, 1])
