"""What a run does to live persons: it mints new ones, and corrects those that differ."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from stamgast.identity.births import mint_absent, mint_all, pages
from stamgast.identity.changes import (
    apply,
    are_edges_same,
    change_of,
    decisions_of,
    is_same,
)
from stamgast.identity.edge import Edge, Pair
from stamgast.identity.evidence import Evidence
from stamgast.identity.jobs import run_job
from stamgast.identity.partition import Partition, partition
from stamgast.identity.plan import Cause, IdentityChange
from stamgast.identity.pointer import Pointer
from stamgast.identity.results import Corrections, Result
from stamgast.identity.root import Root, RootState
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.store import MOST_WRITES, JobStore, Pause
from stamgast.identity.survey import Survey, survey, survey_of
from stamgast.identity.view import end_of, read_chain

TRIES = 30
# What the transaction that begins a change can ask for besides its fence and its job.
MOST_DECIDED = MOST_WRITES - 2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 2.0
PAGE = 500


def begin(store: JobStore, seq: int, pause: Pause) -> bool:
    """Shuts out older runs, then finishes their open jobs; False if a newer run was here."""
    if not store.raise_fence(seq):
        return False
    finish_jobs(store, pause)
    return True


def finish_jobs(store: JobStore, pause: Pause) -> int:
    """Resumes every open job; returns how many it brought to their end."""
    return sum(run_job(store, job_id, pause) for job_id in store.open_jobs())


def publish_identity(
    store: JobStore,
    evidence: Evidence,
    components: Iterable[Collection[str]],
    seq: int,
    settings: IdentitySettings,
    pause: Pause,
) -> Corrections:
    """Makes the live persons of each component those that the run's inputs say.

    A component is a set of identifiers that the inputs connect through values that are not off.
    Whole new ones are minted many at a time; others are read, and changed only if they differ.
    Stops at the first component that a newer run shuts out. Raises StoreError if the store does
    not answer.
    """
    told = Corrections()
    for page in pages(components, PAGE):
        pointers = store.read_pointers([key for keys in page for key in keys])
        new = [keys for keys in page if pointers.keys().isdisjoint(keys)]
        old = [keys for keys in page if not pointers.keys().isdisjoint(keys)]
        left = _differing(store, evidence, old, pointers, settings, told)
        left += mint_all(store, evidence, new, seq, settings, pause, told)
        for keys in left:
            result, changes = correct(store, evidence, keys, seq, settings, pause)
            told.add(result, changes)
            if result is Result.FENCED:
                return told
    return told


def _differing(
    store: JobStore,
    evidence: Evidence,
    components: Sequence[Collection[str]],
    pointers: Mapping[str, Pointer],
    settings: IdentitySettings,
    told: Corrections,
) -> list[Collection[str]]:
    """Those whose live persons are not exactly what the inputs alone say."""
    pairs = {pair for keys in components for pair in evidence.links(keys)}
    person_ids = {pointer.person_id for pointer in pointers.values()}
    roots, edges = read_chain(store, person_ids, pairs)
    left = []
    for keys in components:
        if _stands(evidence, keys, pointers, roots, edges, settings):
            told.add(Result.SAME)
        else:
            left.append(keys)
    return left


def _stands(
    evidence: Evidence,
    keys: Collection[str],
    pointers: Mapping[str, Pointer],
    read: Mapping[str, Root],
    edges: Mapping[Pair, Edge],
    settings: IdentitySettings,
) -> bool:
    mine = {key: pointers[key] for key in keys if key in pointers}
    ends = {key: end_of(pointer.person_id, read) for key, pointer in mine.items()}
    home = {key: end for key, end in ends.items() if end is not None}
    roots = {end: read[end] for end in home.values()}
    if (
        len(home) < len(keys)
        or evidence.disputed(keys)
        or any(r.state is not RootState.ACTIVE for r in roots.values())
    ):
        return False
    found = survey_of(evidence, keys, settings)
    live = {pair: edges[pair] for pair in found.links if pair in edges}
    found = replace(found, pointers=mine, home=home, roots=roots, edges=live)
    plan = partition(found, settings)
    return not plan.clashes and is_same(found, plan) and are_edges_same(found, plan)


def correct(
    store: JobStore,
    evidence: Evidence,
    keys: Collection[str],
    seq: int,
    settings: IdentitySettings,
    pause: Pause,
) -> tuple[Result, tuple[IdentityChange, ...]]:
    """Brings one component to what the inputs and the live edges say together."""
    keys = _known(store, evidence, keys)
    attempt, absent = 0, set(keys)
    while attempt < TRIES:
        if attempt:
            pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))
        attempt += 1
        if store.fence() != seq:
            return Result.FENCED, ()
        mint_absent(store, evidence, absent)
        found = survey(store, evidence, keys, settings, absent)
        if found is None:
            finish_jobs(store, pause)
            continue
        plan = partition(found, settings)
        if plan.clashes:
            return Result.CLASHING, ()
        if is_same(found, plan) and are_edges_same(found, plan):
            return Result.SAME if attempt == 1 else Result.CORRECTED, ()
        if len(decisions_of(found, plan)) > MOST_DECIDED:
            return Result.TOO_LARGE, ()
        old = old_roots(store, found, plan)
        if old is None:
            keys = {*keys, *_holders(store, found, plan)}
        elif apply(store, change_of(found, plan, old, seq), pause):
            return Result.CORRECTED, tuple(_told(found, plan, seq))
    return Result.CONTENDED, ()


def _known(store: JobStore, evidence: Evidence, keys: Collection[str]) -> Collection[str]:
    """Those that inputs or live items name: a losing copy may name what neither knows."""
    seen = evidence.sightings(keys)
    if len(seen) == len(set(keys)):
        return keys
    return seen.keys() | store.read_pointers(keys).keys()


def old_roots(store: JobStore, found: Survey, plan: Partition) -> dict[str, Root | None] | None:
    """Every root to be changed as it stands; None if one is held by others than these.

    Pointers may still lead through a merged person: it is revived only together with its founder,
    for whoever moved that moved them all.
    """
    read = _others(store, found, plan)
    for root in read.values():
        if root.state is not RootState.MERGED or root.founder not in found.home:
            return None
    more = plan.targets.keys() - found.roots.keys()
    return {**found.roots, **{person_id: read.get(person_id) for person_id in more}}


def _others(store: JobStore, found: Survey, plan: Partition) -> dict[str, Root]:
    more = plan.targets.keys() - found.roots.keys()
    return store.read_persons(more)[0] if more else {}


def _holders(store: JobStore, found: Survey, plan: Partition) -> set[str]:
    """Who founded persons whose ids the plan gives to others, by a copy that lost."""
    return {root.founder for root in _others(store, found, plan).values()}


def _told(found: Survey, plan: Partition, seq: int) -> Iterator[IdentityChange]:
    because = f"run:{seq}"
    for person_id, target in sorted(plan.targets.items()):
        root = found.roots.get(person_id)
        if root is None:
            yield IdentityChange(Cause.CREATED, person_id, because)
        elif root.members.keys() != target.members.keys():
            yield IdentityChange(Cause.CORRECTED, person_id, because)
    for person_id, root in sorted(found.roots.items()):
        if person_id not in plan.targets:
            into = plan.goal[root.founder]
            yield IdentityChange(Cause.MERGED, person_id, because, into)


__all__ = ["Corrections", "Result", "begin", "correct", "finish_jobs", "publish_identity"]
