"""Jobs about segments: what was asked, by whom, who works on it until when, and what became of it.

A worker claims a job for as long as it may run and gives it up when it stops; so a worker that
dies holds a job no longer than it could have lived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from stamgast.lookup.reader import Action, Reader

MOST_TRIES = 5
KEPT_MS = 24 * 3_600_000
SILENT_MS = 20 * 60_000


class Kind(StrEnum):
    """What a job makes."""

    PREVIEW = "preview"
    EXPORT = "export"


ACTIONS: Mapping[Kind, Action] = {
    Kind.PREVIEW: Action.PREVIEW_SEGMENTS,
    Kind.EXPORT: Action.EXPORT_SEGMENTS,
}


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One question that takes longer than a request may.

    `asked` is the request, `reader` the token's scope at that moment. `until_ms` is how long the
    worker that has it may live; `part` counts what is finished, `tries` the claims since then.
    """

    job_id: str
    kind: Kind
    reader: Reader
    asked: Mapping[str, Any]
    asked_ms: int
    state: State = State.WAITING
    until_ms: int = 0
    part: int = 0
    tries: int = 0
    message: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in (State.DONE, State.FAILED)

    def claimed(self, now_ms: int, until_ms: int) -> "Job | None":
        """The job in the hands of a worker; None while another may be at it, or once it is over."""
        if self.is_over or (self.state is State.WORKING and now_ms < self.until_ms):
            return None
        if self.tries >= MOST_TRIES:
            return self.failed(f"The work was begun {MOST_TRIES} times and never came to its end.")
        return replace(self, state=State.WORKING, until_ms=until_ms, tries=self.tries + 1)

    def advanced(self, part: int) -> "Job":
        """The job with one more part finished, by the worker that goes on with it."""
        return replace(self, part=part, tries=0)

    def released(self) -> "Job":
        """The job as the next worker finds it."""
        return replace(self, state=State.WAITING, until_ms=0)

    def done(self) -> "Job":
        """The job with its answer written."""
        return replace(self, state=State.DONE)

    def failed(self, message: str) -> "Job":
        """The job that has no answer, and why."""
        return replace(self, state=State.FAILED, message=message)

    def seen_at(self, now_ms: int) -> "Job":
        """The job as it is told: one of which nothing was heard for long has failed."""
        is_silent = now_ms > max(self.until_ms, self.asked_ms) + SILENT_MS
        if self.is_over or not is_silent:
            return self
        return self.failed("The work stopped without an answer; ask again.")

    def may_be_told(self, reader: Reader) -> bool:
        """Whether this reader asked it, with the scope it still has, and may still ask such."""
        return _scope(reader) == _scope(self.reader) and reader.may_do(ACTIONS[self.kind])


def _scope(reader: Reader) -> tuple[object, ...]:
    return reader.name, reader.fields, reader.namespaces, reader.purposes


class JobStore(Protocol):
    """Where jobs are kept for a day; each write replaces exactly the job that was read."""

    def put(self, job: Job) -> None:
        """Keeps a new job."""

    def read(self, job_id: str) -> Job | None:
        """The job of this id."""

    def replace(self, before: Job, after: Job) -> bool:
        """Writes the job on if it still is as it was read."""
