"""Scores of records become probabilities by later log-ins, or it is said why they do not."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from bench.generated_records import records
from stamgast.identity.records import RecordSettings
from stamgast_lake.records import labels, train
from tests.lake.record_world import Persons

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = RecordSettings(
    is_on=True,
    rules=("names", "surname:sound + locality", "given_name:sound + locality"),
    least_labels=20,
)
WEEKS = 6
COLUMNS = ["record_id", "truth", "given_name", "surname", "locality", "region"]


@cache
def told() -> pa.Table:
    return records(1_200, seed=8).select(COLUMNS)


@pytest.fixture(autouse=True)
def _small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random pairs enough for a thousand records and four columns."""
    monkeypatch.setattr(train, "SAMPLE", train.SAMPLE.replace("1500", "400"))


def owners_by_week() -> list[dict[str, str]]:
    """Who logs in when: a town in the same week, each person on all of its records.

    So pairs of one person and of two are labelled alike often in every week.
    """
    first: dict[str, tuple[str, int]] = {}
    weeks: list[dict[str, str]] = [{} for _ in range(WEEKS)]
    for row in told().to_pylist():
        week = sum(map(ord, row["locality"] or "")) % WEEKS
        owner, week = first.setdefault(row["truth"], (row["record_id"], week))
        weeks[week][row["record_id"]] = owner
    return weeks


def lived() -> Persons:
    """Records, scored once; then six weeks in which everybody logs in."""
    world = Persons(SETTINGS, "email")
    world.tell(told(), NOON, 1)
    world.run(NOON)
    for week, owners in enumerate(owners_by_week(), 1):
        world.log_in(owners, NOON + timedelta(days=7 * week - 1), week + 1)
    return world


def calibrated() -> dict[str, Any]:
    world = lived()
    world.run(NOON + timedelta(weeks=WEEKS))
    return world.models()[-1]


def test_later_log_ins_calibrate_and_the_latest_of_them_judge() -> None:
    row = calibrated()
    report = row["report"]
    assert row["why"] is None
    assert report["calibrated"] is True
    assert report["labels"] > report["held_out"]["labels"] > 20
    assert report["held_out"]["brier"] < report["held_out"]["base_rate_brier"]
    assert report["held_out"]["brier"] <= report["held_out"]["uncalibrated_brier"]
    assert row["version"].partition(".")[2]


@pytest.mark.deep
def test_labels_from_before_the_score_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What log-ins had said already when a pair was scored is no test of the score."""
    world = Persons(SETTINGS, "email")
    world.tell(told(), NOON, 1)
    for week, owners in enumerate(owners_by_week(), 1):
        world.log_in(owners, NOON + timedelta(days=7 * week - 1), week + 1)
    world.run(NOON + timedelta(weeks=WEEKS))
    assert world.models()[-1]["report"]["labels"] == 0
    monkeypatch.setattr(labels, "LABELS", labels.LABELS.replace("labelled_at > scored_at and", ""))
    world.run(NOON + timedelta(weeks=WEEKS + 1))
    assert world.models()[-1]["report"]["labels"] > 0
