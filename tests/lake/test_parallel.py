"""Staging in several processes gives the rows that staging in one gives."""

import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stamgast_lake.archive import LakeObject
from stamgast_lake.loading.parallel import WorkerLostError, stage_in_workers, workers_for
from stamgast_lake.loading.stage import Reading, stage
from tests.fakes.lake_bench import READING, request, track


def objects(count: int) -> list[tuple[LakeObject, bytes]]:
    return [
        (
            LakeObject(f"raw/{n}", "e", 1, "raw", "2026-01-01"),
            b"\n".join(line for _, line in request([track(f"m{n}")], request_id=f"r{n}")),
        )
        for n in range(count)
    ]


def rows(folder: Path) -> list[str]:
    return sorted(str(row) for row in pq.read_table(folder).to_pylist())


def test_workers_stage_the_same_rows_and_count_the_same_lines(tmp_path: Path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    one.mkdir()
    several.mkdir()
    alone = stage(objects(9), READING, one)
    together = stage_in_workers(objects(9), READING, several, workers=2)
    assert sorted(map(str, alone)) == sorted(map(str, together))
    assert rows(one) == rows(several)


def test_a_worker_that_ends_early_fails_the_stage(tmp_path: Path) -> None:
    broken = Reading(None, READING.keyring)  # type: ignore[arg-type]  # what no worker can use
    with pytest.raises(WorkerLostError):
        stage_in_workers(objects(9), broken, tmp_path, workers=2)


def test_an_object_that_was_cut_off_counts_what_could_be_read(tmp_path: Path) -> None:
    (one, body), *_ = objects(1)
    cut = gzip.compress(body + b"\n" + b"x" * 100_000, mtime=0)[:-30]
    (taken,) = stage([(one, cut)], READING, tmp_path)
    assert taken.unreadable >= 1


def test_little_work_is_not_worth_a_process() -> None:
    assert workers_for(1_000) == 1
