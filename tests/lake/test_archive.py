"""Bodies come in the order of their objects, and few large ones are held at a time."""

import io
from threading import Lock
from typing import Any

from stamgast_lake.archive import AHEAD, AHEAD_BYTES, LakeObject, fetch_all


class SlowBucket:
    """Counts the bodies that were asked for and not yet handed on."""

    def __init__(self) -> None:
        self.asked, self._lock = 0, Lock()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  (boto3's names)
        with self._lock:
            self.asked += 1
        return {"Body": io.BytesIO(Key.encode())}


def objects(size: int) -> list[LakeObject]:
    return [LakeObject(f"raw/{n:03d}", "e", size, "raw", "2026-01-01") for n in range(40)]


def most_ahead(size: int) -> int:
    bucket, ahead = SlowBucket(), 0
    for number, (one, body) in enumerate(fetch_all(bucket, "lake", objects(size))):
        assert one.key.encode() == body
        ahead = max(ahead, bucket.asked - number - 1)
    assert bucket.asked == 40
    return ahead


def test_small_objects_are_fetched_a_few_ahead() -> None:
    assert most_ahead(1_000) < AHEAD


def test_of_large_objects_one_is_fetched_at_a_time() -> None:
    assert most_ahead(AHEAD_BYTES) == 0
