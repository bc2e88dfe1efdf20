"""A planned partition applied to the store: at once, or as a job that anyone may resume."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from stamgast.identity.decision import pair_of
from stamgast.identity.edge import Edge, EdgeState, Pair, Reason
from stamgast.identity.jobs import carry_out
from stamgast.identity.partition import Partition
from stamgast.identity.plan import hint_of, merged
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root, RootState
from stamgast.identity.store import (
    MOST_WRITES,
    CheckDecision,
    CheckFence,
    DropEdge,
    DropRow,
    JobStore,
    MoveEdge,
    MovePointer,
    OpenJob,
    Outcome,
    Pause,
    PutRoot,
    UnlockRoot,
    Write,
)
from stamgast.identity.survey import Survey

CHUNK = 40
# More than the one that a compaction, which leaves its root's version alone, may have added.
MOVED = 2
MOST_LOCKED = MOST_WRITES - 2


@dataclass(frozen=True, slots=True)
class Change:
    """A partition with the versions it was planned under.

    `seq` is the run's number; None for what no run does. `old` holds every root that it touches as
    it was read (None: absent), `final` as it shall be; `home` is where each identifier was.
    `guards` must hold when it begins.
    """

    seq: int | None
    old: Mapping[str, Root | None]
    final: Mapping[str, Root]
    moves: tuple[MovePointer, ...]
    states: tuple[MoveEdge | DropEdge, ...]
    home: Mapping[str, str]
    guards: tuple[Write, ...] = ()
    drops: tuple[DropRow, ...] = ()

    @property
    def job_id(self) -> str:
        """The same for the same change of the same versions, so that a job is opened once."""
        content = repr((sorted(self.final.items()), self.moves, self.states))
        return f"{self.seq or 0}-{sha256(content.encode()).hexdigest()[:20]}"

    @property
    def rest(self) -> list[Write]:
        """Everything but the roots."""
        return [*self.moves, *self.states, *self.drops]


def change_of(
    found: Survey, plan: Partition, old: Mapping[str, Root | None], seq: int | None
) -> Change:
    """The change that leads from a survey to its partition."""
    final = {p: _final(p, root, plan, seq) for p, root in old.items()}
    fence = () if seq is None else (CheckFence(seq),)
    guards = (*fence, *decisions_of(found, plan))
    moved = [MoveEdge(edge) for edge in (*edge_moves(found, plan), *new_edges(found, plan))]
    gone = [DropEdge(pair) for pair in sorted(found.void - found.links.keys())]
    moves = tuple(_moves(found, plan))
    return Change(seq, old, final, moves, (*moved, *gone), found.home, guards)


def decisions_of(found: Survey, plan: Partition) -> tuple[CheckDecision, ...]:
    """The decisions that must stand, of every pair that comes onto a root or leaves one."""
    moved: set[Pair] = set()
    for person_id in found.roots.keys() | plan.targets.keys():
        was, shall = found.roots.get(person_id), plan.targets.get(person_id)
        moved |= (was.cannot_links if was else set()) ^ (shall.cannot_links if shall else set())
    told = found.decisions
    return tuple(
        CheckDecision(pair, told[pair].message_id if pair in told else None)
        for pair in sorted(moved)
    )


def _final(person_id: str, old: Root | None, plan: Partition, seq: int | None) -> Root:
    version = old.version if old else 0
    run = max(seq or 0, old.run if old else 0)
    target = plan.targets.get(person_id)
    if target is not None:
        return replace(target, version=version + 2, run=run)
    if old is None:
        raise ValueError("a person that neither is nor shall be")
    return replace(merged(old, plan.goal[old.founder]), version=version + 2)


def _moves(found: Survey, plan: Partition) -> Iterator[MovePointer]:
    for key, pointer in sorted(found.pointers.items()):
        trait, person_id = found.traits[key], plan.goal[key]
        target = plan.targets[person_id]
        yield MovePointer(
            replace(
                pointer,
                person_id=person_id,
                version=pointer.version + MOVED,
                born=target.born if key == target.founder else trait.born,
                assurance=trait.assurance,
                met=trait.met,
                off=trait.off,
                hint=hint_of(target.anchors, key),
            )
        )


def edge_moves(found: Survey, plan: Partition) -> Iterator[Edge]:
    """The edges that change their state or their support, as they shall be."""
    for pair, edge in sorted(found.edges.items()):
        if pair[0] not in plan.goal:
            continue
        if pair in found.void and pair not in found.links:
            continue
        told = found.links.get(pair, edge.support)
        support = told if pair in found.void else min(told, edge.support)
        new = _state(replace(edge, support=support), found, plan)
        if new != edge:
            yield new


def new_edges(found: Survey, plan: Partition) -> Iterator[Edge]:
    """The edges that the inputs tell and the live view lacks, each at its anchor."""
    for pair, support in sorted(found.links.items()):
        if pair in found.edges or pair[0] not in plan.goal:
            continue
        yield _state(Edge(pair, support, EdgeState.REFUSED, Reason.VALUE_LIMIT), found, plan)


def are_edges_same(found: Survey, plan: Partition) -> bool:
    """Whether the live edges are there and say what the plan does."""
    return not any(True for _ in edge_moves(found, plan)) and not any(
        True for _ in new_edges(found, plan)
    )


def _state(edge: Edge, found: Survey, plan: Partition) -> Edge:
    """The edge as the plan has it; out of what is closed leads only what a value limit refuses."""
    a, b = edge.pair
    if plan.goal[a] == plan.goal.get(b):
        return replace(edge, state=EdgeState.ACTIVE, why=None)
    if pair_of(a, b) in plan.targets[plan.goal[a]].cannot_links:
        return replace(edge, state=EdgeState.CUT, why=Reason.CANNOT_LINK)
    leads_out = found.is_closed and b not in plan.goal
    known = Reason.VALUE_LIMIT if leads_out else edge.why
    return replace(edge, state=EdgeState.REFUSED, why=plan.refused.get(edge.pair, known))


def is_same(found: Survey, plan: Partition) -> bool:
    """Whether the live persons are already those of the plan, and nothing void holds them."""
    return (
        not found.void
        and all(_stands(found.roots.get(p), target) for p, target in plan.targets.items())
        and all(found.home[key] == person_id for key, person_id in plan.goal.items())
        and all(_agrees(found, key, pointer) for key, pointer in found.pointers.items())
    )


def _stands(root: Root | None, target: Root) -> bool:
    return root is not None and (
        (root.born, root.founder, dict(root.members), root.anchors, root.cannot_links)
        == (target.born, target.founder, dict(target.members), target.anchors, target.cannot_links)
    )


def _agrees(found: Survey, key: str, pointer: Pointer) -> bool:
    trait = found.traits[key]
    told = (pointer.off, pointer.born, pointer.assurance)
    return told == (trait.off, trait.born, trait.assurance)


def apply(store: JobStore, change: Change, pause: Pause) -> bool:
    """One transaction where all fits, else a job; False when others were faster: survey again."""
    if len(change.guards) + len(change.final) + len(change.rest) <= MOST_WRITES:
        roots = [_put(change, p, root, 1) for p, root in sorted(change.final.items())]
        return store.commit([*change.guards, *roots, *change.rest]) is Outcome.DONE
    job_id = change.job_id
    locks = [_locked(change, person_id, job_id) for person_id in _in_order(change)]
    is_large = len(change.guards) + len(locks) > MOST_LOCKED
    chunks = list(_chunks(change, job_id, locks) if is_large else _small_chunks(change, job_id))
    store.write_chunks(job_id, chunks)
    pages = -(-len(locks) // MOST_LOCKED) if is_large else 0
    opened = OpenJob(job_id, len(chunks) - 3 * pages, pages)
    outcome = store.commit([*change.guards, opened, *(() if is_large else locks)])
    if outcome is Outcome.CANCELLED or store.read_job(job_id) is None:
        return False
    return carry_out(store, job_id, pause)


def _put(change: Change, person_id: str, root: Root, step: int) -> PutRoot:
    old = change.old[person_id]
    version = (old.version if old else 0) + step
    return PutRoot(replace(root, version=version), (old.version, old.state) if old else None)


def _in_order(change: Change) -> list[str]:
    """Those that stand first: pointers may lead through one that is revived to one that stands."""

    def stands(person_id: str) -> bool:
        old = change.old[person_id]
        return old is not None and old.state is RootState.ACTIVE

    return sorted(change.final, key=lambda person_id: (not stands(person_id), person_id))


def _locked(change: Change, person_id: str, job_id: str) -> PutRoot:
    """A root SPLITTING under the version it was read at; it goes on listing what it listed."""
    old = change.old[person_id]
    shown = old if old is not None and old.state is RootState.ACTIVE else change.final[person_id]
    locked = replace(shown, state=RootState.SPLITTING, job=job_id, into=None)
    return _put(change, person_id, locked, 1)


def _undone(change: Change, person_id: str) -> Root:
    """A root as it was before its lock; one that was not there leads to where its founder is."""
    old, final = change.old[person_id], change.final[person_id]
    if old is None:
        return replace(merged(final, change.home[final.founder]), version=final.version)
    return replace(old, version=final.version)


def _moved(change: Change) -> list[list[Write]]:
    rest = change.rest
    return [rest[start : start + CHUNK] for start in range(0, len(rest), CHUNK)]


def _small_chunks(change: Change, job_id: str) -> Iterator[list[Write]]:
    yield from _moved(change)
    yield [UnlockRoot(root, job_id) for _, root in sorted(change.final.items())]


def _chunks(change: Change, job_id: str, locks: Sequence[Write]) -> Iterator[Sequence[Write]]:
    """The locks, the moves, the roots as they shall be, and as they were."""
    final = [UnlockRoot(root, job_id) for _, root in sorted(change.final.items())]
    undone = [UnlockRoot(_undone(change, p), job_id) for p in reversed(_in_order(change))]
    yield from _paged(locks)
    yield from _moved(change)
    yield from _paged(final)
    yield from _paged(undone)


def _paged(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    for start in range(0, len(writes), MOST_LOCKED):
        yield writes[start : start + MOST_LOCKED]
