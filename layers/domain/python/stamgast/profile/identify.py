"""The identity stage within a batch: each anchor's star settled by itself, changes told."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stamgast.identity.event import Event
from stamgast.identity.keys import Keyring
from stamgast.identity.live import settle
from stamgast.identity.plan import IdentityChange
from stamgast.identity.pointer import Pointer
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Star, fold_stars, star_of
from stamgast.identity.store import IdentityStore, StoreError
from stamgast.profile.store import Pause


@dataclass(frozen=True, slots=True)
class Identified:
    """Anchors of which nothing is known because the store did not answer, and figures."""

    failed: frozenset[str] = frozenset()
    changed: int = 0
    parked: int = 0
    untold: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Settles the stars of a batch; `tell` hands changes on and says how many it could not."""

    store: IdentityStore
    settings: IdentitySettings
    keyring: Keyring
    tell: Callable[[Sequence[IdentityChange]], int]
    pause: Pause

    def __call__(self, events: Iterable[Event]) -> Identified:
        """One star an anchor; a store that fails on one star leaves the others alone."""
        stars = fold_stars(s for event in events if (s := star_of(event, self.keyring)))
        try:
            pointers = self._pointers(stars)
        except StoreError:
            return Identified(failed=frozenset(star.anchor for star in stars))
        failed, changes, parked, refused = set[str](), list[IdentityChange](), 0, 0
        for star in stars:
            try:
                settled = settle(
                    self.store, (star,), self.settings, self.pause, None if changes else pointers
                )
            except StoreError:
                failed.add(star.anchor)
                continue
            changes += settled.changes
            parked += settled.parked
            refused += len(settled.refused)
        untold = self.tell(changes)
        return Identified(frozenset(failed), len(changes), parked, untold, refused)

    def _pointers(self, stars: Collection[Star]) -> Mapping[str, Pointer]:
        keys = sorted({key for star in stars for key in star.sightings})
        return self.store.read_pointers(keys)
