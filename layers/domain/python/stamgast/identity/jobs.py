"""Identity changes too large for one transaction: jobs that anyone may resume, at any step.

A job's head says how far it is. OPEN: every root is locked, and its moves are written. A job whose
locks do not fit one transaction is LOCKING first; a root that is no longer as it was planned makes
it UNDOING, which gives back what it holds. Its roots do not fit the last transaction either: once
all is moved it is UNLOCKING. Each write asks for the state that it belongs to, so a resumer that
was overtaken writes nothing.

A job that locks with its opening cannot be opened again, for the versions have moved on, and its
chunks are dropped once it is closed. One with locks of its own can: somebody who planned the same
opens it, finds them gone and undoes it. Chunks dropped meanwhile would read as nothing to lock, so
they stay until they expire.
"""

from collections.abc import Callable, Mapping, Sequence

from stamgast.identity.root import Root, RootState
from stamgast.identity.store import (
    AdvanceJob,
    CheckJob,
    CloseJob,
    Job,
    JobState,
    JobStore,
    Outcome,
    Pause,
    PutRoot,
    UnlockRoot,
    Write,
)

JOB_TRIES = 50
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 1.0


def run_job(store: JobStore, job_id: str, pause: Pause) -> bool:
    """Starts or resumes a job; any number may do so at once. True once the job is closed."""
    return _drive(store, job_id, pause)[0]


def carry_out(store: JobStore, job_id: str, pause: Pause) -> bool:
    """Runs a job to its end; False also where nothing tells that its moves were made."""
    closed, states = _drive(store, job_id, pause)
    return closed and not states.isdisjoint({JobState.OPEN, JobState.UNLOCKING})


def _drive(store: JobStore, job_id: str, pause: Pause) -> tuple[bool, set[JobState]]:
    states: set[JobState] = set()
    opens_once = False
    while (job := store.read_job(job_id)) is not None:
        if job.state in states:
            return False, states
        states.add(job.state)
        opens_once = not job.locks
        STEPS[job.state](store, job, pause)
    if opens_once:
        store.drop_chunks(job_id)
    return True, states


def _lock(store: JobStore, job: Job, pause: Pause) -> None:
    """Locks every root under the version it was planned at; one that moved on undoes the job."""
    end = JobState.OPEN
    for number in range(job.locks):
        chunk = store.read_chunk(job.job_id, number)
        if not _settle(store, job, [CheckJob(job.job_id, job.state)], chunk, pause, _to_lock):
            end = JobState.UNDOING
            break
    _commit(store, job, [AdvanceJob(job.job_id, job.state, end)], pause)


def _move(store: JobStore, job: Job, pause: Pause) -> None:
    """Writes pointers and edges; the last transaction unlocks too, where all roots fit it."""
    for number in range(job.locks, job.locks + job.chunks):
        is_last = not job.locks and number == job.chunks - 1
        end: Write = CloseJob(job.job_id) if is_last else CheckJob(job.job_id)
        if not _commit(store, job, [end, *store.read_chunk(job.job_id, number)], pause):
            return
    if job.locks:
        _commit(store, job, [AdvanceJob(job.job_id, job.state, JobState.UNLOCKING)], pause)


def _unlock(store: JobStore, job: Job, pause: Pause) -> None:
    """Gives every root back, as it shall be or as it was, and closes the job."""
    first = job.locks + job.chunks
    first += job.locks if job.state is JobState.UNDOING else 0
    for number in range(first, first + job.locks):
        chunk = store.read_chunk(job.job_id, number)
        if not _settle(store, job, [CheckJob(job.job_id, job.state)], chunk, pause, _to_unlock):
            return
    _commit(store, job, [CloseJob(job.job_id, job.state)], pause)


STEPS: Mapping[JobState, Callable[[JobStore, Job, Pause], None]] = {
    JobState.LOCKING: _lock,
    JobState.OPEN: _move,
    JobState.UNLOCKING: _unlock,
    JobState.UNDOING: _unlock,
}


def _commit(store: JobStore, job: Job, writes: Sequence[Write], pause: Pause) -> bool:
    """Tries until it is done, or the job is no longer in the state that the writes belong to."""
    for attempt in range(JOB_TRIES):
        if store.commit(writes) is Outcome.DONE:
            return True
        now = store.read_job(job.job_id)
        if now is None or now.state is not job.state:
            return False
        pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))
    return False


def _settle(
    store: JobStore,
    job: Job,
    guards: Sequence[Write],
    chunk: Sequence[Write],
    pause: Pause,
    left: Callable[[Sequence[Write], Mapping[str, Root], str], list[Write] | None],
) -> bool:
    """Writes what is `left` of a chunk of roots, until nothing is; False if that cannot be."""
    ids = [write.root.person_id for write in chunk if isinstance(write, PutRoot | UnlockRoot)]
    for attempt in range(JOB_TRIES):
        writes = left(chunk, store.read_persons(ids)[0], job.job_id)
        if writes is None:
            return False
        if not writes or store.commit([*guards, *writes]) is Outcome.DONE:
            return True
        now = store.read_job(job.job_id)
        if now is None or now.state is not job.state:
            return False
        pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))
    return False


def _to_lock(chunk: Sequence[Write], roots: Mapping[str, Root], job_id: str) -> list[Write] | None:
    """The locks that are not held yet; None when a root is not as it was planned any more."""
    locks: list[Write] = []
    for write in chunk:
        if not isinstance(write, PutRoot):
            continue
        root = roots.get(write.root.person_id)
        if root is not None and _is_held(root, job_id):
            continue
        if (None if root is None else (root.version, root.state)) != write.was:
            return None
        locks.append(write)
    return locks


def _to_unlock(
    chunk: Sequence[Write], roots: Mapping[str, Root], job_id: str
) -> list[Write] | None:
    """The roots that the job still holds."""
    return [
        write
        for write in chunk
        if isinstance(write, UnlockRoot)
        and (root := roots.get(write.root.person_id)) is not None
        and _is_held(root, job_id)
    ]


def _is_held(root: Root, job_id: str) -> bool:
    return root.state is RootState.SPLITTING and root.job == job_id
