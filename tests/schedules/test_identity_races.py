"""Histories too rare to wait for: each is played by hand, and its broken variant fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from stamgast.identity import corrections, jobs
from stamgast.identity.changes import Change, apply
from stamgast.identity.corrections import (
    Result,
    begin,
    correct,
    finish_jobs,
    publish_identity,
)
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.live import settle
from stamgast.identity.store import Outcome, Write
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB
from tests.schedules.harness import ViolationError
from tests.schedules.identity_oracle import Message
from tests.schedules.identity_variants import (
    EdgesUnguarded,
    JobsUnchecked,
    reviving_anybody,
    survey_reading_pointers_once,
)
from tests.schedules.identity_world import SETTINGS, Items, star

Store = type[DynamoJobStore]
JOINED = ("u:1", "e:1")


def no_pause(seconds: float) -> None:
    """Waits for nothing."""


def open_store(kind: Store = DynamoJobStore) -> tuple[DynamoJobStore, Items]:
    """An empty store whose items are watched."""
    client, items = DynamoDB("profiles", "control"), Items()
    client.committed = lambda places: items.take(client, places)
    return kind(client, "profiles", "control", no_pause, lambda: 0.0), items


def live(store: DynamoJobStore, *messages: Message) -> None:
    """Settles messages one after the other."""
    for message in messages:
        settle(store, [star(message)], SETTINGS, no_pause)


class Interrupted:
    """A store that lets something happen once, after one of its calls."""

    def __init__(self, store: Any, after: str, happening: Callable[[], None]) -> None:
        self._store, self._after, self._happening = store, after, happening
        self._is_due = True

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name != self._after:
            return method

        def call(*arguments: Any) -> Any:
            answer = method(*arguments)
            if self._is_due:
                self._is_due = False
                self._happening()
            return answer

        return call


def correct_while_an_identifier_is_verified() -> Items:
    """A live event verifies an identifier between the survey's pointers and its roots."""
    store, items = open_store()
    before = [
        Message("m0", 1, 1, 1, ("u:1",)),
        Message("m2", 2, 2, 1, ("u:2", "e:1")),
        Message("m3", 3, 3, 1, ("u:2", "d:1")),
    ]
    live(store, *before)
    evidence = EvidenceInMemory.of(map(star, [*before, Message("m1", 1, 1, 1, JOINED)]))
    begin(store, 1, no_pause)
    better = Message("m4", 4, 4, 2, ("e:1",))
    reads = {"n": 0}

    class Verifying:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def read_persons(self, *arguments: Any) -> Any:
            reads["n"] += 1
            if reads["n"] == 1:
                live(store, better)
            return store.read_persons(*arguments)

    keys = ("u:1", "u:2", "e:1", "d:1")
    result, _ = correct(Verifying(), evidence, keys, 1, SETTINGS, no_pause)  # type: ignore[arg-type]
    assert result is Result.CORRECTED
    items.check()
    return items


@pytest.mark.failure_line(20)
def test_a_word_given_between_two_reads_of_a_correction_is_kept() -> None:
    """Line 20: a correction races a live event, and the pointer loses nothing."""
    assert correct_while_an_identifier_is_verified().pointers["e:1"].assurance == 2


def test_a_correction_that_reads_pointers_once_forgets_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(corrections, "survey", survey_reading_pointers_once)
    with pytest.raises(ViolationError, match="forgets what it knew"):
        correct_while_an_identifier_is_verified()


def resume_a_job_that_another_has_closed(kind: Store, patch: pytest.MonkeyPatch) -> Items:
    """A resumer reads its chunk, is overtaken, and only then writes it."""
    patch.setattr("stamgast.identity.changes.MOST_WRITES", 3)
    patch.setattr("stamgast.identity.changes.CHUNK", 1)
    store, items = open_store(kind)
    live(store, Message("m1", 1, 1, 1, ("u:1",)), Message("m2", 2, 2, 1, ("e:1",)))
    begin(store, 1, no_pause)
    evidence = EvidenceInMemory.of([star(Message("m3", 3, 3, 2, JOINED))])

    def overtake() -> None:
        finish_jobs(store, no_pause)
        live(store, Message("m4", 4, 4, 2, ("u:2", "e:1")))

    slow = Interrupted(store, "read_chunk", overtake)
    correct(slow, evidence, JOINED, 1, SETTINGS, no_pause)  # type: ignore[arg-type]
    items.check()
    return items


@pytest.mark.failure_line(14)
def test_a_resumer_that_was_overtaken_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Line 14: two resumers of one change have one outcome."""
    items = resume_a_job_that_another_has_closed(DynamoJobStore, monkeypatch)
    assert items.home("u:1") is items.home("e:1") is items.home("u:2")


@pytest.mark.failure_line(14)
def test_a_resumer_of_a_job_that_locks_step_by_step_writes_nothing_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Line 14: the same where the roots fit no one transaction."""
    monkeypatch.setattr("stamgast.identity.changes.MOST_LOCKED", 1)
    items = resume_a_job_that_another_has_closed(DynamoJobStore, monkeypatch)
    assert items.home("u:1") is items.home("e:1") is items.home("u:2")


def test_a_chunk_that_does_not_check_its_job_overwrites_what_came_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ViolationError):
        resume_a_job_that_another_has_closed(JobsUnchecked, monkeypatch)


class Late:
    """A store in which what a closed job leaves behind is dropped later, if at all."""

    def __init__(self, store: DynamoJobStore) -> None:
        self._store = store
        self.dropped: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def drop_chunks(self, job_id: str) -> None:
        self.dropped.append(job_id)

    def drop_the_locks(self) -> None:
        for job_id in self.dropped:
            for item in self._store.query("control", {"S": f"JOB#{job_id}"}, {"S": "C00000#"}):
                key = {"PK": item["PK"], "SK": item["SK"]}
                self._store.client.delete_item(TableName="control", Key=key)


def open_again_what_another_has_closed(patch: pytest.MonkeyPatch) -> Items:
    """Two plan one large change; the second opens it when the first has closed, not yet dropped."""
    for name, number in (("MOST_WRITES", 3), ("CHUNK", 1), ("MOST_LOCKED", 2)):
        patch.setattr(f"stamgast.identity.changes.{name}", number)
    store, items = open_store()
    live(store, Message("m1", 1, 1, 1, ("u:1",)), Message("m2", 2, 2, 1, ("e:1",)))
    begin(store, 1, no_pause)
    evidence = EvidenceInMemory.of([star(Message("m3", 3, 3, 2, JOINED))])
    planned: list[Change] = []

    def planning(store: Any, change: Change, pause: Any) -> bool:
        planned.append(change)
        return apply(store, change, pause)

    patch.setattr(corrections, "apply", planning)
    late = Late(store)
    correct(late, evidence, JOINED, 1, SETTINGS, no_pause)  # type: ignore[arg-type]
    live(store, Message("m4", 4, 4, 2, ("u:2", "e:1")))
    slow = Interrupted(store, "commit", late.drop_the_locks)
    assert not apply(slow, planned[0], no_pause)  # type: ignore[arg-type]
    items.check()
    return items


@pytest.mark.failure_line(14)
def test_a_large_job_that_is_opened_again_finds_its_locks_gone_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Line 14: whoever planned what another has done undoes, and moves no pointer back."""
    items = open_again_what_another_has_closed(monkeypatch)
    assert items.home("u:1") is items.home("e:1") is items.home("u:2")


def test_locks_that_are_dropped_with_their_job_move_pointers_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drive = jobs._drive

    def dropping(store: Any, job_id: str, pause: Any) -> Any:
        told = drive(store, job_id, pause)
        store.drop_chunks(job_id)
        return told

    monkeypatch.setattr(jobs, "_drive", dropping)
    with pytest.raises((ViolationError, AssertionError)):
        open_again_what_another_has_closed(monkeypatch)


def first_seen_after_a_torn_read(kind: Store) -> int:
    """An edge is read, an earlier message supports it, and only then is the person read."""
    store, items = open_store(kind)
    live(store, Message("m1", 9, 9, 1, JOINED))
    reads = {"n": 0}

    def between() -> None:
        reads["n"] += 1
        if reads["n"] == 4:
            live(store, Message("m2", 10, 1, 1, JOINED))

    store.client.shuffle = lambda places: places.sort(key=lambda place: place[1])
    store.client.between = between
    live(store, Message("m3", 11, 5, 1, JOINED))
    assert reads["n"] > 4
    return items.edges[JOINED].support.event_ms


@pytest.mark.failure_line(20)
def test_an_edge_that_was_supported_earlier_meanwhile_keeps_the_earlier_support() -> None:
    """Line 20: two messages race for one edge, and the earlier one stays."""
    assert first_seen_after_a_torn_read(DynamoJobStore) == 1


def test_an_edge_written_without_a_condition_loses_its_support() -> None:
    assert first_seen_after_a_torn_read(EdgesUnguarded) == 5


def an_id_that_a_losing_copy_took_first() -> Items:
    """A copy founds a person, which is merged away; the copy that counts founds another, and wins.

    A pointer still leads through the first, so its id may not go to the second alone.
    """
    store, items = open_store()
    items.in_doubt = {"u:1", "u:2"}
    kept = [
        Message("m0", 1, 1, 1, ("e:1",)),
        Message("m1", 4, 5, 1, ("u:1",)),
        Message("m2", 6, 6, 1, ("u:2", "d:1")),
        Message("m3", 7, 7, 1, ("e:1", "d:1")),
    ]
    live(store, kept[0], replace(kept[1], received=9, ids=("u:2",)), *kept[2:], kept[1])
    assert items.pointers["u:2"].person_id == "m1/0"
    assert items.home("u:2").person_id == "m0/0"
    evidence = EvidenceInMemory.of(map(star, kept))
    evidence.lose("m1", ("u:2",))
    begin(store, 1, no_pause)
    components = [("u:1",), ("u:2", "d:1", "e:1")]
    publish_identity(store, evidence, components, 1, SETTINGS, no_pause)
    items.check()
    return items


@pytest.mark.failure_line(3)
def test_a_person_is_revived_together_with_its_founder() -> None:
    """Line 3: two payloads under one messageId found two persons, and the first payload's stays."""
    items = an_id_that_a_losing_copy_took_first()
    assert items.home("u:1").person_id == "m1/0"
    assert items.home("u:2") is items.home("e:1")


def test_a_person_revived_without_its_founder_takes_its_pointers_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(corrections, "old_roots", reviving_anybody)
    with pytest.raises(ViolationError, match=r"pointing to another|does not list"):
        an_id_that_a_losing_copy_took_first()


def test_a_transaction_is_never_sent_empty() -> None:
    """A batch in which nothing is new asks for no write."""
    store, _ = open_store()
    message = Message("m1", 1, 1, 1, JOINED)
    live(store, message)
    sent: list[Sequence[Write]] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def commit(self, writes: Sequence[Write]) -> Outcome:
            sent.append(writes)
            return store.commit(writes)

    settle(Counting(), [star(message)], SETTINGS, no_pause)  # type: ignore[arg-type]
    assert sent == []
