"""Cuts and lifts over live persons: what each becomes, and what survives."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.corrections import begin, publish_identity
from stamgast.identity.cut_job import CutJob
from stamgast.identity.cut_request import TooManyPairsError
from stamgast.identity.cuts import held_together
from stamgast.identity.cutting import resume_cuts
from stamgast.identity.decision import Verdict, pair_of
from stamgast.identity.edge import EdgeState, Pair, Reason
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.interpret import interpret
from stamgast.identity.plan import Cause
from stamgast.identity.root import RootState
from stamgast.identity.settings import DEFAULT
from stamgast.identity.star import Star, star_of
from stamgast.identity.store import (
    CheckDecision,
    Outcome,
    PutRoot,
    StoreError,
    UnlockRoot,
    Write,
)
from stamgast.identity.survey import Survey, named_cuts, survey
from stamgast.raw.record import RawRecord
from stamgast_aws.cut_store import DynamoCutStore
from tests.fakes.cuts import KEYRING, Place, key_of, keys, star
from tests.fakes.dynamodb import DynamoDB, Fault, copied

U, E, D, F = "user_id:1", "email:a@x.nl", "anonymous_id:d", "anonymous_id:f"
HISTORY = (star("m1", U, E), star("m2", U, D, at_ms=1), star("m3", E, F, at_ms=2))


@pytest.fixture
def place() -> Place:
    """Two identifiers that are one person, each with a device of its own."""
    place = Place()
    place.live(HISTORY)
    assert place.persons() == {keys(U, E, D, F)}
    return place


def test_each_side_is_the_person_that_it_would_have_been(place: Place) -> None:
    (old,) = place.roots().values()
    job = place.cut((U, E))
    assert job is not None
    assert job.report is not None
    assert job.report["holds"]
    roots = {frozenset(root.members): root for root in place.roots().values()}
    assert roots.keys() == {keys(U, D), keys(E, F)}
    assert roots[keys(U, D)].person_id == old.person_id
    assert roots[keys(E, F)].founder == key_of(E)
    assert roots[keys(E, F)].anchors == keys(E)
    pair = pair_of(key_of(U), key_of(E))
    assert all(root.cannot_links == {pair} for root in roots.values())
    _, edges = place.store.read_persons([], [(key_of(U), key_of(E))])
    (edge,) = edges.values()
    assert (edge.state, edge.why) == (EdgeState.CUT, Reason.CANNOT_LINK)


def test_a_part_that_was_a_person_before_is_revived_under_its_id() -> None:
    place = Place()
    place.live([star("m1", U), star("m2", E, F, at_ms=1)])
    ids = {frozenset(root.members): p for p, root in place.roots().items()}
    place.live([star("m3", U, E, at_ms=2)])
    assert len(place.roots()) == 1
    place.cut((U, E))
    assert {frozenset(root.members): p for p, root in place.roots().items()} == ids


def test_a_cut_between_two_persons_goes_onto_both_and_moves_nobody() -> None:
    place = Place()
    place.live([star("m1", U, D), star("m2", E, F)])
    before = place.persons()
    place.cut((U, E))
    assert place.persons() == before
    pair = pair_of(key_of(U), key_of(E))
    assert all(root.cannot_links == {pair} for root in place.roots().values())
    place.live([star("m3", U, E, at_ms=3), star("m4", D, F, at_ms=4)])
    assert place.persons() == before


def test_absent_identifiers_are_minted_and_stay_apart_from_their_first_event_on() -> None:
    place = Place()
    job = place.cut((U, E))
    assert job is not None
    assert not job.is_open
    assert place.persons() == {keys(U), keys(E)}
    assert all(not root.anchors for root in place.roots().values())
    pointers = place.store.read_pointers(keys(U, E)).values()
    assert {pointer.value for pointer in pointers} == {"1", "a@x.nl"}
    assert {pointer.assurance for pointer in pointers} == {Assurance.ANONYMOUS}
    place.live([star("m1", U, E)])
    assert place.persons() == {keys(U), keys(E)}
    assert {a for root in place.roots().values() for a in root.anchors} == keys(U)


def test_the_archived_decision_reads_back_without_an_edge_and_without_facts(place: Place) -> None:
    place.cut((U, E))
    (line,) = place.archive.lines
    record = RawRecord.from_json(line)
    event = interpret(record, DEFAULT, KEYRING)
    assert (event.type, event.anchor, event.identifiers) == ("cut", None, ())
    assert tuple(seen.key for seen in event.decided) == pair_of(key_of(U), key_of(E))
    assert star_of(event, KEYRING) is None
    assert event.properties == {"by": "privacy", "reason": ""}


def test_a_source_of_the_workspace_cannot_decide(place: Place) -> None:
    place.cut((U, E))
    record = RawRecord.from_json(place.archive.lines[0])
    event = interpret(replace(record, source_id="web"), DEFAULT, KEYRING)
    assert event.decided == ()


# FAILURES line 27, clause by clause


@pytest.mark.failure_line(27)
def test_an_un_merge_of_the_founding_identifier_parts_it_and_blanks_nothing(place: Place) -> None:
    """Line 27: an un-merge of the founding identifier does nothing, or blanks the profile."""
    (old,) = place.roots().values()
    assert old.founder == key_of(U)
    job = leave(place, U)
    assert job is not None
    assert place.persons() == {keys(U), keys(D), keys(E, F)}
    founded = next(root for root in place.roots().values() if key_of(U) in root.members)
    assert founded.person_id == old.person_id
    assert founded.anchors == keys(U)
    assert {a for root in place.roots().values() for a in root.anchors} == old.anchors


@pytest.mark.failure_line(27)
def test_a_partial_un_merge_of_a_mega_person_moves_no_more_than_was_named() -> None:
    """Line 27: a partial un-merge of a mega-person moves more than was named."""
    place = Place()
    devices = [f"anonymous_id:d-{n}" for n in range(60)]
    place.live(star(f"m{n}", U, device, at_ms=n) for n, device in enumerate(devices))
    (old,) = place.roots().values()
    leave(place, *devices[7:9])
    assert place.persons() == {
        keys(U, *devices[:7], *devices[9:]),
        keys(devices[7]),
        keys(devices[8]),
    }
    assert place.roots()[old.person_id].members.keys() == keys(U, *devices[:7], *devices[9:])


@pytest.mark.failure_line(27)
@pytest.mark.failure_line(15)
def test_after_an_un_merge_a_replay_does_not_make_them_one_again(place: Place) -> None:
    """Line 27: un-merge, then replay, and they are one again; by new paths, too."""
    place.cut((U, E))
    parts = place.persons()
    place.live([*reversed(HISTORY), *HISTORY])
    assert place.persons() == parts
    place.live([star("m8", D, F, at_ms=8), star("m9", U, E, at_ms=9)])
    assert place.persons() == parts


@pytest.mark.failure_line(27)
def test_events_that_arrive_during_an_un_merge_are_not_lost(place: Place) -> None:
    """Line 27: events arrive during an un-merge."""
    job = place.ask(Verdict.CUT, (U, E))
    assert job is not None
    late = star("m7", U, "email:new@x.nl", at_ms=7)

    def arriving(operation: str, request: object) -> None:
        if operation == "TransactWriteItems" and "was" not in seen:
            seen["was"] = True
            place.live([late])

    seen: dict[str, bool] = {}
    place.client.before = arriving
    assert not place.cutter.carry_out(job).is_open
    place.client.before = lambda *_: None
    assert place.persons() == {keys(U, D, "email:new@x.nl"), keys(E, F)}


@pytest.mark.failure_line(28)
def test_past_events_follow_their_anchor_to_the_person_of_now(place: Place) -> None:
    """Line 28: past events keep the old person id for ever; no item of facts names a person."""
    (old,) = place.roots()
    place.cut((U, E))
    for pk, items in place.client.tables["profiles"].items():
        for sk in items:
            if sk not in ("@",) and pk.startswith("I#"):
                assert old not in repr(place.client.item("profiles", pk, sk))
    owner = {a: p for p, root in place.roots().items() for a in root.anchors}
    assert owner.keys() == keys(U, E)
    assert owner[key_of(E)] != old


# requests repeated, lost, and racing


def leave(place: Place, *told: str) -> CutJob | None:
    """The identifiers leave their person."""
    pairs = place.requests.leaving([key_of(one) for one in told])
    pointers = place.store.read_pointers({key for pair in pairs for key in pair})
    named = {key: f"{p.namespace}:{p.value}" for key, p in pointers.items()}
    return place.cut(*((named[a], named[b]) for a, b in pairs)) if pairs else None


def test_the_same_request_again_changes_nothing(place: Place) -> None:
    place.cut((U, E))
    before = repr(place.client.tables)
    assert place.cut((E, U)) is None
    assert leave(place, U, D) is None
    assert repr(place.client.tables) == before
    assert len(place.archive.lines) == 1


def test_a_cut_stays_until_it_is_lifted_and_may_be_made_again(place: Place) -> None:
    whole = place.persons()
    place.cut((U, E))
    place.lift((U, E))
    assert place.persons() == whole
    assert all(not root.cannot_links for root in place.roots().values())
    place.cut((U, E))
    assert place.persons() == {keys(U, D), keys(E, F)}
    place.live(HISTORY)
    assert place.persons() == {keys(U, D), keys(E, F)}
    verdicts = [RawRecord.from_json(line).type for line in place.archive.lines]
    assert verdicts == ["cut", "lift", "cut"]


def test_what_was_never_cut_cannot_be_lifted(place: Place) -> None:
    assert place.lift((U, E)) is None
    assert place.archive.lines == []


@pytest.mark.failure_line(21)
def test_whatever_call_dies_the_job_is_carried_out_to_the_same_end(place: Place) -> None:
    """Line 21: a reply is lost; the job that a dead process left is taken up again."""
    for fault in (Fault.LOST_REPLY, Fault.LOST_REQUEST):
        for at in range(60):
            one = Place()
            one.client.tables = copied(place.client.tables)
            if not _dies_at(one, at, fault):
                break
            assert resume_cuts(one.cutter) <= 1
            again = one.ask(Verdict.CUT, (U, E))
            done = one.cutter.carry_out(again) if again else None
            assert done is None or not done.is_open
            assert one.persons() == {keys(U, D), keys(E, F)}, (fault, at)
            assert one.store.open_cuts() == []
            assert one.store.open_jobs() == []
            assert len({RawRecord.from_json(line).receipt_id for line in one.archive.lines}) == 1
        else:
            pytest.fail("a cut makes fewer calls")


def _dies_at(place: Place, call: int, fault: Fault) -> bool:
    """Whether a cut was hit: its call of this number fails and the process dies with it."""
    calls = 0

    def hit(operation: str, request: object) -> Fault | None:
        nonlocal calls
        calls += 1
        if calls == call + 1:
            return fault
        if calls > call + 1:
            raise SystemExit
        return None

    place.client.before = hit
    try:
        place.cut((U, E))
    except (StoreError, SystemExit):
        pass
    finally:
        place.client.before = lambda *_: None
    return calls > call


def test_a_large_person_is_cut_in_chunks_under_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stamgast.identity.changes.MOST_WRITES", 6)
    monkeypatch.setattr("stamgast.identity.changes.CHUNK", 2)
    place = Place()
    place.live(HISTORY)
    locked = []

    class Watching(type(place.store)):  # type: ignore[misc]
        def commit(self, writes):  # type: ignore[no-untyped-def]
            locked.extend(w.root.state for w in writes if isinstance(w, PutRoot | UnlockRoot))
            return super().commit(writes)

    place.store = Watching(place.client, "profiles", "control", lambda _: None)
    place.cut((U, E))
    assert RootState.SPLITTING in locked
    assert place.persons() == {keys(U, D), keys(E, F)}


def raced_by_a_lift(place: Place) -> bool:
    """A lift is decided and done between a cut's reads and its write: is a cannot-link left?"""
    late = Place(client=place.client, archive=place.archive)
    job = place.ask(Verdict.CUT, (U, E))
    assert job is not None
    seen: dict[str, bool] = {}

    def lifting(operation: str, request: dict[str, list[object]]) -> None:
        puts = [entry for entry in request.get("TransactItems", ()) if "Put" in repr(entry)[:8]]
        is_roots = any("'S': 'P#" in repr(entry) for entry in puts)
        if operation == "TransactWriteItems" and is_roots and not seen:
            seen["was"] = True
            late.now_ms = place.now_ms
            late.lift((U, E))

    place.client.before = lifting
    place.cutter.carry_out(job)
    place.client.before = lambda *_: None
    assert seen
    return any(root.cannot_links for root in place.roots().values())


class Unguarded(DynamoCutStore):
    """Nobody asks whether the decision still stands that a change was planned under."""

    def commit(self, writes: Sequence[Write]) -> Outcome:
        kept = [write for write in writes if not isinstance(write, CheckDecision)]
        return super().commit(kept)


@pytest.mark.parametrize("are_one", [True, False])
def test_a_lift_that_is_decided_meanwhile_leaves_no_cannot_link_behind(are_one: bool) -> None:
    """The cut's transaction holds that its decision still stands; left out, it is caught."""
    history = HISTORY if are_one else HISTORY[1:]
    place, broken = Place(), Place()
    for one in (place, broken):
        one.live(history)
    broken.store = Unguarded(broken.client, "profiles", "control", lambda _: None)
    before = place.persons()
    assert not raced_by_a_lift(place)
    assert place.persons() == before
    assert raced_by_a_lift(broken)


def test_a_cut_asked_before_another_was_made_and_lifted_decides_nothing_anew(place: Place) -> None:
    """A message under one id is archived once, with one moment: rebuilds read what stands live."""
    whole, early = place.persons(), Place(client=place.client, archive=place.archive)
    place.now_ms += 100
    seen: list[str] = []

    def cutting_and_lifting(operation: str, request: dict[str, list[object]]) -> None:
        if operation == "TransactWriteItems" and "CUT#" in repr(request) and not seen:
            seen.append(operation)
            early.cut((U, E))
            early.lift((U, E))

    place.client.before = cutting_and_lifting
    job = place.cut((U, E))
    place.client.before = lambda *_: None
    assert seen
    assert job is not None
    assert job.at_ms < place.now_ms
    assert place.persons() == whole
    assert all(not root.cannot_links for root in place.roots().values())
    lines = {RawRecord.from_json(line).message_id: line for line in place.archive.lines}
    assert sorted(lines.values()) == sorted(place.archive.lines)


def published_late(place: Place) -> bool:
    """A run whose inputs are older than a lift publishes after it: is a cannot-link left?"""
    place.cut((U, E))
    inputs = EvidenceInMemory.of(HISTORY)
    inputs.cut(pair_of(key_of(U), key_of(E)))
    begin(place.store, 1, lambda _: None)
    place.lift((U, E))
    publish_identity(place.store, inputs, [keys(U, E, D, F)], 1, DEFAULT, lambda _: None)
    return any(root.cannot_links for root in place.roots().values())


def roots_alone(found: Survey) -> frozenset[Pair]:
    """What persons and inputs name counts, whatever was decided since."""
    told = {pair for pair, one in found.decisions.items() if one.is_cut}
    return named_cuts(found.roots.values()) | found.told_cuts | told


def test_a_run_with_older_inputs_does_not_cut_again_what_was_lifted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest decision overrules what roots and inputs name; left out, it is caught."""
    place, broken = Place(), Place()
    for one in (place, broken):
        one.live(HISTORY)
    assert not published_late(place)
    assert place.persons() == {keys(U, E, D, F)}
    monkeypatch.setattr("stamgast.identity.survey.Survey.cuts", property(roots_alone))
    assert published_late(broken)


def test_an_emptied_view_gets_its_cannot_links_back_at_the_next_publish(place: Place) -> None:
    place.cut((U, E))
    parts = place.persons()
    place.client.tables["profiles"].clear()
    inputs = EvidenceInMemory.of(HISTORY)
    inputs.cut(pair_of(key_of(U), key_of(E)))
    begin(place.store, 1, lambda _: None)
    told = publish_identity(place.store, inputs, [keys(U, E, D, F)], 1, DEFAULT, lambda _: None)
    assert told.is_complete
    assert place.persons() == parts
    assert all(root.cannot_links for root in place.roots().values())
    assert place.cut((U, E)) is None


def test_an_older_decision_never_displaces_a_newer_one(place: Place) -> None:
    job = place.ask(Verdict.CUT, (U, E))
    assert job is not None
    (decision,) = job.decisions
    newer = replace(decision, verdict=Verdict.LIFT, at_ms=decision.at_ms + 1)
    assert place.store.decide(newer)
    assert not place.store.decide(decision)
    assert place.store.decide(newer)
    assert place.store.read_decisions([decision.pair]) == {decision.pair: newer}


def test_a_clock_that_runs_behind_does_not_make_a_lift_older_than_its_cut(place: Place) -> None:
    place.cut((U, E))
    place.now_ms -= 3_600_000
    place.lift((U, E))
    assert place.persons() == {keys(U, E, D, F)}


# what is told, and what is evaluated anew


def test_parts_are_announced_and_a_lift_that_joins_is_a_merge(place: Place) -> None:
    (old,) = place.roots()
    place.cut((U, E))
    assert {(c.cause, c.person_id) for c in place.told} == {
        (Cause.SPLIT, person_id) for person_id in place.roots()
    }
    place.told.clear()
    (gone,) = place.roots().keys() - {old}
    place.lift((U, E))
    assert [(c.cause, c.person_id, c.into) for c in place.told] == [(Cause.MERGED, gone, old)]


def test_rows_of_every_part_go_with_the_change(place: Place) -> None:
    (old,) = place.roots()
    born = place.store.read_pointers(keys(E))[key_of(E)].born.person_id
    for person_id in (old, born):
        for sort_key in ("M#loyal", "S#churn", "R#rfm", "T#computed"):
            item = {"PK": {"S": f"P#{person_id}"}, "SK": {"S": sort_key}, "run": {"N": "1"}}
            place.client.put_item(TableName="profiles", Item=item)
    place.cut((U, E))
    for person_id in place.roots():
        assert place.store.rows_of([person_id]) == []


def test_what_the_archive_named_is_forgotten_when_a_job_is_closed(place: Place) -> None:
    job = place.cut((U, E))
    assert job is not None
    assert "a@x.nl" not in repr(place.client.tables["control"])
    kept = place.store.read_cut(job.job_id)
    assert kept is not None
    assert (kept.lines, kept.stars, kept.report) == ((), (), job.report)


# what only the lake knows


def imported(*ids: str) -> Place:
    """A person of whom the live view holds no edge, as after a file was published."""
    place = Place()
    one = star("i1", *ids)
    evidence = EvidenceInMemory.of([one])
    begin(place.store, 1, lambda _: None)
    publish_identity(place.store, evidence, [keys(*ids)], 1, DEFAULT, lambda _: None)
    _forget_edges(place.client, one)
    return place


def _forget_edges(client: DynamoDB, one: Star) -> None:
    for other in one.supports:
        key = {"PK": {"S": f"I#{one.anchor}"}, "SK": {"S": f"E#{other}"}}
        client.delete_item(TableName="profiles", Key=key)


def test_what_no_live_edge_holds_stays_with_the_founder_until_the_next_run() -> None:
    place = imported(U, E, D, F)
    place.cut((U, E))
    assert place.persons() == {keys(U, D, F), keys(E)}


def test_those_that_leave_without_a_live_edge_are_cut_from_the_founder() -> None:
    place = imported(U, E, D, F)
    leave(place, D)
    assert place.persons() == {keys(U, E, F), keys(D)}
    leave(place, U)
    assert place.persons() == {keys(U), keys(E, F), keys(D)}


def test_a_hold_vouches_for_no_more_than_the_person_did() -> None:
    place = Place()
    place.live([star("m1", U, E), star("m2", U, D, at_ms=1, word=Assurance.CLAIMED)])
    _forget_edges(place.client, star("m1", U, E))
    _forget_edges(place.client, star("m2", U, D))
    (before,) = place.roots().values()
    found = survey(place.store, EvidenceInMemory(), keys(U), DEFAULT, follows=False)
    assert found is not None
    words = {s.assurance for s in held_together(found).links.values()}
    assert words == {Assurance.VERIFIED, Assurance.CLAIMED}
    place.cut((U, F))
    place.lift((U, F))
    after = place.roots()[before.person_id]
    assert {k: m.group for k, m in after.members.items()} == {
        k: m.group for k, m in before.members.items()
    }


def test_more_links_than_one_request_cuts_are_refused_before_anything_is_written() -> None:
    place = Place()
    devices = [f"anonymous_id:d-{n}" for n in range(30)]
    place.live(star(f"m{n}", U, device, at_ms=n) for n, device in enumerate(devices))
    before = repr(place.client.tables)
    with pytest.raises(TooManyPairsError, match="30"):
        place.requests.leaving(keys(U))
    assert repr(place.client.tables) == before
