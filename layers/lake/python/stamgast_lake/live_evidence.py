"""What a run's evidence says of identifiers, read page by page as corrections ask for it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.erasure.tombstones import NoTombstones
from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.edge import Pair, Support
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.keys import Keyring
from stamgast.identity.rules import kind_of
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting
from stamgast_lake.logs import keep
from stamgast_lake.state import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VALUES = """
    create or replace temp table told_value as
    select one.key as key, min(one.value) as value
    from (select unnest(identifiers) as one from {events})
    where one.key in (select key from touched)
    group by one.key
"""
ABSENT = "select key from wanted where key not in (select key from touched)"
SIGHTINGS = """
    select seen.key, namespace, assurance, received_ms, message_key, position, source_id,
        message_id, coalesce(value, ''), is_anchor
    from seen left join told_value on told_value.key = seen.key
    where seen.key in (select key from wanted)
"""
LINKS = """
    select a, b, weakness, priority, event_ms, message_key, position, source_id from edge
    where a in (select key from wanted) or b in (select key from wanted)
"""
CUTS = """
    select least(a, b), greatest(a, b) from cannot_link
    where a in (select key from wanted) or b in (select key from wanted)
"""
# Every losing copy that the run met, whatever page is asked for: they are few.
LOST = "select message_key, identifiers from lost_copy where len(identifiers) > 0"


@dataclass(slots=True)
class LakeEvidence:
    """The port `Evidence` over the tables that `gather` makes.

    Holds one page in memory; an identifier outside it, which a live link can lead to, is read when
    it is asked for, from `state` where not all evidence was gathered. `erased` knows the messages
    that an erasure took. Safe to be asked by several threads.
    """

    engine: "DuckDBPyConnection"
    keyring: Keyring
    settings: IdentitySettings
    state: State | None = None
    erased: Callable[[Collection[str]], Collection[str]] = NoTombstones().gone
    held: EvidenceInMemory = field(default_factory=EvidenceInMemory)
    loaded: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def turn(self, keys: Collection[str]) -> None:
        """Forgets the last page and reads that of these identifiers."""
        with self.lock:
            self.held, self.loaded = EvidenceInMemory(), set()
            self._load(keys)

    def sightings(self, keys: Collection[str]) -> Mapping[str, Sighting]:
        """The oldest receipt and best assurance of each identifier that the inputs name."""
        return self._holding(keys).sightings(keys)

    def anchors(self, keys: Collection[str]) -> Collection[str]:
        """Those of the identifiers that are the anchor of an event."""
        return self._holding(keys).anchors(keys)

    def links(self, keys: Collection[str]) -> Mapping[Pair, Support]:
        """Every pair (anchor, other) with an end among these, with its smallest support."""
        return self._holding(keys).links(keys)

    def cannot_links(self, keys: Collection[str]) -> Collection[Pair]:
        """Every pair with an end among these that was cut and not lifted."""
        return self._holding(keys).cannot_links(keys)

    def conflicting(self, messages: Collection[str]) -> Collection[str]:
        """Those of the messages of which the inputs hold a copy that lost, or that were erased."""
        with self.lock:
            lost = set(self.held.conflicting(messages))
        left = set(messages) - lost
        return lost.union(self.erased(left)) if left else lost

    def disputed(self, keys: Collection[str]) -> Collection[str]:
        """Those of these identifiers that a losing copy may name."""
        with self.lock:
            return self.held.disputed(keys)

    def _holding(self, keys: Collection[str]) -> EvidenceInMemory:
        with self.lock:
            missing = set(keys) - self.loaded
            if missing:
                self._load(missing)
        return self.held

    def _load(self, keys: Collection[str]) -> None:
        keep(self.engine, "wanted", pa.table({"key": pa.array(sorted(keys), pa.string())}))
        if self.state is not None:
            self.state.add(ABSENT)
        for row in self.engine.execute(SIGHTINGS).fetchall():
            self._see(*row)
        for a, b, *rest in self.engine.execute(LINKS).fetchall():
            self.held.link((a, b), Support(*rest))
        for pair in self.engine.execute(CUTS).fetchall():
            self.held.cut(pair)
        for message_key, named in self.engine.execute(LOST).fetchall():
            self.held.lose(message_key, named)
        self.loaded |= set(keys)

    def _see(
        self,
        key: str,
        namespace: str,
        assurance: int,
        received_ms: int,
        message_key: str,
        position: int,
        source_id: str,
        message_id: str,
        value: str,
        is_anchor: bool,
    ) -> None:
        person_id = self.keyring.person_id(source_id, message_id, position)
        sighting = Sighting(
            key,
            namespace,
            kind_of(key, self.settings),
            Assurance(assurance),
            Birth(received_ms, message_key, position, person_id),
            value,
        )
        self.held.see(sighting, is_anchor)


def read_values(engine: "DuckDBPyConnection", events: str) -> None:
    """Makes `told_value`: the normalised value behind each touched key that these events name."""
    engine.execute(VALUES.format(events=events))
