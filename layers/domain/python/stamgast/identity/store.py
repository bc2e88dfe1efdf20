"""The port through which identity reads and changes its items; each change is one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from stamgast.identity.decision import Decision
from stamgast.identity.edge import Edge, Pair
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root, RootState
from stamgast.identity.star import Star
from stamgast.store_error import StoreError as StoreError

MOST_WRITES = 100

# Sleeps a random time up to so many seconds (full jitter).
Pause: TypeAlias = Callable[[float], None]


class Outcome(StrEnum):
    """What became of a transaction; unknown when its reply was lost."""

    DONE = "done"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PutPointer:
    """Writes a pointer if its version is still `was`; None: if it is absent."""

    pointer: Pointer
    was: int | None


@dataclass(frozen=True, slots=True)
class MovePointer:
    """Writes a pointer whatever it was: the lock on its person's root guards it."""

    pointer: Pointer


@dataclass(frozen=True, slots=True)
class PutRoot:
    """Writes a root if its version and state are still those; None: if it is absent."""

    root: Root
    was: tuple[int, RootState] | None


@dataclass(frozen=True, slots=True)
class UnlockRoot:
    """Writes a root if this job still holds it."""

    root: Root
    job: str


@dataclass(frozen=True, slots=True)
class PutEdge:
    """Writes an edge if it is still as it was read; None: if it is absent."""

    edge: Edge
    was: Edge | None


@dataclass(frozen=True, slots=True)
class MoveEdge:
    """Writes an edge whatever it was: the lock on its anchor's root guards it."""

    edge: Edge


@dataclass(frozen=True, slots=True)
class DropEdge:
    """Deletes an edge whatever it was: the lock on its anchor's root guards it."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class CheckRoot:
    """Holds if the root is ACTIVE at this version."""

    person_id: str
    version: int


@dataclass(frozen=True, slots=True)
class CheckFence:
    """Holds if no newer run has raised the fence."""

    seq: int


@dataclass(frozen=True, slots=True)
class CheckDecision:
    """Holds if the newest decision about a pair came with this message; None: if there is none."""

    pair: Pair
    message_id: str | None


@dataclass(frozen=True, slots=True)
class DropRow:
    """Deletes what was evaluated of a person under one sort key; it is evaluated anew."""

    person_id: str
    sort_key: str


class JobState(StrEnum):
    """How far a job is (`stamgast.identity.jobs`)."""

    LOCKING = "locking"
    OPEN = "open"
    UNLOCKING = "unlocking"
    UNDOING = "undoing"


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Holds if the job is in this state."""

    job_id: str
    state: JobState = JobState.OPEN


@dataclass(frozen=True, slots=True)
class OpenJob:
    """Makes a job if there is none; its chunks were written before.

    `locks` is the number of chunks that lock its roots; 0 if the same transaction locks them.
    """

    job_id: str
    chunks: int
    locks: int = 0


@dataclass(frozen=True, slots=True)
class AdvanceJob:
    """Brings a job from one state to the next."""

    job_id: str
    was: JobState
    state: JobState


@dataclass(frozen=True, slots=True)
class CloseJob:
    """Ends a job that is in this state."""

    job_id: str
    state: JobState = JobState.OPEN


Write: TypeAlias = (
    PutPointer
    | MovePointer
    | PutRoot
    | UnlockRoot
    | PutEdge
    | MoveEdge
    | DropEdge
    | CheckRoot
    | CheckFence
    | CheckDecision
    | DropRow
    | CheckJob
    | OpenJob
    | AdvanceJob
    | CloseJob
)


@dataclass(frozen=True, slots=True)
class Job:
    """An identity change under way.

    Its chunks are the `locks`, then `chunks` moves (without locks the last of them unlocks), then
    as many chunks of roots as they shall be, and as they were, as there are locks.
    """

    job_id: str
    chunks: int
    locks: int = 0
    state: JobState = JobState.OPEN


@dataclass(frozen=True, slots=True)
class Parked:
    """A star that could not be settled yet; `token` names its content."""

    token: str
    star: Star


class IdentityStore(Protocol):
    """Strong reads of identity items and conditional transactions over them."""

    def read_pointers(self, keys: Collection[str]) -> dict[str, Pointer]:
        """The pointers there are among these identifiers."""
        ...

    def read_persons(
        self, person_ids: Collection[str], pairs: Collection[Pair] = ()
    ) -> tuple[dict[str, Root], dict[Pair, Edge]]:
        """The roots and the edges there are among these, read together."""
        ...

    def edges_from(self, anchor: str) -> list[Edge]:
        """Every edge of which this identifier is the anchor."""
        ...

    def read_decisions(self, pairs: Collection[Pair]) -> Mapping[Pair, Decision]:
        """The newest decision about each of these pairs of which there is one."""
        ...

    def commit(self, writes: Sequence[Write]) -> Outcome:
        """All of the writes or none; at most `MOST_WRITES`."""
        ...

    def park(self, star: Star) -> None:
        """Keeps a star for `drain_parked`."""
        ...

    def parked(self, most: int) -> list[Parked]:
        """Up to `most` parked stars."""
        ...

    def unpark(self, parked: Parked) -> None:
        """Forgets a parked star, if it is still the one that was read."""
        ...


class JobStore(IdentityStore, Protocol):
    """What corrections by a run need on top: jobs and the fence."""

    def rows_of(self, person_ids: Collection[str]) -> list[DropRow]:
        """What was evaluated of these persons: memberships, scores, RFM."""
        ...

    def write_chunks(self, job_id: str, chunks: Sequence[Sequence[Write]]) -> None:
        """Keeps the chunks of a job that is not open yet."""
        ...

    def read_job(self, job_id: str) -> Job | None:
        """A job that is open; None once it is closed, and before it is opened."""
        ...

    def read_chunk(self, job_id: str, number: int) -> list[Write]:
        """The writes of one chunk."""
        ...

    def drop_chunks(self, job_id: str) -> None:
        """Deletes the chunks of a closed job."""
        ...

    def open_jobs(self) -> list[str]:
        """The ids of the jobs that are open."""
        ...

    def raise_fence(self, seq: int) -> bool:
        """Shuts out older runs; False when a newer run has done so already."""
        ...

    def fence(self) -> int:
        """The newest run's number; 0 before the first."""
        ...
