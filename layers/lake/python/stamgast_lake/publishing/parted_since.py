"""Whom a cut parted while the lake, and so a run at work, still knows them as one.

What such a run writes beside a person tells of both. So it writes, and looks: who was cut by then
loses what was written; whoever is cut later loses it by the cut.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast_lake.lake import Lake
from stamgast_lake.logs import keep, latest, look_up, see_runs
from stamgast_lake.tables import PERSONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Cuts = Callable[[int], Mapping[str, frozenset[str]]]
"""Of whom each person is by now that an identifier was cut from since a moment, in ms."""
# A decision is archived before it is carried out, and an archive is read within the hour.
ARCHIVED_MS = 3_600_000
MEMBERS = "select person_id, members from cut_person_now where members is not null"
COLUMNS = ("person_id", "members", "recorded_at", "run_id")


@dataclass(frozen=True, slots=True)
class PartedSince:
    """Asks of persons whether they are less than the lake takes them for."""

    engine: "DuckDBPyConnection"
    lake: Lake
    cuts: Cuts
    moment_ms: int

    def of(self, persons: Collection[str]) -> frozenset[str]:
        """Those of these persons from whom a cut took what the lake counts in."""
        since = self.cuts(self.moment_ms - ARCHIVED_MS)
        live = {person_id: since[person_id] for person_id in persons if person_id in since}
        if not live:
            return frozenset()
        return frozenset(one for one, members in self._known(live) if not live[one] >= members)

    def _known(self, persons: Collection[str]) -> list[tuple[str, set[str]]]:
        """What the newest rows say, those of a run that has not ended among them."""
        see_runs(self.engine, self.lake)
        keep(self.engine, "cut_person", pa.table({"key": sorted(persons)}))
        look_up(self.engine, self.lake, PERSONS, "cut_person", "cut_person_row", COLUMNS)
        latest(self.engine, "cut_person_row", "person_id", "cut_person_now")
        return [(one, set(members)) for one, members in self.engine.execute(MEMBERS).fetchall()]
