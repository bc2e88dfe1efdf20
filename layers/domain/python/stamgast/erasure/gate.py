"""The gate that every event passes on its way in: what was erased does not come back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stamgast.erasure.naming import Naming
from stamgast.erasure.remains import (
    is_rejected_barred,
    keys_of_rejected,
    redacted,
    remains_of,
    remains_of_rejected,
)
from stamgast.erasure.tombstones import Fate, Judged, Tombstones, TombstoneStore, judge, keys_of
from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings
from stamgast.raw.record import RawRecord, RejectedRecord

Read = tuple[RawRecord, Event | None]


@dataclass(frozen=True, slots=True)
class Gate:
    """Judges records under the tombstones that a store holds."""

    store: TombstoneStore
    settings: IdentitySettings
    keyring: Keyring

    def accepted(self, read: Sequence[Read]) -> list[Read]:
        """Each record as it may be kept, with its event; a suppressed one has no event.

        What cannot be interpreted passes as it is, for it is never folded.
        """
        events = [event for _, event in read if event is not None]
        tombstones = self._standing(key for event in events for key in keys_of(event))
        if not tombstones:
            return list(read)
        named = (e.message_key for e in events if any(key in tombstones for key in keys_of(e)))
        gone = self.store.gone(set(named))
        return [self._kept(record, event, tombstones, gone) for record, event in read]

    def rejected(self, records: Sequence[RejectedRecord]) -> list[RejectedRecord]:
        """Each refused record as it may be kept."""
        naming = Naming(self.settings, self.keyring)
        named = (key for record in records for key in keys_of_rejected(record, naming))
        tombstones = self._standing(named)
        return [
            remains_of_rejected(one)
            if tombstones and is_rejected_barred(one, naming, tombstones)
            else one
            for one in records
        ]

    def _standing(self, keys: Iterable[str]) -> Tombstones:
        wanted = set(keys)
        return self.store.read(wanted) if wanted else {}

    def _kept(
        self, record: RawRecord, event: Event | None, tombstones: Tombstones, gone: set[str]
    ) -> Read:
        if event is None:
            return record, None
        return kept(record, event, judge(event, tombstones, gone), self.settings, self.keyring)


def kept(
    record: RawRecord, event: Event, judged: Judged, settings: IdentitySettings, keyring: Keyring
) -> Read:
    """The record and its event as a judgement leaves them."""
    if judged.fate is Fate.KEPT:
        return record, event
    if judged.fate is Fate.SUPPRESSED:
        return remains_of(record, event), None
    naming = Naming(settings, keyring, settings.region_of(record.source_id))
    left = redacted(record, event, judged.keys, naming)
    return left, interpret(left, settings, keyring)


def count_suppressed(before: Iterable[Read], after: Iterable[Read]) -> int:
    """How many records were suppressed on the way through the gate."""
    pairs = zip(before, after, strict=True)
    return sum(left[0].is_suppressed and not had[0].is_suppressed for had, left in pairs)
