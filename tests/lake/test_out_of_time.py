"""A pass for which there is too little time is gone on with: nothing is lost, nor done for ever.

A world is erased and searched in some dozen passes, which takes seconds.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import Kind, RightsRequest
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_lake.erasure.progress import OutOfTimeError, Progress
from stamgast_lake.erasure.work import RightsWork
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.test_erasure import NOTHING
from tests.lake.test_erasure_since import said

ADA, BOB, CLEO, KEEPER = "ada-7731", "bob-8842", "cleo-9953", "keeper-1122"
LOOKS = 5  # a look at the clock or two a step: each pass is left after some three steps
MOST_PASSES = 60
FOUND = {"EventsDeadLetters": 1, "raw/": 2, "events": 2, "evidence": 2, "receipts": 2, "persons": 2}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def passes(work: Callable[[Callable[[], bool]], Any], most_looks: int) -> Iterator[Any]:
    """What each pass comes to, None where it is left after so many looks at the clock."""
    for _ in range(MOST_PASSES):
        looks = count(1)
        try:
            told = work(lambda looks=looks: next(looks) % most_looks == 0)  # type: ignore[misc]
        except OutOfTimeError:
            yield None
        else:
            yield told
            return
    raise AssertionError("it is never done")


def peopled(world: ErasureWorld) -> list[str]:
    """Four persons, of whom two ask to be erased and one to be shown; one will ask later."""
    for user in (ADA, BOB, CLEO, KEEPER):
        said(world, user[0], user, email=f"{user}@example.org")
    world.run()
    world.dead_letter({"type": "track", "event": "E", "messageId": "d", "userId": ADA})
    asked = [world.request(Kind.ERASURE, user_id=user) for user in (ADA, BOB)]
    world.now_ms += 1_000
    return [world.request(Kind.ACCESS, user_id=KEEPER), *asked]


def asked_since(world: ErasureWorld, asked: list[str]) -> None:
    """Somebody asks who comes first in the order of requests, while others are worked on."""
    subject = world.subject(user_id=CLEO)
    made = RightsRequest("a", Kind.ERASURE, "desk", "gdpr", tuple(subject.keys), world.now_ms)
    assert world.requests.put(made, {"values": dict(subject.values)})
    asked.insert(0, "a")


def is_held(work: RightsWork) -> bool:
    """Whether runs are kept away."""
    lease = work.lease.read()  # type: ignore[attr-defined]
    return bool(lease.expires_at_s > time.time())


def carried_out(world: ErasureWorld) -> Sequence[bool]:
    """Carries out in passes; whether runs were kept away after each of them."""
    asked, work, held = peopled(world), world.work(), list[bool]()
    told: Any = None
    for told in passes(lambda is_late: work.carry_out(asked, is_late), LOOKS):  # noqa: B007
        held.append(is_held(work))
        if len(held) == 1:
            asked_since(world, asked)
    assert told is not None
    assert set(told.values()) == {"completed"}
    for one in asked[2:]:
        request = world.requests.read(one)
        assert request is not None
        assert request.report["stores"].items() >= FOUND.items()
    return held


def erased(world: ErasureWorld) -> None:
    """What is asked is done and proven in passes, and leaves nothing behind."""
    held = carried_out(world)
    assert sum(held) > 5  # no run comes between the passes of a batch
    assert len(list(passes(world.work().prove, LOOKS))) > 1
    assert world.requests.open_ids() == []
    needles = needles_of([world.subject(user_id=one) for one in (ADA, BOB, CLEO)])
    assert world.found(needles) == {**NOTHING, "items": ["control RI @"] * 3}  # keys, as proof
    told = world.s3.list_object_versions(Bucket="lake", Prefix="erasure/")
    assert [*told.get("Versions", ()), *told.get("DeleteMarkers", ())] == []
    assert world.persons()


def test_what_there_is_no_time_for_is_done_by_the_passes_after(world: ErasureWorld) -> None:
    erased(world)


@pytest.mark.deep
def test_a_pass_that_forgot_how_far_it_was_would_be_seen(world: ErasureWorld) -> None:
    anew = classmethod(lambda cls, told, *rest: cls({}, *rest))
    broken = mock.patch.object(Progress, "of", anew)
    with broken, pytest.raises(AssertionError, match="never done"):
        erased(world)


@pytest.mark.deep
def test_a_batch_that_took_in_others_on_the_way_would_be_seen(world: ErasureWorld) -> None:
    def together(_: RightsWork, requests: Sequence[RightsRequest]) -> dict[str, Any]:
        return {f"erasure-{requests[0].request_id}": requests} if requests else {}

    broken = mock.patch.object(RightsWork, "_batches", together)
    with broken, pytest.raises(AssertionError):
        erased(world)


@pytest.mark.deep
def test_a_lease_that_was_given_up_between_two_passes_would_be_seen(world: ErasureWorld) -> None:
    broken = mock.patch.object(DynamoRunLease, "renew", DynamoRunLease.release)
    with broken, pytest.raises(AssertionError):
        erased(world)


def one_at_a_time(world: ErasureWorld) -> None:
    """Who comes between two passes of one batch changes nothing, and leaves them their lease."""
    asked, work = peopled(world), world.work()
    lease = work.lease.read  # type: ignore[attr-defined]
    first = passes(lambda is_late: work.carry_out(asked, is_late, "first"), LOOKS)
    while next(first) is None and not is_held(work):
        pass
    before = lease()
    assert work.carry_out(asked, by="second")[asked[1]] == "in_progress"
    assert lease() == before
    *_, told = first
    assert set(told.values()) == {"completed"}


def test_another_pass_over_the_same_batch_waits(world: ErasureWorld) -> None:
    one_at_a_time(world)


@pytest.mark.deep
def test_a_lease_that_knows_the_batch_alone_would_be_seen(world: ErasureWorld) -> None:
    broken = mock.patch("stamgast_lake.erasure.work.holder_of", lambda batch, _: batch)
    with broken, pytest.raises(AssertionError):
        one_at_a_time(world)
