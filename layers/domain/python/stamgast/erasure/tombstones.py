"""Tombstones: which events may not come back after an erasure, as a law over single events.

A tombstone stands at an identifier's key, so it tells nothing of whom it keeps away. An event that
was received or that happened up to the erasure is suppressed; one that happened later is of
somebody new, unless it is a copy of a message that was erased.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from stamgast.identity.event import Event


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An erased identifier: what names it and is not younger than `until_ms` stays away.

    `apart` are the identifiers of persons who had been told apart from the erased: their messages
    that name it keep the rest.
    """

    key: str
    until_ms: int
    apart: frozenset[str] = frozenset()


Tombstones = Mapping[str, Tombstone]
NONE: Tombstones = {}


class TombstoneStore(Protocol):
    """Where tombstones stand; every read is strong."""

    def read(self, keys: Collection[str]) -> Tombstones:
        """The tombstones there are among these identifiers' keys."""
        ...

    def gone(self, message_keys: Collection[str]) -> set[str]:
        """Those of these messages that were erased."""
        ...


class TombstoneLog(TombstoneStore, Protocol):
    """What a run over the whole lake asks of tombstones."""

    def all(self) -> Tombstones:
        """Every tombstone there is."""
        ...

    def ending(self, last: str) -> Tombstones:
        """The tombstones of identifiers whose keys end in this character."""
        ...

    def put_gone(self, message_keys: Collection[str]) -> None:
        """Remembers messages as erased."""
        ...


class NoTombstones:
    """The log of a workspace in which nothing was ever erased."""

    def read(self, keys: Collection[str]) -> Tombstones:  # noqa: ARG002
        """None."""
        return {}

    def gone(self, message_keys: Collection[str]) -> set[str]:  # noqa: ARG002
        """None."""
        return set()

    def all(self) -> Tombstones:
        """None."""
        return {}

    def ending(self, last: str) -> Tombstones:  # noqa: ARG002
        """None."""
        return {}

    def put_gone(self, message_keys: Collection[str]) -> None:
        """Nothing was erased, so no message is gone."""


@dataclass(frozen=True, slots=True)
class HeldTombstones:
    """All tombstones as they were read once, and the log that knows the erased messages."""

    tombstones: Tombstones
    log: TombstoneStore

    def read(self, keys: Collection[str]) -> Tombstones:
        """The tombstones there are among these identifiers' keys."""
        return {key: self.tombstones[key] for key in keys if key in self.tombstones}

    def gone(self, message_keys: Collection[str]) -> set[str]:
        """Those of these messages that were erased."""
        return self.log.gone(message_keys)


class Fate(Enum):
    """What becomes of an event under the tombstones."""

    KEPT = auto()
    REDACTED = auto()
    SUPPRESSED = auto()


@dataclass(frozen=True, slots=True)
class Judged:
    """The fate of an event; `keys` are the tombstoned identifiers that it names."""

    fate: Fate
    keys: frozenset[str] = field(default=frozenset())


KEPT = Judged(Fate.KEPT)


def judge(event: Event, tombstones: Tombstones, gone: Collection[str] = ()) -> Judged:
    """The fate of an event; `gone` holds the keys of messages that were erased.

    An event is suppressed as a whole, for what it says is said of the erased. Only one whose anchor
    was told apart from the erased stays, without the identifiers that were erased. A stranger's
    goes: for all that is known it is the erased under another name, and a rebuild knows no more.
    """
    if not tombstones:
        return KEPT
    named = [tombstones[key] for key in keys_of(event) if key in tombstones]
    if not named:
        return KEPT
    happened_ms = min(event.event_ms, event.received_ms)
    is_copy = event.message_key in gone
    holding = [one for one in named if is_copy or happened_ms <= one.until_ms]
    keys = frozenset(one.key for one in holding)
    if not holding:
        return KEPT
    if event.anchor is not None and all(event.anchor in one.apart for one in holding):
        return Judged(Fate.REDACTED, keys)
    return Judged(Fate.SUPPRESSED, keys)


def keys_of(event: Event) -> Iterable[str]:
    """The keys of all identifiers that an event names, those of a cut or a lift among them."""
    return (one.key for one in (*event.identifiers, *event.decided))


def names_any(event: Event, tombstones: Tombstones) -> bool:
    """Whether an event names an erased identifier; one that is kept then is of who came back."""
    return not tombstones.keys().isdisjoint(keys_of(event))
