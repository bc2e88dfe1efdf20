"""Plans of erasures: begun once, counted behind the answer, and not found by their own count."""

from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stamgast.erasure.subject import Subject
from stamgast_aws.json_documents import JsonDocuments
from stamgast_aws.rights_plans import FRESH_MS, StoredPlans

KEYS = frozenset({"email:1abc"})
ASKED = Subject("plan", 7, KEYS, {"email:1abc": "ada@example.com"})


class Bucket:
    """As much of S3 with versions as keeping documents takes."""

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes]] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803 (S3's names)
        self.versions.setdefault(Key, []).append(Body)

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 (S3's names)
        if Key not in self.versions:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": BytesIO(self.versions[Key][-1])}

    def list_object_versions(self, *, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        told = [
            {"Key": key, "VersionId": str(place), "IsLatest": place == len(bodies) - 1}
            for key, bodies in self.versions.items()
            if key.startswith(Prefix)
            for place in range(len(bodies))
        ]
        return {"Versions": told[::-1]}  # the newest first

    def delete_object(self, *, Key: str, VersionId: str, **_: Any) -> None:  # noqa: N803
        del self.versions[Key][int(VersionId)]

    def everything(self) -> bytes:
        return b"".join(body for bodies in self.versions.values() for body in bodies)


class Desk:
    """Plans over a bucket, what was begun, and what lay in the bucket while it was counted."""

    def __init__(self) -> None:
        self.bucket, self.begun, self.now_ms = Bucket(), list[str](), 1_000
        self.seen: list[tuple[Subject, bytes]] = []
        bucket, begin = self.bucket, self.begun.append
        self.plans = StoredPlans(bucket, "lake", begin, self.count, lambda: self.now_ms)

    def count(self, subject: Subject) -> dict[str, Any]:
        self.seen.append((subject, self.bucket.everything()))
        return {"found": len(self.seen)}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_plan_is_begun_once_however_often_it_is_asked_for(desk: Desk) -> None:
    assert desk.plans.ask(ASKED) is None
    assert desk.plans.ask(ASKED) is None
    assert len(desk.begun) == 1
    assert desk.plans.make(desk.begun[0])
    assert desk.plans.ask(ASKED) == {"found": 1}
    assert len(desk.begun) == 1


def test_the_count_is_of_the_person_asked_for_and_does_not_find_the_plan(desk: Desk) -> None:
    desk.plans.ask(ASKED)
    desk.plans.make(desk.begun[0])
    [(subject, kept)] = desk.seen
    assert (subject.keys, subject.values) == (ASKED.keys, ASKED.values)
    assert b"ada@example.com" not in kept
    assert b"ada@example.com" not in desk.bucket.everything()


def test_a_plan_of_which_an_older_version_stays_would_be_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonDocuments, "forget_older", lambda *_: None)
    with pytest.raises(AssertionError):
        test_the_count_is_of_the_person_asked_for_and_does_not_find_the_plan(desk)


def test_a_plan_is_not_counted_twice_by_a_repeated_delivery(desk: Desk) -> None:
    desk.plans.ask(ASKED)
    assert [desk.plans.make(desk.begun[0]) for _ in range(2)] == [True, False]
    assert not desk.plans.make("no-such-plan")
    assert len(desk.seen) == 1


def test_an_old_plan_is_counted_anew(desk: Desk) -> None:
    desk.plans.ask(ASKED)
    desk.plans.make(desk.begun[0])
    desk.now_ms += FRESH_MS
    assert desk.plans.ask(ASKED) is None
    desk.plans.make(desk.begun[1])
    assert desk.plans.ask(ASKED) == {"found": 2}
