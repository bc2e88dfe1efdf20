"""A person's request: what is asked, where it stands, until when it has to be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from stamgast.erasure.callbacks import Callback

DAY_MS = 86_400_000
# One month, as Article 12(3) of the GDPR has it; counted short.
ANSWER_DAYS = 30
WARN_DAYS = 7
SEARCHES = "searches"
# The regulation of a request that no person asked for: a restore had brought them back.
AGAIN = "restored"


class Kind(StrEnum):
    """What OpenDSR 2.0 calls the type of a subject request."""

    ERASURE = "erasure"
    ACCESS = "access"
    PORTABILITY = "portability"


class State(StrEnum):
    """OpenDSR's statuses."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Clock(StrEnum):
    """How a request stands against its deadline."""

    MET = "met"
    RUNNING = "running"
    CLOSE = "close"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """One request; `keys` are those of the identifiers it names, their values lie elsewhere.

    `until_ms` is the moment up to which an erasure takes, `done_ms` when nothing could be reached
    any more, `proven_ms` when every byte had been searched. `asked_ms` is when the person asked the
    company (0: as it was received). `domain` is the host that it was sent to, `callbacks` whom to
    tell of its status, and `calls` how many tries that took so far.
    """

    request_id: str
    kind: Kind
    by: str
    regulation: str
    keys: Sequence[str]
    received_ms: int
    state: State = State.PENDING
    callbacks: Sequence[Callback] = ()
    calls: int = 0
    asked_ms: int = 0
    domain: str = ""
    until_ms: int = 0
    done_ms: int = 0
    proven_ms: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def due_ms(self) -> int:
        """When it has to be answered: the month runs from the day the person asked the company."""
        return (self.asked_ms or self.received_ms) + ANSWER_DAYS * DAY_MS

    @property
    def expected_ms(self) -> int:
        """When it is expected to be done: by its deadline, where it came in before that."""
        return max(self.due_ms, self.received_ms + DAY_MS)

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done, the proof included."""
        if self.state is State.CANCELLED:
            return False
        return self.state is not State.COMPLETED or self.is_unproven

    @property
    def is_unproven(self) -> bool:
        """Whether an erasure was carried out and waits for the scan of bytes."""
        return self.kind is Kind.ERASURE and self.state is State.COMPLETED and not self.proven_ms

    @property
    def was_searched(self) -> bool:
        """Whether a search of every byte was made that still found something."""
        return bool(self.report.get("certificate", {}).get("remaining"))

    @property
    def is_searched_once(self) -> bool:
        """Whether the first search has opened it again: what it found is worked on at once."""
        return self.state is State.IN_PROGRESS and self.report.get(SEARCHES) == 1

    @property
    def due_callbacks(self) -> list[Callback]:
        """Those that have to be told of its status, and may be tried; its answer told `pending`."""
        if self.state is State.PENDING:
            return []
        return [one for one in self.callbacks if one.is_due(self.state.value)]

    @property
    def is_left(self) -> bool:
        """Whether a pass has to look at it: something to be done, to be proven, or to be told."""
        return self.is_open or bool(self.due_callbacks)

    def clock(self, now_ms: int) -> Clock:
        """How it stands against its deadline."""
        if self.state in (State.COMPLETED, State.CANCELLED):
            return Clock.MET if self.done_ms <= self.due_ms else Clock.OVERDUE
        if now_ms > self.due_ms:
            return Clock.OVERDUE
        return Clock.CLOSE if now_ms > self.due_ms - WARN_DAYS * DAY_MS else Clock.RUNNING

    def begun(self, until_ms: int) -> "RightsRequest":
        """The request in work; the moment of its first beginning stays."""
        return replace(self, state=State.IN_PROGRESS, until_ms=self.until_ms or until_ms)

    def called(self, after: Sequence[Callback]) -> "RightsRequest":
        """The request after these call-backs were tried once more."""
        tried = {one.url: one for one in after}
        callbacks = tuple(tried.get(one.url, one) for one in self.callbacks)
        return replace(self, callbacks=callbacks, calls=self.calls + len(after))

    def completed(self, done_ms: int, report: Mapping[str, Any]) -> "RightsRequest":
        """The request as it was answered."""
        return replace(self, state=State.COMPLETED, done_ms=done_ms, report=report)

    def cancelled(self, done_ms: int) -> "RightsRequest | None":
        """The request withdrawn; None once it is in work."""
        if self.state is not State.PENDING:
            return None
        return replace(self, state=State.CANCELLED, done_ms=done_ms)

    def reopened(self, report: Mapping[str, Any]) -> "RightsRequest":
        """The request after a search that still found something: it is worked on again."""
        searches = int(self.report.get(SEARCHES, 0)) + 1
        told = {**self.report, **report, SEARCHES: searches}
        return replace(self, state=State.IN_PROGRESS, report=told)

    def settled(self, proven_ms: int, certificate: Mapping[str, Any]) -> "RightsRequest | None":
        """The request closed although something was found; None where no search found anything."""
        if self.kind is not Kind.ERASURE or self.proven_ms or not self.was_searched:
            return None
        done_ms = self.done_ms or proven_ms
        told = {**self.report, "certificate": certificate}
        return replace(
            self, state=State.COMPLETED, done_ms=done_ms, proven_ms=proven_ms, report=told
        )

    def proven(self, proven_ms: int, report: Mapping[str, Any]) -> "RightsRequest":
        """The request after the search of every byte."""
        return replace(self, proven_ms=proven_ms, report={**self.report, **report})


class RightsStore(Protocol):
    """Where requests are kept, and what must be forgotten of them."""

    def put(self, request: RightsRequest, document: Mapping[str, Any]) -> bool:
        """Keeps a new request with its document; False if there is one of this id."""
        ...

    def read(self, request_id: str) -> RightsRequest | None:
        """The request of this id."""
        ...

    def replace(self, before: RightsRequest, after: RightsRequest) -> bool:
        """Writes a request on if it still is as it was read."""
        ...

    def open_ids(self) -> list[str]:
        """The ids of the requests in which something is left to be done."""
        ...

    def document(self, request_id: str) -> dict[str, Any] | None:
        """The document of a request; None once it was forgotten."""
        ...

    def keep(self, request_id: str, document: Mapping[str, Any]) -> None:
        """Writes the document of a request."""
        ...

    def forget(self, request_id: str) -> None:
        """Takes the document of a request away."""
        ...

    def result(self, request_id: str, name: str) -> str:
        """An address from which a result can be fetched for a quarter of an hour."""
        ...
