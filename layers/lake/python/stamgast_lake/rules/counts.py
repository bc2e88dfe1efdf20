"""Many counts at once: an event is taken as the number of its person and counted up in NumPy.

The engine would keep a state for each count of each person, and touch all of them for every event.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stamgast_lake.logs import count
from stamgast_lake.rules.passed import REACHED, Marks, Passed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COUNTED = "rule_counted"
# Below so many the engine's own aggregation, which other aggregates share, costs less.
MANY = 8
# Four bytes each: how many persons are counted in one pass over the events' numbers.
MOST_CELLS = 64_000_000
ROWS_A_BATCH = 200_000
BITS = 8
ONE = np.uint32(1)
NUMBERS = """
    create or replace temp table rule_number as
    select person_id, cast(row_number() over () - 1 as integer) as number
    from (select distinct person_id from rule_anchor)
"""
# A table: where persons are counted in several passes, the events are looked into once.
TAKEN = """
    create or replace temp table rule_taken as
    select anchor.number, {told} from ({rows}) event
    join (
        select rule_anchor.anchor_key, rule_number.number
        from rule_anchor join rule_number on rule_number.person_id = rule_anchor.person_id
    ) anchor on anchor.anchor_key = event.anchor_key
"""
PART = "from {table} where number >= {first} and number < {end}"
TOLD = "select rule_number.person_id, counted.* exclude (number) from counted_persons counted"
TOLD = f"{TOLD} join rule_number on rule_number.number = counted.number"


@contextmanager
def _as_written(engine: "DuckDBPyConnection") -> Iterator[None]:
    """Joins are made as they are written, the right side kept in memory.

    The engine takes the events for few, because of their filters, and would keep these.
    """
    engine.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        yield
    finally:
        engine.execute("reset disabled_optimizers")


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by person: of each name the filter and the window of its events.

    `rows` is a SELECT of anchor_key, the columns of the filters and `reached`, as `marks` tells.
    """

    columns: Mapping[str, Passed]
    rows: str
    marks: Marks

    def make(self, engine: "DuckDBPyConnection") -> None:
        """Makes table `rule_counted`: person_id and a column a name. Needs `rule_anchor`."""
        engine.execute(NUMBERS)
        with _as_written(engine):
            engine.execute(TAKEN.format(told=", ".join(self._told()), rows=self.rows))
        persons = count(engine, "select count(*) from rule_number")
        at_once = max(1, MOST_CELLS // (len(self._filters) * self._rings))
        act = f"create or replace temp table {COUNTED} as"
        for first in range(0, max(1, persons), at_once):
            self._part(engine, act, range(first, min(persons, first + at_once)))
            act = f"insert into {COUNTED}"
        engine.execute("drop table rule_taken")

    @property
    def _filters(self) -> list[str | None]:
        return list(dict.fromkeys(one.column for one in self.columns.values()))

    @property
    def _rings(self) -> int:
        return len(self.marks.instants) + 1

    def _told(self) -> Iterator[str]:
        """How far an event reaches, and a bit for each filter that it passes, by eights."""
        yield REACHED if self.marks.instants else f"cast(0 as utinyint) as {REACHED}"
        filters = self._filters
        for start in range(0, len(filters), BITS):
            bits = (
                f"case when {column or 'true'} then {1 << bit} else 0 end"
                for bit, column in enumerate(filters[start : start + BITS])
            )
            yield f"cast({' + '.join(bits)} as utinyint) as w{start // BITS}"

    def _part(self, engine: "DuckDBPyConnection", act: str, persons: range) -> None:
        """Counts the events of some persons and keeps what was counted."""
        part = PART.format(table="rule_taken", first=persons.start, end=persons.stop)
        rows = engine.sql(f"select * {part}").to_arrow_reader(ROWS_A_BATCH)
        found = self._counted(rows, persons)
        told = {"number": np.arange(persons.start, persons.stop, dtype=np.int32)}
        filters = self._filters
        for name, one in self.columns.items():
            rings = self.marks.rings(one)
            of_filter = found[filters.index(one.column)]
            told[name] = of_filter[rings.start : rings.stop].sum(axis=0, dtype=np.uint32)
        engine.register("counted_persons", pa.table(told))
        engine.execute(f"{act} {TOLD}")
        engine.unregister("counted_persons")

    def _counted(self, rows: pa.RecordBatchReader, persons: range) -> npt.NDArray[np.uint32]:
        """Of each filter, ring between two instants and person the number of events."""
        filters = len(self._filters)
        found = np.zeros(filters * self._rings * len(persons), np.uint32)
        for batch in rows:
            number, reached, *words = (column.to_numpy() for column in batch.columns)
            for place in range(filters):
                taken = np.flatnonzero(words[place // BITS] & (1 << place % BITS))
                rings = place * self._rings + reached[taken].astype(np.int64)
                np.add.at(found, rings * len(persons) + number[taken] - persons.start, ONE)
        return found.reshape(filters, self._rings, len(persons))
