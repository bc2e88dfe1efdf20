"""How many persons a value serves, counted in what names persons; from when on it links nobody."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from stamgast.identity.assurance import Assurance
from stamgast.identity.settings import IdentitySettings

Keys: TypeAlias = frozenset[str]


class Off(IntEnum):
    """Which links a value no longer makes because it serves more persons than it may."""

    NOT = 0
    TO_CLAIMS = 1
    WHOLLY = 2

    def blocks(self, assurance: Assurance) -> bool:
        """Whether a link of this assurance does not join at such a value."""
        if self is Off.TO_CLAIMS:
            return assurance < Assurance.VERIFIED
        return self is Off.WHOLLY


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Persistent and linked identifiers that a value was seen with: on any word, on verified ones.

    At most one more than the limit of each namespace is kept of either.
    """

    near: Keys = frozenset()
    vouched: Keys = frozenset()

    @property
    def all(self) -> Keys:
        """On whatever word."""
        return self.near | self.vouched

    def off(self, limit: int, settings: IdentitySettings) -> Off:
        """Claims count for claims only: whoever claims a value takes no verified link from it."""
        if served(self.vouched, settings) > limit:
            return Off.WHOLLY
        return Off.TO_CLAIMS if served(self.all, settings) > limit else Off.NOT

    def meet(
        self, other: str, assurance: Assurance, limit: int, settings: IdentitySettings
    ) -> "Neighbours":
        """With one neighbour more, if it counts and if it can still change anything."""
        if not names_a_person(other, settings):
            return self
        off = self.off(limit, settings)
        if off is Off.WHOLLY:
            return self
        if assurance is Assurance.VERIFIED and other not in self.vouched:
            return replace(self, near=self.near - {other}, vouched=self.vouched | {other})
        if off is Off.NOT and other not in self.all:
            return replace(self, near=self.near | {other})
        return self

    def bounded(self, limit: int, settings: IdentitySettings) -> "Neighbours":
        """As many of each namespace as decide the same."""
        vouched = _bounded(self.vouched, limit, settings)
        return Neighbours(_bounded(self.near - self.vouched, limit, settings), vouched)


NOBODY = Neighbours()


def names_a_person(key: str, settings: IdentitySettings) -> bool:
    """Whether identifiers of this key's namespace stay with a person, as cookies do not."""
    return key.partition(":")[0] in settings.naming


def served(keys: Set[str], settings: IdentitySettings) -> int:
    """The most identifiers of one naming namespace among these: so many persons, at least."""
    counts = Counter(key.partition(":")[0] for key in keys if names_a_person(key, settings))
    return max(counts.values(), default=0)


def _bounded(keys: Iterable[str], limit: int, settings: IdentitySettings) -> Keys:
    kept: defaultdict[str, list[str]] = defaultdict(list)
    for key in sorted(keys):
        of_its_kind = kept[key.partition(":")[0]]
        if names_a_person(key, settings) and len(of_its_kind) <= limit:
            of_its_kind.append(key)
    return frozenset(key for one in kept.values() for key in one)
