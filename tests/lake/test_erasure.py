"""A person goes from every store, nothing brings it back, and nobody else goes with it."""

import gzip
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
from pyiceberg.table import Table

from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import Kind, State
from stamgast.erasure.subject import Subject
from stamgast.identity.interpret import interpret
from stamgast.identity.star import star_of
from stamgast.lookup.reader import Reader
from stamgast.lookup.segments.jobs import Job
from stamgast.lookup.segments.jobs import Kind as JobKind
from stamgast.moments import iso_of
from stamgast.raw.record import RawRecord
from stamgast_aws.segment_jobs import DynamoSegmentJobs
from stamgast_lake.erasure import history
from stamgast_lake.erasure.archive import tombstones_of
from stamgast_lake.erasure.proof import Search, Searched
from stamgast_lake.erasure.work import RightsWork, unsalted
from stamgast_lake.tables import ICEBERG
from tests.lake.erasure_world import DAY_MS, ErasureWorld, erasure_world
from tests.lake.world import KEYRING, NOON_MS


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def event(name: str, at_ms: int = NOON_MS, **told: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "messageId": name, "timestamp": iso_of(at_ms), **told}


def identify(name: str, at_ms: int = NOON_MS, **told: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": name, "timestamp": iso_of(at_ms), **told}


CANARY = {"user_id": "canary-7731", "email": "canary.bird@example.com"}
KEEPER = {"user_id": "keeper-1122", "email": "keeper@example.com"}


def planted(world: ErasureWorld) -> None:
    """The canary through every door, somebody else beside it."""
    world.send(
        event("c1", anonymousId="canary-device-55"),
        identify(
            "c2",
            anonymousId="canary-device-55",
            userId=CANARY["user_id"],
            traits={"email": "Canary.Bird@Example.com", "name": "Canary Bird"},
        ),
        identify("k1", userId=KEEPER["user_id"], traits={"email": KEEPER["email"]}),
        event("k2", userId=KEEPER["user_id"]),
        request_id="r1",
    )
    world.send({"type": "track", "userId": CANARY["user_id"]}, request_id="r2")
    world.put(
        "imports/shop/sales.csv",
        b"type,userId,event,messageId,properties.note\n"
        b"track,canary-7731,Sold,f1,for canary.bird@example.com\n"
        b"track,keeper-1122,Sold,f2,\n",
    )
    world.run()
    world.send(event("c3", NOON_MS - 40 * DAY_MS, userId=CANARY["user_id"]), request_id="r3")
    world.run()
    world.dead_letter(
        event("c4", userId=CANARY["user_id"]),
        event("k4", userId=KEEPER["user_id"]),
        request_id="r4",
    )
    world.put("exports/job/part.csv", b"person,email\nx,canary.bird@example.com\n")
    world.put("exports/job/part.csv", b"person,email\nx,keeper@example.com\n")
    world.put("errors/raw/processing-failed/1.gz", gzip.compress(b"canary.bird@example.com"))
    world.put("models/artefacts/m/panel.json", b'{"who":"canary-7731"}')
    world.send(event("c5", userId=CANARY["user_id"]), request_id="r5")  # no run has seen it


NOTHING: dict[str, list[str]] = {"objects": [], "files": [], "items": [], "messages": []}


@pytest.mark.failure_line(36)
@pytest.mark.failure_line(37)
def test_nothing_of_an_erased_person_is_left_and_nothing_brings_it_back(
    world: ErasureWorld,
) -> None:
    """FAILURES lines 36 and 37: search every store, let late events come, replay the archive."""
    planted(world)
    archive = world.archived()
    whole, swept = world.erase(world.subject(user_id=CANARY["user_id"]))
    needles = needles_of([whole])
    assert set(whole.values.values()) >= {*CANARY.values(), "canary-device-55"}
    assert not swept.recomputes
    assert world.found(needles) == NOTHING
    assert removed_files(world) == 0

    world.redrive()
    world.send(event("late", userId=CANARY["user_id"]), request_id="r9", received_ms=world.now_ms)
    world.send({"type": "track", "userId": CANARY["user_id"]}, request_id="r10")
    world.restore(archive)
    world.run()
    assert world.found(needles) == NOTHING
    assert len(world.persons()) == 1
    states = world.states()
    assert states["suppressed"] > 5
    assert all(row["is_conserved"] for row in world.rows("reconciliation"))

    world.now_ms += DAY_MS
    world.send(
        event("new", world.now_ms, userId=CANARY["user_id"]),
        request_id="r11",
        received_ms=world.now_ms,
    )
    world.run()
    assert len(world.persons()) == 2
    assert whole.persons.isdisjoint(world.persons())


@pytest.mark.failure_line(37)
def test_somebody_never_joined_keeps_no_key_of_the_erased_whom_they_were_cut_from(
    world: ErasureWorld,
) -> None:
    """FAILURES line 37: the root of the other carries the pair, and no evidence leads there."""
    world.send(identify("c1", userId=CANARY["user_id"]), identify("k1", userId=KEEPER["user_id"]))
    world.cut(("user_id", CANARY["user_id"]), ("user_id", KEEPER["user_id"]))
    whole = world.live_tables.resolve(world.subject(user_id=CANARY["user_id"]))
    world.live_tables.erase(whole)
    assert world.found(needles_of([whole]))["items"] == []
    assert len(world.roots()) == 1


def removed_files(world: ErasureWorld) -> int:
    """How many files that are gone newest snapshots still list, with the first signs of values."""
    tables = [
        found for one in ICEBERG if isinstance(found := world.lake.catalogue.find(one), Table)
    ]
    newest = [(one, one.current_snapshot()) for one in tables]
    told = [m for one, snapshot in newest if snapshot for m in snapshot.manifests(one.io)]
    return sum(one.deleted_files_count or 0 for one in told)


def test_a_history_that_lists_removed_files_is_found(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_without_removed", lambda _: None)
    world.send(identify("c1", userId=CANARY["user_id"]), identify("k1", userId=KEEPER["user_id"]))
    world.run()
    world.erase(world.subject(user_id=CANARY["user_id"]))
    assert removed_files(world) > 0


def test_erasing_one_of_two_wrongly_merged_persons_leaves_the_other_whole(
    world: ErasureWorld,
) -> None:
    world.send(
        identify("a1", userId="first-1111", traits={"email": "first@example.com"}),
        identify("b1", userId="second-2222", traits={"email": "second@example.com", "age": 50}),
        event("b2", userId="second-2222", properties={"note": "told by first@example.com"}),
        identify("b3", userId="second-2222", traits={"email": "first@example.com"}),
        event("b4", userId="second-2222"),
    )
    world.run()
    assert len(world.persons()) == 1
    world.cut(("user_id", "first-1111"), ("user_id", "second-2222"))
    world.run()
    assert len(world.persons()) == 2
    whole, swept = world.erase(world.subject(user_id="first-1111"))
    assert swept.recomputes
    assert "second-2222" not in whole.values.values()
    world.run()
    assert world.found(needles_of([whole])) == NOTHING
    [profile] = world.profiles().values()
    assert profile.counters["b4"] == 1
    assert profile.traits["age"].value == 50
    assert [row["state"] for row in world.rows("persons_current")] == ["active"]
    assert all(row["is_conserved"] for row in world.rows("reconciliation"))


def prove_while_another_pass_does(work: RightsWork) -> None:
    """Two passes have searched, and the one that comes second keeps what the first forgot."""
    looked = Search.together

    def together(search: Search, subjects: Mapping[str, Subject]) -> Searched:
        told = looked(search, subjects)
        with mock.patch.object(Search, "together", looked):
            assert work.prove() == len(subjects)
        return told

    with mock.patch.object(Search, "together", together):
        work.prove()


def test_requests_are_planned_carried_out_answered_and_proven_together(
    world: ErasureWorld,
) -> None:
    world.send(
        identify("p1", userId="person-aaaa", traits={"email": "one@example.com", "name": "<b>"}),
        identify("p2", userId="person-bbbb", traits={"email": "two@example.com"}),
        event("p3", userId="person-aaaa"),
    )
    world.run()
    work = world.work()
    plan = work.plan(world.subject(user_id="person-aaaa"))
    assert plan["stores"]["events"] == 2
    assert plan["stores"]["raw/"] == 2
    assert (plan["identifiers"], plan["others_touched"]) == (2, 0)
    access = world.request(Kind.ACCESS, user_id="person-aaaa")
    work.carry_out([access])
    record = orjson.loads(world.body(f"exports/{access}/record.json"))
    assert {one["value"] for one in record["identifiers"]} == {"person-aaaa", "one@example.com"}
    assert len(record["events"]) == 2
    assert record["profile"][0]["traits"]["email"]["source_id"] == "web"
    page = world.body(f"exports/{access}/record.html").decode()
    assert "one@example.com" in page
    assert "<b>" not in page
    # Who asked for the record is in the audit log, and leads to the person while their salt stands.
    [ref] = dict(world.salts.persons()).values()
    assert ref.encode() in world.audited()
    assert b"desk" in world.audited()

    erasures = [world.request(Kind.ERASURE, user_id=f"person-{who}") for who in ("aaaa", "bbbb")]
    work.carry_out(erasures)
    states = [world.requests.read(one) for one in erasures]
    assert [one.state for one in states if one] == [State.COMPLETED, State.COMPLETED]
    assert world.requests.open_ids() == sorted(erasures)
    prove_while_another_pass_does(work)
    assert world.requests.open_ids() == []
    assert [world.requests.document(one) for one in erasures] == [None, None]
    proven = world.requests.read(erasures[0])
    assert proven is not None
    certificate = proven.report["certificate"]
    assert (certificate["remaining"], certificate["found"] > 5) == (0, True)
    assert certificate["physically_gone_by"] > certificate["unreachable_since"]
    assert {one["store"] for one in certificate["unreadable"]} >= {"control-recovery", "RawStream"}
    assert certificate["signature"]["signature"]
    assert "person-aaaa" not in str(world.dynamodb.items("control"))
    assert dict(world.salts.persons()) == {}
    assert ref.encode() in world.audited()
    assert world.roots() == {}
    repeated = world.requests.read(erasures[1])
    work.carry_out(erasures)
    assert world.requests.read(erasures[1]) == repeated


@pytest.mark.failure_line(36)
@pytest.mark.failure_line(37)
def test_who_bears_a_longer_identifier_stays_whole_and_the_proof_ends(
    world: ErasureWorld,
) -> None:
    """FAILURES lines 36 and 37: `customer-1` goes, `customer-10` and their likes stay."""
    gone = {"user_id": "customer-1", "email": "ada@example.com"}
    stays = {"user_id": "customer-10", "email": "nada@example.com"}
    world.send(
        identify("g1", userId=gone["user_id"], traits={"email": gone["email"]}),
        event("g2", userId=gone["user_id"]),
        identify("s1", userId=stays["user_id"], traits={"email": stays["email"], "age": 50}),
        event("s2", userId=stays["user_id"], properties={"note": f"{stays['email']} asked"}),
        request_id="r1",
    )
    world.send({"type": "track", "userId": stays["user_id"]}, request_id="r2")
    drop = b"type,userId,event,messageId\ntrack,customer-1,Sold,f1\ntrack,customer-10,Sold,f2\n"
    world.put("imports/shop/sales.csv", drop)
    world.put("exports/job/part.csv", b"person,email\nx,nada@example.com\n")
    world.run()
    had = untouched(world)

    work, asked = world.work(), world.request(Kind.ERASURE, user_id=gone["user_id"])
    assert work.carry_out([asked]) == {asked: "completed"}
    world.run()
    assert work.prove() == 1
    assert world.requests.open_ids() == []
    assert untouched(world) == had
    [profile] = world.profiles().values()
    assert profile.traits["age"].value == 50
    assert (profile.counters["s2"], profile.counters["Sold"]) == (1, 1)
    assert world.body("imports/shop/sales.csv").count(b"customer") == 1
    assert world.found(needles_of([world.subject(**gone)]))["files"] == []
    assert all(row["is_conserved"] for row in world.rows("reconciliation"))


def untouched(world: ErasureWorld) -> tuple[list[bytes], bytes]:
    """The archive's lines and the export that tell of the longer identifiers alone."""
    lines = sorted(line for line in gunzipped(world) if b"customer-10" in line)
    return lines, world.body("exports/job/part.csv")


def gunzipped(world: ErasureWorld) -> Iterator[bytes]:
    for body in world.archived().values():
        yield from gzip.decompress(body).splitlines()


@pytest.mark.failure_line(36)
def test_who_is_there_again_after_a_restore_is_erased_anew_and_who_came_back_is_not(
    world: ErasureWorld,
) -> None:
    """FAILURES line 36: a backup that was made before the erasure is put back."""
    world.send(
        identify("c1", userId=CANARY["user_id"], traits={"email": CANARY["email"]}),
        identify("k1", userId=KEEPER["user_id"], traits={"email": KEEPER["email"]}),
        request_id="r1",
    )
    world.run()
    whole = world.live_tables.resolve(world.subject(user_id=CANARY["user_id"]))
    assert world.compared() == []
    # The tombstones stand, and the tables are as they were before the erasure.
    world.log.put(tombstones_of([whole]).values())
    world.salts.of([*whole.persons])  # a backup of `control` brought the salt back as well
    world.log.put_gone(unsalted([whole], KEYRING))
    [again] = world.compared()
    asked = world.requests.read(again)
    assert asked is not None
    assert (asked.until_ms, set(asked.keys)) == (whole.until_ms, whole.keys)
    assert dict(world.salts.persons()) == {}
    assert world.work().carry_out([again]) == {again: "completed"}
    assert world.compared() == []
    left = world.found(needles_of([whole]))["items"]
    assert [item for item in left if item.startswith("profiles")] == []
    assert len([i for i in world.dynamodb.items("profiles") if i["PK"]["S"][:2] == "P#"]) == 1

    world.now_ms += DAY_MS
    told = event("new", world.now_ms, userId=CANARY["user_id"])
    world.send(told, request_id="r2", received_ms=world.now_ms)
    assert world.compared() == []

    # An erasure that is opened again takes who came back under their identifier for somebody else.
    roots = {i["PK"]["S"] for i in world.dynamodb.items("profiles") if i["PK"]["S"][:2] == "P#"}
    again = world.live_tables.resolve(whole)
    assert not any(f"P#{person_id}" in roots for person_id in again.persons)
    world.live_tables.erase(again)
    stand = {i["PK"]["S"] for i in world.dynamodb.items("profiles")}
    assert stand >= roots | {f"I#{key}" for key in whole.keys & again.keys if key[:8] == "user_id:"}


ALIAS = {"userId": CANARY["email"], "anonymousId": "their-own-device"}


@pytest.mark.failure_line(37)
def test_what_strangers_wrote_of_the_erased_goes_with_the_second_search_and_they_stay(
    world: ErasureWorld,
) -> None:
    """FAILURES line 37: in notes, orders, message ids, and a user id that spells the address."""
    mail = CANARY["email"]
    world.send(
        identify("c1", userId=CANARY["user_id"], traits={"email": mail}),
        identify(
            f"order:{mail}",
            userId=KEEPER["user_id"],
            traits={"age": 50, "note": f"of {mail}, said"},
        ),
        bought("k1", mail, userId=KEEPER["user_id"]),
        event("k2", userId=KEEPER["user_id"], properties={"note": f"ask {mail} again"}),
        {**event("k3", userId=KEEPER["user_id"]), "event": f"mailed {mail}"},
        {**event("k4", userId=KEEPER["user_id"]), "type": "group", "groupId": mail},
        identify("a1", **ALIAS, traits={"age": 40}),
        event("a2", userId=mail),
    )
    digest = sha256(mail.encode()).hexdigest()
    world.dead_letter(event("k5", userId="a-third-one", properties={"em": digest}))
    world.dead_letter(event("a3", userId=mail))
    world.run()
    decided = tuple(sorted(KEYRING.identifier_key("user_id", x) for x in (KEEPER["user_id"], mail)))
    world.cut(("user_id", KEEPER["user_id"]), ("user_id", mail), reason=f"{mail} says they are two")
    asked_before = {"rule": f"traits.email = '{mail}'"}
    questions = DynamoSegmentJobs(world.dynamodb, "control")
    questions.put(Job("q1", JobKind.PREVIEW, Reader("desk", ("*",)), asked_before, world.now_ms))
    world.run()
    had, canary = world.persons(), KEYRING.identifier_key("user_id", CANARY["user_id"])
    work, asked = world.work(), world.request(Kind.ERASURE, user_id=CANARY["user_id"])
    needles = needles_of([world.subject(**CANARY)])
    work.carry_out([asked])
    assert work.prove() == 1
    assert work.is_found_again()
    assert work.carry_out([asked]) == {asked: "completed"}
    world.seq += 2  # each erasure took a number of the lease
    world.redrive()
    world.run()
    assert work.prove() == 1
    assert not work.is_found_again()
    assert world.requests.open_ids() == []
    assert world.found(needles) == {**NOTHING, "items": ["control RI @"]}  # its keys, as proof
    [item] = [i for i in world.dynamodb.items("control") if i["PK"]["S"] == "DECISIONS"]
    assert tuple(one["S"] for one in item["pair"]["L"]) == decided
    assert item["reason"]["S"] == " says they are two"
    stayed = {one: keys for one, keys in had.items() if canary not in keys}
    assert stayed.items() <= world.persons().items()
    assert refounded(world) == set(world.persons())
    profiles = [world.profiles()[one] for one in sorted(stayed, key=lambda one: len(stayed[one]))]
    assert [one.traits["age"].value for one in profiles] == [50, 40]
    assert profiles[0].traits["note"].value == "of , said"
    assert (profiles[0].counters["k2"], profiles[1].counters["a3"]) == (1, 1)


def bought(name: str, order_id: str, **told: Any) -> dict[str, Any]:
    lines = [{"product_id": order_id, "category": order_id, "price": 9, "quantity": 1}]
    properties = {"order_id": order_id, "revenue": 9, "currency": "EUR", "products": lines}
    context = {"locale": order_id, "timezone": order_id}
    told = {**told, "properties": properties, "context": context}
    return {**event("Order Completed", **told), "messageId": name}


def refounded(world: ErasureWorld) -> set[str]:
    """The persons whom the archive would found anew, as far as they stand."""
    settings = world.workspace.identity
    records = (RawRecord.from_json(line) for line in gunzipped(world))
    stars = (star_of(interpret(one, settings, KEYRING), KEYRING) for one in records)
    births = {seen.born.person_id for star in stars if star for seen in star.sightings.values()}
    return births & world.roots().keys()
