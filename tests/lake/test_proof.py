"""One search for all, and a certificate for each: nobody waits for what is left of another."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.erasure.proof import Search
from stamgast_lake.erasure.scan import Scan

ADA, BOB = "ada@example.com", "bob.builder@example.com"


@dataclass
class Bucket:
    """Objects by key; which of them each search read."""

    objects: Mapping[str, str]
    read: list[set[str]] = field(default_factory=list)

    def scan(
        self, subjects: Sequence[Subject], only: Collection[str] | None = None
    ) -> dict[str, Scan]:
        needles, scans = needles_of(subjects), dict[str, Scan]()
        keys = {key for key in self.objects if only is None or key in only}
        self.read.append(keys)
        for key in keys:
            scan = scans.setdefault(key.partition("/")[0] + "/", Scan())
            scan.bytes += len(self.objects[key])
            if needles.found_in(self.objects[key].encode()):
                scan.found.add(key)
        return scans


class Nothing:
    """Live tables and dead letters that hold nothing."""

    def scan(self, _needles: Needles) -> tuple[int, Mapping[str, int]]:
        return 0, {}

    def messages(self) -> list[Any]:
        return []


def searched(objects: Mapping[str, str]) -> tuple[dict[str, int], Bucket]:
    """How many places tell of each, and how the bucket was read."""
    bucket, told = Bucket(objects), Nothing()
    search: Any = Search(bucket, told, told)  # type: ignore[arg-type]
    people = {
        who: Subject(who, 1, frozenset((f"email:{place}{'a' * 25}",)), {who: who})
        for place, who in enumerate((ADA, BOB))
    }
    together = search.together(people)
    told = {who: search.alone(one, together, len(people)) for who, one in people.items()}
    return {who: sum(one.remaining.values()) for who, one in told.items()}, bucket


def test_what_is_left_of_one_keeps_nobody_elses_certificate_open() -> None:
    left, bucket = searched({"raw/1": f"to {ADA}.", "raw/2": "nobody", "runs/1": "nobody"})
    assert left == {ADA: 1, BOB: 0}
    assert bucket.read[1:] == [{"raw/1"}, {"raw/1"}]  # what told of nobody is read once


@pytest.mark.parametrize("text", ["nobody", f"{ADA} {BOB}"])
def test_what_tells_of_nobody_or_of_all_is_told_of_each(text: str) -> None:
    left, _ = searched({"raw/1": text})
    assert set(left.values()) == {int(ADA in text)}
