"""What models said of two as of one person is taken back once a run knows that they are two."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from stamgast.models.live import PREFIX
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.person_rows import put_rows
from stamgast_aws.recent_cuts import recent_cuts
from stamgast_lake import segments
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.models.publish import publish_scores
from stamgast_lake.publishing import scores
from stamgast_lake.publishing.parted_since import PartedSince
from stamgast_lake.runs import MODELS_STAGE, close_stage
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import SCORES
from tests.lake.test_consent_laws import CUT, MAIL, MERGE, RUN, USER, Say, Story

MODEL = "likely"
MINUTE_MS = 60_000
FILES = {
    "sources.yaml": "sources: {web: {name: Web}}",
    "models.yaml": f"""
models:
  {MODEL}: {{kind: propensity, target: event = 'Order Completed', within_days: 20}}
""",
    "segments.yaml": f"segments: {{probable: {{rule: 'scores.{MODEL}.value >= 0.4'}}}}",
}


class Scored(Story):
    """Two people or one, in whose workspace a segment reads what a model says of them."""

    def __init__(self) -> None:
        super().__init__()
        segments = workspace_of(compile_files(FILES)).segments
        self.world.workspace = replace(self.world.workspace, segments=segments)

    def take(self, step: str | Say) -> None:
        """A step; each run is a minute after the one before."""
        if step == RUN:
            self.world.now_ms += MINUTE_MS
        super().take(step)

    def scores(self, *whom: str) -> None:
        """A run of models that says something of these, and publishes whatever holds."""
        run = self.world.open(self.world.now_ms + MINUTE_MS)
        rows = [self._row(who, run) for who in whom]
        told = pa.Table.from_pylist(rows, schema=arrow_schema(SCORES)).to_reader()
        self.world.catalogue.append(SCORES, told, Commit(run.run_id, "scores"))
        with session() as engine:
            put = lambda rows: put_rows(self.world.dynamodb, "profiles", rows, run.seq)  # noqa: E731
            cuts = recent_cuts(self.world.dynamodb, "profiles", "control")
            parted = PartedSince(engine, self.world.lake, cuts, self.world.now_ms).of
            publish_scores(engine, self.world.lake, run, put, parted)
        close_stage(self.world.lake, run, MODELS_STAGE, {}, run.moment)

    def _row(self, who: str, run: Any) -> dict[str, Any]:
        said = {"value": 0.5, "percentile": 50.0, "band": "medium", "version": "v1"}
        when = {"scored_on": run.moment.date(), "valid_until": run.moment.replace(year=2027)}
        stamp = {"recorded_at": run.moment, "run_id": run.run_id, "shard": 0}
        return {"person_id": self.home(who), "model": MODEL, **said, **when, **stamp}

    @property
    def shown(self) -> set[str]:
        """Of whom the live view tells a score."""
        items = self.world.dynamodb.scan(TableName="profiles")["Items"]
        homes = {item["PK"]["S"] for item in items if item["SK"]["S"] == f"{PREFIX}{MODEL}"}
        return {who for who in (USER, MAIL) if f"P#{self.home(who)}" in homes}

    @property
    def probable(self) -> set[str]:
        """Who is in the segment that reads the score."""
        items = self.world.dynamodb.scan(TableName="profiles")["Items"]
        homes = {item["PK"]["S"] for item in items if item["SK"]["S"] == "M#probable"}
        return {who for who in (USER, MAIL) if f"P#{self.home(who)}" in homes}


def story(*steps: str) -> Scored:
    told = Scored()
    for step in steps:
        told.take(step)
    return told


def test_a_score_of_two_as_one_is_of_neither_after_the_run_that_parts_them() -> None:
    told = story(MERGE, RUN)
    told.scores(USER)
    told.take(RUN)
    assert (told.shown, told.probable) == ({USER, MAIL}, {USER, MAIL})
    told.take(CUT)
    assert told.shown == set()
    told.take(RUN)
    told.scores()  # of another model, which tells what holds of whoever moved
    assert (told.shown, told.probable) == (set(), set())
    told.scores(MAIL)
    assert told.shown == {MAIL}


def test_a_run_of_models_that_takes_two_for_one_tells_neither() -> None:
    told = story(MERGE, RUN, CUT)
    told.scores(MAIL)
    assert told.shown == set()
    told.take(RUN)
    assert told.shown == set()


@pytest.mark.deep
def test_a_run_of_models_that_does_not_look_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PartedSince, "of", lambda *_: frozenset())
    told = story(MERGE, RUN, CUT)
    told.scores(MAIL)
    assert told.shown == {MAIL}
    told.take(RUN)
    assert told.shown == set()


@pytest.mark.deep
def test_a_run_that_takes_back_in_the_log_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PartedSince, "of", lambda *_: frozenset())
    monkeypatch.setattr(scores, "_withdrawn", lambda _: iter(()))
    told = story(MERGE, RUN, CUT)
    told.scores(MAIL)
    told.take(RUN)
    assert told.shown == {MAIL}


def test_whoever_takes_another_in_keeps_their_own_score() -> None:
    told = story(RUN)
    told.scores(USER, MAIL)
    told.take(MERGE)
    told.take(RUN)
    assert told.shown == {USER, MAIL}


@pytest.mark.deep
def test_a_score_that_nobody_takes_back_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "withdraw_parted", lambda *_: 0)
    told = story(MERGE, RUN)
    told.scores(USER)
    told.take(CUT)
    told.take(RUN)
    assert told.probable == {MAIL}
