"""Persons that are not there yet: whole components at once, single identifiers apart."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from stamgast.identity.changes import new_edges
from stamgast.identity.evidence import Evidence
from stamgast.identity.live import unclaimed
from stamgast.identity.partition import partition
from stamgast.identity.plan import Cause, IdentityChange, hint_of, new_pointer, new_root
from stamgast.identity.results import Corrections, Result
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting
from stamgast.identity.store import (
    MOST_WRITES,
    CheckFence,
    JobStore,
    Outcome,
    Pause,
    PutEdge,
    PutPointer,
    PutRoot,
    Write,
)
from stamgast.identity.survey import survey_of

BATCH_TRIES, FIRST_PAUSE_SECONDS = 4, 0.02

T = TypeVar("T")


def mint_all(
    store: JobStore,
    evidence: Evidence,
    components: Sequence[Collection[str]],
    seq: int,
    settings: IdentitySettings,
    pause: Pause,
    told: Corrections,
) -> list[Collection[str]]:
    """Mints whole components, many a transaction; returns those that were not new after all."""
    left: list[Collection[str]] = []
    batch: list[tuple[Collection[str], list[Write]]] = []
    born: set[str] = set()
    for keys in components:
        writes = _births(evidence, keys, settings)
        ids = {write.root.person_id for write in writes or () if isinstance(write, PutRoot)}
        if writes is None or len(writes) >= MOST_WRITES or ids & born:
            left.append(keys)
            continue
        born |= ids
        if sum(len(w) for _, w in batch) + len(writes) >= MOST_WRITES:
            left += _mint_batch(store, batch, seq, pause, told)
            batch = []
        batch.append((keys, writes))
    return left + _mint_batch(store, batch, seq, pause, told)


def _mint_batch(
    store: JobStore,
    batch: Sequence[tuple[Collection[str], list[Write]]],
    seq: int,
    pause: Pause,
    told: Corrections,
) -> list[Collection[str]]:
    """Several tries, for transactions that run at once and ask for one fence cancel each other."""
    writes = [write for _, one in batch for write in one]
    if not writes or not _commit(store, [CheckFence(seq), *writes], pause):
        return [keys for keys, _ in batch]
    for _, one in batch:
        born = [write.root.person_id for write in one if isinstance(write, PutRoot)]
        told.add(Result.MINTED, (IdentityChange(Cause.CREATED, p, f"run:{seq}") for p in born))
    return []


def _commit(store: JobStore, writes: Sequence[Write], pause: Pause) -> bool:
    for attempt in range(BATCH_TRIES):
        if attempt:
            pause(FIRST_PAUSE_SECONDS * 2**attempt)
        if store.commit(writes) is Outcome.DONE:
            return True
    return False


def _births(
    evidence: Evidence, keys: Collection[str], settings: IdentitySettings
) -> list[Write] | None:
    """The writes that make a new component's persons; None where two claim one id.

    And None where something was cut: a newer decision than the inputs' may stand by now.
    """
    if evidence.cannot_links(keys):
        return None
    seen = evidence.sightings(keys)
    found = survey_of(evidence, keys, settings)
    plan = partition(found, settings)
    if plan.clashes:
        return None
    writes: list[Write] = [PutRoot(root, None) for root in plan.targets.values()]
    for key, trait in found.traits.items():
        root = plan.targets[plan.goal[key]]
        pointer = replace(
            new_pointer(seen[key]),
            person_id=root.person_id,
            met=trait.met,
            off=trait.off,
            hint=hint_of(root.anchors, key),
        )
        writes.append(PutPointer(pointer, None))
    return [*writes, *(PutEdge(edge, None) for edge in new_edges(found, plan))]


def mint_absent(store: JobStore, evidence: Evidence, keys: Collection[str]) -> None:
    """Gives each identifier without a person one of its own, to be joined by the correction."""
    absent = set(keys) - store.read_pointers(keys).keys()
    seen = evidence.sightings(absent)
    anchors = set(evidence.anchors(absent))
    for page in pages(sorted(seen), MOST_WRITES // 2):
        births = [_birth(seen[key], key in anchors) for key in page]
        if store.commit([write for birth in births for write in birth]) is not Outcome.DONE:
            for key in page:
                store.commit(_birth(unclaimed(store, seen[key]), key in anchors))


def _birth(seen: Sighting, is_anchor: bool) -> list[Write]:
    return [PutPointer(new_pointer(seen), None), PutRoot(new_root(seen, is_anchor), None)]


def pages(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """The items in lists of at most `most`."""
    page: list[T] = []
    for item in items:
        page.append(item)
        if len(page) == most:
            yield page
            page = []
    if page:
        yield page
