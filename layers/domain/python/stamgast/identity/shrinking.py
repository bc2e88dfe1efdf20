"""A component with more persons than one transaction can lock, made smaller step by step."""

from collections.abc import Sequence
from dataclasses import replace

from stamgast.identity.changes import MOVED
from stamgast.identity.partition import Partition
from stamgast.identity.plan import merged
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root, RootState
from stamgast.identity.store import (
    MOST_WRITES,
    CheckFence,
    JobStore,
    MovePointer,
    Outcome,
    PutRoot,
    Write,
)
from stamgast.identity.survey import Survey


def merge_some(store: JobStore, found: Survey, plan: Partition, seq: int) -> bool | None:
    """Merges persons that lie wholly inside one part of the plan, as many as one write takes.

    The plan stays what it was, so the component shrinks step by step until its lock fits. Whether
    it succeeded; None when there is nothing of the kind to merge.
    """
    for target in plan.targets.values():
        inside = [
            root
            for root in found.roots.values()
            if root.members.keys() <= target.members.keys()
            and len(root.members) <= MOST_WRITES // 4
        ]
        if len(inside) > 1:
            inside.sort(key=lambda root: (root.born, root.person_id))
            return store.commit(_merge_into_first(found, inside, seq)) is Outcome.DONE
    return None


def _merge_into_first(found: Survey, roots: Sequence[Root], seq: int) -> list[Write]:
    chosen, moved = [roots[0]], list[Write]()
    for root in roots[1:]:
        if len(chosen) + len(moved) + len(root.members) + 2 > MOST_WRITES:
            break
        chosen.append(root)
        moved += (_moved(found.pointers[key], roots[0].person_id) for key in root.members)
    first = replace(
        roots[0],
        version=roots[0].version + 1,
        members={key: member for root in chosen for key, member in root.members.items()},
        anchors=frozenset(anchor for root in chosen for anchor in root.anchors),
        cannot_links=frozenset(c for root in chosen for c in root.cannot_links),
        run=max(seq, *(root.run for root in chosen)),
    )
    writes: list[Write] = [CheckFence(seq), PutRoot(first, _was(roots[0]))]
    for root in chosen[1:]:
        taken = replace(merged(root, first.person_id), version=root.version + 1)
        writes.append(PutRoot(taken, _was(root)))
    return [*writes, *moved]


def _moved(pointer: Pointer, person_id: str) -> MovePointer:
    return MovePointer(replace(pointer, person_id=person_id, version=pointer.version + MOVED))


def _was(root: Root) -> tuple[int, RootState]:
    return root.version, root.state
