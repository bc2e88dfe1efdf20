"""Variants of the identity protocol, each with one of its rules left out: every one must fail."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from stamgast.identity import plan as plan_module
from stamgast.identity.assurance import Assurance
from stamgast.identity.changes import _moves
from stamgast.identity.edge import Edge, Reason
from stamgast.identity.edge_codec import edge_of
from stamgast.identity.live import Settlement
from stamgast.identity.partition import Partition
from stamgast.identity.plan import Draft, StepPlan, plan_step
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import RootState
from stamgast.identity.rules import Side, may_join
from stamgast.identity.settings import IdentitySettings, Limits
from stamgast.identity.star import Star
from stamgast.identity.store import (
    CheckFence,
    CheckJob,
    MovePointer,
    Outcome,
    PutEdge,
    PutRoot,
    Write,
)
from stamgast.identity.survey import Survey
from stamgast.identity.view import View
from stamgast_aws.dynamo_values import attributes_of
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.schedules.identity_world import Rules

PLAN, LIVE = "stamgast.identity.plan", "stamgast.identity.live"
SURVEY, PARTITION = "stamgast.identity.survey", "stamgast.identity.partition"
CHANGES, JOBS = "stamgast.identity.changes", "stamgast.identity.jobs"


class Rewriting(DynamoJobStore):
    """A store that changes writes on their way."""

    def rewritten(self, write: Write) -> Write | None:
        return write

    def commit(self, writes: Sequence[Write]) -> Outcome:
        kept = [new for write in writes if (new := self.rewritten(write)) is not None]
        return DynamoJobStore.commit(self, kept) if kept else Outcome.DONE

    def version_now(self, person_id: str) -> tuple[int, RootState] | None:
        item = self.client.item(self.profiles, f"P#{person_id}", "@")
        told = attributes_of(item) if item else None
        return (told["version"], RootState(told["state"])) if told else None


class LoserUnguarded(Rewriting):
    """A merge does not ask which version of the loser it has read."""

    def rewritten(self, write: Write) -> Write | None:
        if isinstance(write, PutRoot) and write.root.state is RootState.MERGED:
            return replace(write, was=self.version_now(write.root.person_id))
        return write


class RootsUnguarded(Rewriting):
    """No identity write asks which version of a root it has read."""

    def rewritten(self, write: Write) -> Write | None:
        if isinstance(write, PutRoot):
            return replace(write, was=self.version_now(write.root.person_id))
        return write


class EdgesUnguarded(Rewriting):
    """An edge is written whatever became of it since it was read."""

    def rewritten(self, write: Write) -> Write | None:
        if not isinstance(write, PutEdge):
            return write
        a, b = write.edge.pair
        item = self.client.item(self.profiles, f"I#{a}", f"E#{b}")
        return replace(write, was=self.edge(write.edge, item))

    @staticmethod
    def edge(edge: Edge, item: Any) -> Edge | None:
        return edge_of(edge.pair, attributes_of(item)) if item else None


class Unfenced(Rewriting):
    """Runs do not shut each other out."""

    def rewritten(self, write: Write) -> Write | None:
        return None if isinstance(write, CheckFence) else write


class JobsUnchecked(Rewriting):
    """A chunk does not ask whether its job is still open."""

    def rewritten(self, write: Write) -> Write | None:
        return None if isinstance(write, CheckJob) else write


class TakingWhatMovedOn(Rewriting):
    """A job that locks step by step takes a root at whatever version it is."""

    def read_chunk(self, job_id: str, number: int) -> list[Write]:
        return [
            replace(write, was=self.version_now(write.root.person_id))
            if isinstance(write, PutRoot)
            else write
            for write in DynamoJobStore.read_chunk(self, job_id, number)
        ]


class BelievingTimeOuts(Rewriting):
    """A lost reply is taken for success."""

    def commit(self, writes: Sequence[Write]) -> Outcome:
        outcome = DynamoJobStore.commit(self, writes)
        return Outcome.DONE if outcome is Outcome.UNKNOWN else outcome


class BlindToLiveEdges(DynamoJobStore):
    """A correction knows its inputs only."""

    def edges_from(self, anchor: str) -> list[Edge]:
        return []


def survey_reading_pointers_once(store: Any, *arguments: Any) -> Any:
    """The pointers that were read before the roots count."""
    from stamgast.identity import survey as module

    class Once:
        def __init__(self, store: Any) -> None:
            self.store, self.read = store, dict[str, Pointer]()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.store, name)

        def read_pointers(self, keys: Any) -> dict[str, Pointer]:
            if not set(keys) <= self.read.keys():
                self.read = self.store.read_pointers(keys)
            return {key: self.read[key] for key in keys if key in self.read}

    return module.survey(Once(store), *arguments)


def only_leaving(found: Survey, plan: Partition) -> Iterator[MovePointer]:
    """Pointers that stay with their person are left as they are."""
    for move in _moves(found, plan):
        pointer = found.pointers[move.pointer.key]
        stays = plan.goal[pointer.key] == found.home[pointer.key]
        if not stays or pointer.off != move.pointer.off:
            yield move


def before_the_lock(found: Survey, plan: Partition) -> Iterator[MovePointer]:
    """Pointers that named their person before the lock are left as they are."""
    for move in _moves(found, plan):
        pointer = found.pointers[move.pointer.key]
        if pointer.person_id != move.pointer.person_id or pointer.off != move.pointer.off:
            yield move


def blind_inside(star: Star, view: View, settings: IdentitySettings) -> StepPlan:
    """Nothing is done for a new edge inside one person."""
    told = plan_step(star, view, settings)
    missing = star.sightings.keys() - view.pointers.keys()
    if missing or len(view.roots) > 1:
        return told
    (root,) = view.roots.values()
    return told if star.anchor not in root.anchors else replace(told, writes=(), changes=())


def name_anchor_late(draft: Draft) -> None:
    """The anchor is named only when something else is to be done."""
    if len(draft.view.roots) > 1 or draft.star.sightings.keys() - draft.view.pointers.keys():
        NAME_ANCHOR(draft)


NAME_ANCHOR = plan_module.Draft.name_anchor


def reviving_anybody(store: Any, found: Survey, plan: Partition) -> Any:
    """A merged person is made active again whoever founded it."""
    more = plan.targets.keys() - found.roots.keys()
    read, _ = store.read_persons(more) if more else ({}, {})
    if any(root.state is not RootState.MERGED for root in read.values()):
        return None
    return {**found.roots, **{person_id: read.get(person_id) for person_id in more}}


def ignoring(*reasons: Reason) -> Callable[[Side, Side, Assurance, Limits], Reason | None]:
    """`may_join` without some of its reasons."""

    def rule(left: Side, right: Side, assurance: Assurance, limits: Limits) -> Reason | None:
        why = may_join(left, right, assurance, limits)
        return None if why in reasons else why

    return rule


VARIANTS: dict[str, Rules] = {
    "no version condition on the loser": Rules(store=LoserUnguarded, first_seed=63),
    "no version condition on any root": Rules(store=RootsUnguarded),
    "merges ignore the lock": Rules(patches=((f"{SURVEY}.View.is_locked", False),), first_seed=77),
    "correction blind to live edges": Rules(store=BlindToLiveEdges, first_seed=17),
    "no fencing": Rules(store=Unfenced),
    "person id from the message alone": Rules(person_id=lambda mid, position: mid),
    "path not checked against the root": Rules(
        patches=(("stamgast.identity.view._fits", lambda key, root: True),), first_seed=49
    ),
    "only leaving pointers move": Rules(patches=((f"{CHANGES}._moves", only_leaving),)),
    "pointers to move chosen before the lock": Rules(
        patches=((f"{CHANGES}._moves", before_the_lock),)
    ),
    "no step for an edge inside a person": Rules(patches=((f"{LIVE}.plan_step", blind_inside),)),
    "anchors named only by other steps": Rules(
        patches=((f"{PLAN}.Draft.name_anchor", name_anchor_late),)
    ),
    "parking mints nothing": Rules(
        patches=((f"{LIVE}.mint_apart", lambda store, star, pause: Settlement()),)
    ),
    "a time-out is taken for success": Rules(store=BelievingTimeOuts, first_seed=33),
    "no person limit": Rules(
        patches=((f"{PLAN}.may_join", ignoring(Reason.PERSON_LIMIT)),), first_seed=1600
    ),
    "no limit of one namespace": Rules(
        patches=((f"{PARTITION}.may_join", ignoring(Reason.NAMESPACE_LIMIT)),), first_seed=20
    ),
    "no limit of merges": Rules(
        patches=((f"{PARTITION}.may_join", ignoring(Reason.MERGE_LIMIT)),), first_seed=75
    ),
    "claims fill limits whole": Rules(
        patches=(("stamgast.identity.rules.share", lambda limit, assurance: limit),), first_seed=12
    ),
    "claims take verified links away": Rules(
        patches=(("stamgast.identity.served.Off.blocks", lambda off, assurance: bool(off)),),
        first_seed=22,
    ),
    "every neighbour counts as a person": Rules(
        patches=(("stamgast.identity.served.names_a_person", lambda key, settings: True),)
    ),
    "no cannot-links": Rules(patches=((f"{PLAN}.may_join", ignoring(Reason.CANNOT_LINK)),)),
    "claims join known persons": Rules(
        patches=((f"{PARTITION}.may_join", ignoring(Reason.TWO_KNOWN_PERSONS)),)
    ),
    "no trust groups": Rules(
        patches=((f"{PARTITION}.trust_groups", lambda keys, pairs: {key: key for key in keys}),)
    ),
    "a large job moves before it holds all roots": Rules(
        patches=((f"{JOBS}._settle", lambda *arguments: True),)
    ),
    "a large job takes roots that moved on": Rules(store=TakingWhatMovedOn, first_seed=22),
    "edges of copies that lost stay": Rules(
        patches=((f"{SURVEY}.void_pairs", lambda evidence, edges, links: frozenset()),),
        first_seed=17,
    ),
    "births of copies that lost count": Rules(
        patches=((f"{SURVEY}.void_births", lambda evidence, pointers, seen: frozenset()),),
        first_seed=87,
    ),
    "whom a copy that lost met is remembered": Rules(
        patches=((f"{SURVEY}.without", lambda pairs, p: {k: one.met for k, one in p.items()}),),
        first_seed=22,
    ),
    "no assurance raised": Rules(patches=((f"{PLAN}.Draft.raise_assurance", lambda draft: None),)),
}
