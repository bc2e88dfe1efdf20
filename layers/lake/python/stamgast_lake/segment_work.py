"""Jobs about segments worked off: previews in one go, exports part by part, each safely repeated.

A worker that has no time left gives the job back as it stands, for the next one to go on with it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.egress.decision import LivePersons
from stamgast.egress.fields import UnknownFieldError, field_of
from stamgast.egress.manifest import export_refused
from stamgast.lookup.segments.jobs import Job, JobStore, Kind, State
from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast.segments.trying import NAMELESS, Tried, tried
from stamgast.workspace.model import models_in, purposes_in
from stamgast_lake.exports.order import Order, Selected
from stamgast_lake.exports.parts import PERSONS_AT_ONCE, PartWork, receipt_of
from stamgast_lake.exports.select import LIST, ROWS_A_PART, NoRunError, select
from stamgast_lake.lake import Lake
from stamgast_lake.rules.preview import Question, preview_segment
from stamgast_lake.rules.preview_answer import answer_of, seen_by, telling_of

ANSWER, RECEIPT = "answer.json", "receipt.json"


class LostJobError(RuntimeError):
    """Another worker has the job now."""


class OutdatedJobError(LookupError):
    """The workspace has changed since the job was asked, and does not know its words any more."""


@dataclass(frozen=True, slots=True)
class SegmentWork:
    """What working off jobs needs; `is_time_left` says whether another part may be begun."""

    lake: Lake
    persons: LivePersons
    jobs: JobStore
    now_ms: Callable[[], int]
    is_time_left: Callable[[], bool] = field(default=lambda: True)
    rows_a_part: int = ROWS_A_PART
    at_once: int = PERSONS_AT_ONCE

    def do(self, job_id: str, until_ms: int) -> Job | None:
        """Works on a job, at most until that moment; returns it as it was left.

        None where there is nothing to do: it is over, unknown, or another's.
        """
        job = self.jobs.read(job_id)
        held = job.claimed(self.now_ms(), until_ms) if job else None
        if job is None or held is None or not self.jobs.replace(job, held):
            return None
        if held.state is State.FAILED:
            return held
        return self._worked(Hold(self, held))

    def _worked(self, hold: "Hold") -> Job:
        is_left = False
        try:
            self._make(hold)
            is_left = True
        except (NoRunError, OutdatedJobError) as error:
            hold.write(hold.job.failed(str(error)))
            is_left = True
        finally:
            if not is_left:  # whatever it was, the next worker need not wait for this one's end
                with suppress(LostJobError):
                    hold.write(hold.job.released())
        return hold.job

    def _make(self, hold: "Hold") -> None:
        if hold.job.kind is Kind.PREVIEW:
            self._preview(hold)
        else:
            self._export(hold)

    def _preview(self, hold: "Hold") -> None:
        workspace, asked = self.lake.workspace(), hold.job.asked
        segments, traits = segments_of(workspace.segments), computed_traits_of(workspace.traits)
        name = asked["segment"] or NAMELESS
        known = {one.name: one for one in segments}
        if asked["rule"] is None and name not in known:
            raise OutdatedJobError("There is no segment of this name any more.")
        names = models_in(workspace), purposes_in(workspace)
        told = tried(name, asked["rule"], segments, traits, *names)
        if not isinstance(told, Tried):
            raise OutdatedJobError(f"rule: {told[0]}")
        of_segment = known[name].purpose if name in known else None
        now = Now(self.now_ms(), ZoneInfo(workspace.time_zone))
        purpose = asked["purpose"] or of_segment
        reader, consents = hold.job.reader, workspace.consents
        is_bound = bool(reader.purposes)
        question = Question(name, told.rules, traits, purpose, now, asked["segment"], is_bound)
        found = preview_segment(self.lake, question, asked["sample"])
        telling = telling_of(found, reader, workspace.identity, consents, self.persons)
        answer = answer_of(seen_by(reader, found), told.text, workspace.time_zone, telling.someone)
        self._answer(hold, {**answer, "workspace_version": workspace.version})

    def _export(self, hold: "Hold") -> None:
        order = self._order(hold.job)
        if hold.job.part == 0:
            select(self.lake, order, self.rows_a_part)
            hold.write(hold.job.advanced(1))
        selected = Selected.from_json(self._read(order.key(LIST)))
        work = PartWork(self.lake, self.persons, self.now_ms, order, selected, self.at_once)
        for part in range(hold.job.part - 1, selected.parts):
            if not self.is_time_left():
                hold.write(hold.job.released())
                return
            work.do(part)
            hold.write(hold.job.advanced(part + 2))
        receipt = receipt_of(self.lake, order, selected)
        self._put(order.key(RECEIPT), receipt)
        self._answer(hold, receipt)

    def _order(self, job: Job) -> Order:
        workspace, asked = self.lake.workspace(), job.asked
        traits = computed_traits_of(workspace.traits)
        try:
            fields = [field_of(name, workspace.identity, traits) for name in asked["fields"]]
        except UnknownFieldError as error:
            raise OutdatedJobError(f"fields: {error}") from error
        named = (one for one in segments_of(workspace.segments) if one.name == asked["segment"])
        segment = next(named, None)
        stated = None if segment is None else segment.purpose
        refused = export_refused(
            workspace.consents, asked["purpose"], stated, asked["segment"], asked["fields"]
        )
        if refused is not None:
            raise OutdatedJobError(refused.message)
        return Order(
            job_id=job.job_id,
            segment=asked["segment"],
            purpose=asked["purpose"],
            fields=tuple(fields),
            format=asked["format"],
            recipient=job.reader.name,
            asked_ms=job.asked_ms,
            stated=stated,
        )

    def _answer(self, hold: "Hold", answer: dict[str, Any]) -> None:
        self._put(f"exports/{hold.job.job_id}/{ANSWER}", answer)
        hold.write(hold.job.done())

    def _put(self, key: str, told: dict[str, Any]) -> None:
        text = json.dumps(told, ensure_ascii=False).encode()
        self.lake.s3.put_object(Bucket=self.lake.bucket, Key=key, Body=text)

    def _read(self, key: str) -> bytes:
        body: bytes = self.lake.s3.get_object(Bucket=self.lake.bucket, Key=key)["Body"].read()
        return body


@dataclass(slots=True)
class Hold:
    """A job in this worker's hands."""

    work: SegmentWork
    job: Job

    def write(self, after: Job) -> None:
        """Writes the job on; raises LostJobError once it is another's."""
        if not self.work.jobs.replace(self.job, after):
            raise LostJobError("another worker has the job")
        self.job = after
