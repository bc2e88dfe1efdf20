"""The live loop's identity: each star settled in conditional transactions, or parked."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from stamgast.identity.edge import Reason
from stamgast.identity.plan import (
    Cause,
    IdentityChange,
    StepPlan,
    another_id,
    hint_of,
    new_pointer,
    new_root,
    plan_step,
)
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import RootState
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting, Star, fold_stars, parts
from stamgast.identity.store import (
    CheckRoot,
    IdentityStore,
    Outcome,
    Pause,
    PutPointer,
    PutRoot,
    StoreError,
)
from stamgast.identity.view import View, read_view

TRIES = 12
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 1.0
EDGES_A_STEP = 30
MOST_DRAINED = 1000


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a batch of stars.

    `persons` leads from each identifier to its person; of a parked star to that of the identifier
    alone. `refused` lists why edges did not join; `tries` counts cancelled transactions.
    """

    persons: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[IdentityChange, ...] = ()
    refused: tuple[Reason, ...] = ()
    parked: int = 0
    tries: int = 0


@dataclass(slots=True)
class _Work:
    persons: dict[str, str] = field(default_factory=dict)
    changes: list[IdentityChange] = field(default_factory=list)
    refused: list[Reason] = field(default_factory=list)
    parked: int = 0
    tries: int = 0

    def done(self) -> Settlement:
        return Settlement(
            self.persons, tuple(self.changes), tuple(self.refused), self.parked, self.tries
        )


def settle(
    store: IdentityStore,
    stars: Iterable[Star],
    settings: IdentitySettings,
    pause: Pause,
    pointers: Mapping[str, Pointer] | None = None,
    tries: int = TRIES,
) -> Settlement:
    """Brings the stars of a batch into the persons; nothing new costs no write.

    `pause(seconds)` sleeps a random time up to that many seconds. `pointers` are those that the
    caller has just read for these stars. A star that stays contended is parked, after each of its
    absent identifiers was minted as a person of its own: so every identifier has a person when
    this returns. Raises StoreError if the store does not answer.
    """
    work = _Work()
    for star in fold_stars(stars):
        for piece in parts(star, EDGES_A_STEP):
            if not _settle_one(store, piece, settings, pause, work, pointers, tries):
                minted = mint_apart(store, piece, pause)
                work.persons |= minted.persons
                work.changes += minted.changes
                store.park(piece)
                work.parked += 1
            pointers = None if work.changes else pointers
    return work.done()


def _settle_one(
    store: IdentityStore,
    star: Star,
    settings: IdentitySettings,
    pause: Pause,
    work: _Work,
    pointers: Mapping[str, Pointer] | None,
    tries: int,
) -> bool:
    pairs = [(star.anchor, other) for other in star.supports]
    doubtful: list[IdentityChange] = []
    for attempt in range(tries):
        if attempt:
            work.tries += 1
            pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))
        view = read_view(store, star.sightings, pairs, pointers if not attempt else None)
        if view is None or view.is_locked:
            continue
        plan = plan_step(star, view, settings)
        outcome = store.commit(plan.writes) if plan.writes else Outcome.DONE
        if outcome is Outcome.DONE:
            work.persons.update(plan.home)
            work.changes.extend([*_confirmed(store, doubtful, plan.changes), *plan.changes])
            work.refused.extend(plan.refused)
            compact(store, star, view, plan)
            return True
        if outcome is Outcome.UNKNOWN:
            doubtful = [*doubtful, *(c for c in plan.changes if c not in doubtful)]
    work.changes.extend(_confirmed(store, doubtful, ()))
    return False


def _confirmed(
    store: IdentityStore, doubtful: Iterable[IdentityChange], told: Collection[IdentityChange]
) -> list[IdentityChange]:
    """Those changes of transactions without a reply that the store shows to have happened."""
    open_ = [change for change in doubtful if change not in told]
    if not open_:
        return []
    roots, _ = store.read_persons({change.person_id for change in open_})
    return [
        change
        for change in open_
        if (root := roots.get(change.person_id))
        and (change.cause is Cause.CREATED or root.into == change.into)
    ]


def compact(store: IdentityStore, star: Star, view: View, plan: StepPlan) -> None:
    """Leads pointers that end in a merged person straight to the one that stands."""
    if plan.writes:
        return
    for key in star.sightings:
        pointer, root = view.pointers[key], view.roots[view.home[key]]
        if pointer.person_id == root.person_id or root.state is not RootState.ACTIVE:
            continue
        straight = replace(
            pointer,
            person_id=root.person_id,
            version=pointer.version + 1,
            hint=hint_of(root.anchors, key),
        )
        store.commit(
            [PutPointer(straight, pointer.version), CheckRoot(root.person_id, root.version)]
        )


def mint_apart(store: IdentityStore, star: Star, pause: Pause, tries: int = TRIES) -> Settlement:
    """Makes every absent identifier a person of its own; touches no root that others contend for.

    Returns the person that each identifier's pointer names, and those that came to be. Raises
    StoreError when even that does not succeed.
    """
    work = _Work()
    for key, first in star.sightings.items():
        seen, is_ours = first, False
        for attempt in range(tries):
            if pointer := store.read_pointers([key]).get(key):
                work.persons[key] = pointer.person_id
                break
            seen = unclaimed(store, seen)
            is_ours |= _mint(store, seen, key == star.anchor)
            pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt) if attempt else 0)
        else:
            raise StoreError("an identifier could not be given a person")
        if is_ours and work.persons[key] == seen.born.person_id:
            work.changes.append(IdentityChange(Cause.CREATED, seen.born.person_id, star.because))
    return work.done()


def _mint(store: IdentityStore, seen: Sighting, is_anchor: bool) -> bool:
    """Whether the person may have come to be by this: false if the store refused."""
    root = PutRoot(new_root(seen, is_anchor), None)
    return store.commit([PutPointer(new_pointer(seen), None), root]) is not Outcome.CANCELLED


def unclaimed(store: IdentityStore, seen: Sighting) -> Sighting:
    """The sighting with a person id that no other identifier founded.

    Two payloads under one message id found different identifiers at the same position.
    """
    root = store.read_persons([seen.born.person_id])[0].get(seen.born.person_id)
    if root is None or root.founder == seen.key:
        return seen
    return replace(seen, born=replace(seen.born, person_id=another_id(seen.born.person_id)))


def drain(
    store: IdentityStore,
    settings: IdentitySettings,
    pause: Pause,
    most: int = MOST_DRAINED,
    is_time_left: Callable[[], bool] = lambda: True,
) -> Settlement:
    """Settles parked stars; those that stay contended, or unread, stay parked."""
    work = _Work()
    for parked in store.parked(most):
        if is_time_left() and _settle_parked(store, parked.star, settings, pause, work):
            store.unpark(parked)
        else:
            work.parked += 1
    return work.done()


def _settle_parked(
    store: IdentityStore, star: Star, settings: IdentitySettings, pause: Pause, work: _Work
) -> bool:
    try:
        return _settle_one(store, star, settings, pause, work, None, TRIES)
    except StoreError:
        return False


__all__ = ["Settlement", "drain", "mint_apart", "settle", "unclaimed"]
