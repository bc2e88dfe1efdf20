"""The port CutStore as its adapter keeps it, on the in-process DynamoDB and on moto's."""

from dataclasses import replace
from typing import Any

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.cut_job import CutJob
from stamgast.identity.decision import Decision, Verdict
from stamgast.identity.settings import Kind
from stamgast.identity.star import Sighting, Star
from stamgast.identity.store import CheckDecision, DropRow, Outcome
from stamgast_aws.cut_store import DynamoCutStore
from tests.fakes.dynamodb import DynamoDB, Fault

PAIR = ("email:1a", "user_id:1b")
DECISION = Decision(PAIR, Verdict.CUT, 1_000, "cut-1.0", "privacy-desk", "two customers")
STAR = Star(
    "",
    "m",
    {
        key: Sighting(
            key,
            key.partition(":")[0],
            Kind.LINKED,
            Assurance.ANONYMOUS,
            Birth(1_000, "m", n, f"p{n}"),
            "v",
        )
        for n, key in enumerate(PAIR)
    },
    {},
)
JOB = CutJob(
    "cut-1",
    Verdict.CUT,
    (PAIR,),
    1_000,
    "privacy-desk",
    "two customers",
    (DECISION,),
    ('{"type":"cut"}',),
    (STAR,),
    {PAIR[0]: "p0"},
)
REPORT = {"persons": [], "homes": {}, "holds": True, "superseded": []}


@pytest.fixture(params=["in process", "moto"])
def store(request: pytest.FixtureRequest) -> DynamoCutStore:
    """The adapter over an empty control table, which keeps the persons here, too."""
    name = "control"
    client: Any = DynamoDB(name)
    if request.param == "moto":
        client = request.getfixturevalue("control")
    return DynamoCutStore(client, name, name, lambda _: None, lambda: 1_800_000_000.0)


def test_a_job_is_kept_once_and_reads_back_until_it_is_closed(store: DynamoCutStore) -> None:
    assert store.read_cut("cut-1") is None
    assert store.open_cut(JOB) == JOB
    assert store.open_cut(replace(JOB, by="another", at_ms=2_000)) == JOB
    assert store.read_cut("cut-1") == JOB
    assert store.open_cuts() == ["cut-1"]
    store.close_cut(JOB, REPORT)
    closed = replace(JOB, lines=(), stars=(), report=REPORT)
    assert store.read_cut("cut-1") == closed
    assert store.open_cuts() == []
    assert store.recent_cuts(10) == [closed]


def test_a_closed_repair_may_be_opened_anew_and_an_old_close_does_not_end_it(
    store: DynamoCutStore,
) -> None:
    repair = replace(JOB, decisions=())
    store.open_cut(repair)
    store.close_cut(repair, REPORT)
    again = replace(repair, at_ms=3_000)
    assert store.open_cut(again) == again
    with pytest.raises(Exception, match="TransactionCanceled"):
        store.close_cut(repair, REPORT)
    assert store.open_cuts() == ["cut-1"]


def test_a_job_that_decided_and_ended_is_not_opened_anew(store: DynamoCutStore) -> None:
    store.open_cut(JOB)
    store.close_cut(JOB, REPORT)
    closed = replace(JOB, lines=(), stars=(), report=REPORT)
    assert store.open_cut(replace(JOB, at_ms=3_000)) == closed
    assert store.read_cut("cut-1") == closed
    assert store.open_cuts() == []


def test_open_jobs_come_before_those_that_ended_last(store: DynamoCutStore) -> None:
    for n in range(4):
        store.open_cut(replace(JOB, job_id=f"cut-{n}", at_ms=1_000 + n))
    for n in (0, 2):
        store.close_cut(replace(JOB, job_id=f"cut-{n}", at_ms=1_000 + n), REPORT)
    assert [job.job_id for job in store.recent_cuts(3)] == ["cut-1", "cut-3", "cut-2"]


def test_of_late_are_open_jobs_however_old_and_those_asked_since(store: DynamoCutStore) -> None:
    for n in range(1, 4):
        store.open_cut(replace(JOB, job_id=f"cut-{n}", at_ms=1_000 + n))
    for n in (2, 3):
        store.close_cut(replace(JOB, job_id=f"cut-{n}", at_ms=1_000 + n), REPORT)
    assert sorted(store.cuts_since(1_003)) == ["cut-1", "cut-3"]
    assert sorted(store.cuts_since(-1)) == ["cut-1", "cut-2", "cut-3"]


def test_of_two_decisions_about_a_pair_the_newer_stands(store: DynamoCutStore) -> None:
    later = replace(DECISION, verdict=Verdict.LIFT, at_ms=1_001)
    twin = replace(DECISION, verdict=Verdict.LIFT, message_id="cut-1.1")
    assert store.decide(DECISION)
    assert store.decide(DECISION)
    assert store.decide(twin)
    assert not store.decide(DECISION)
    assert store.decide(later)
    assert not store.decide(twin)
    assert store.read_decisions([PAIR, ("a:1", "b:2")]) == {PAIR: later}


def test_a_write_may_ask_that_a_decision_still_stands(store: DynamoCutStore) -> None:
    assert store.commit([CheckDecision(PAIR, None)]) is Outcome.DONE
    store.decide(DECISION)
    assert store.commit([CheckDecision(PAIR, None)]) is Outcome.CANCELLED
    assert store.commit([CheckDecision(PAIR, "cut-1.0")]) is Outcome.DONE
    assert store.commit([CheckDecision(PAIR, "cut-1.1")]) is Outcome.CANCELLED


def test_rows_that_were_evaluated_are_found_and_dropped(store: DynamoCutStore) -> None:
    for sort_key in ("@", "M#loyal", "S#churn", "R#rfm", "T#computed"):
        item = {"PK": {"S": "P#p0"}, "SK": {"S": sort_key}}
        store.client.put_item(TableName="control", Item=item)
    rows = store.rows_of(["p0", "p1"])
    assert rows == [DropRow("p0", key) for key in ("M#loyal", "R#rfm", "S#churn", "T#computed")]
    store.write_chunks("0-x", [rows])
    assert sorted(map(repr, store.read_chunk("0-x", 0))) == sorted(map(repr, rows))
    assert store.commit(rows) is Outcome.DONE
    assert store.rows_of(["p0"]) == []


def test_a_lost_reply_of_an_open_job_is_no_second_one() -> None:
    client = DynamoDB("control")
    store = DynamoCutStore(client, "control", "control", lambda _: None)
    faults = iter([Fault.LOST_REPLY])
    client.before = lambda *_: next(faults, None)
    assert store.open_cut(JOB) == JOB
    assert store.open_cuts() == ["cut-1"]
