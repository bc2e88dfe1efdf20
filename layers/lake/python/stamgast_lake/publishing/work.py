"""What publishing works with, and how far it came.

PublishError
├── FencedError      a newer run has shut this one out
├── UnsettledError   persons stayed contended; the next run takes them up again
└── UntoldError      the event bus did not take what must be told; the next run tells it again
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from stamgast.identity.plan import IdentityChange
from stamgast.identity.store import JobStore
from stamgast.moments import ms_of
from stamgast.profile.store import FactStore, Pause
from stamgast.segments.changes import MembershipChange
from stamgast.segments.live.rules import LiveRules
from stamgast_lake.lake import Lake
from stamgast_lake.logs import see_runs
from stamgast_lake.publishing.parted_since import Cuts, PartedSince
from stamgast_lake.runs import Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


ROWS_AT_ONCE = 100
# What several phases need, and a session makes once.
SHARED = frozenset({"settled_run", "lost_copy", "aged", "parted", "changed_membership"})
TABLES = "select table_name from duckdb_tables() where temporary"


class PublishError(Exception):
    """The live view does not stand as the run says."""


class FencedError(PublishError):
    """A newer run has begun; this one writes nothing more."""


class UnsettledError(PublishError):
    """Some persons stayed contended; everything else is published."""


class UntoldError(PublishError):
    """Others were not told what they must be told at least once."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What a run says of a person under one sort key; without attributes the row goes.

    `is_first` says that nothing was said of it before, so that most likely no row stands.
    """

    person_id: str
    sort_key: str
    attributes: Mapping[str, Any] | None
    is_first: bool = False


class PersonRows(Protocol):
    """The rows of persons that only runs write."""

    def put(self, row: PersonRow, run: int) -> bool:
        """Writes or deletes the row unless a newer run wrote it; False if one did."""
        ...

    def insert(self, rows: Sequence[PersonRow], run: int) -> Sequence[PersonRow]:
        """Writes rows, each with attributes, where none stands; returns those that found one."""
        ...


@dataclass(frozen=True, slots=True)
class Publisher:
    """The ports and bounds of publishing; `is_late` says when to stop and go on later."""

    lake: Lake
    identity: JobStore
    facts: FactStore
    rows: PersonRows
    tell: Callable[[Sequence[IdentityChange]], int]
    tell_memberships: Callable[[Sequence[MembershipChange]], int]
    timeline_days: int
    pause: Pause
    is_late: Callable[[], bool]
    threads: Executor
    cuts: Cuts
    parallel: int = 8
    live: LiveRules | None = None

    def each(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """The work done on each item, several at a time; the first failure ends it."""
        return self.threads.map(work, items)


@dataclass(slots=True)
class Task:
    """Phases at work: their session, their run, where it goes on, and its figures."""

    engine: "DuckDBPyConnection"
    publisher: Publisher
    run: Run
    is_whole: bool
    after: str = ""
    figures: Counter[str] = field(default_factory=Counter)
    made: set[str] = field(default_factory=set)

    def once(self, name: str, make: Callable[[], None]) -> None:
        """Makes what several phases need, unless one has made it in this session."""
        if name not in self.made:
            make()
            self.made.add(name)

    def see_runs(self) -> None:
        """Makes `settled_run`."""
        self.once("settled_run", lambda: see_runs(self.engine, self.publisher.lake))

    def forget(self) -> None:
        """Frees the memory of what a phase made for itself."""
        for (table,) in self.engine.execute(TABLES).fetchall():
            if table not in SHARED:
                self.engine.execute(f'drop table "{table}"')

    def put(self, figure: str, rows: Sequence[PersonRow]) -> None:
        """Writes rows and counts those that no newer run had written."""
        publisher, run = self.publisher, self.run.seq
        first = [row for row in rows if row.is_first and row.attributes is not None]
        left = [row for row in rows if not row.is_first or row.attributes is None]
        shares = [first[n : n + ROWS_AT_ONCE] for n in range(0, len(first), ROWS_AT_ONCE)]
        for stood in publisher.each(lambda share: publisher.rows.insert(share, run), shares):
            left += stood
        written = publisher.each(lambda row: publisher.rows.put(row, run), left)
        self.figures[figure] += len(rows) - len(left) + sum(written)
        parted = self.parted({row.person_id for row in rows})
        for row in rows:
            if row.person_id in parted:
                publisher.rows.put(replace(row, attributes=None), run)

    def parted(self, persons: Collection[str]) -> frozenset[str]:
        """Those of these persons who were cut since the run saw them as one."""
        told = (self.engine, self.publisher.lake, self.publisher.cuts, ms_of(self.run.moment))
        return PartedSince(*told).of(persons)

    def fresh(self, rows: str) -> str:
        """The rows that nobody has published yet; in a rebuild all of them."""
        return rows if self.is_whole else f"fresh_{rows}"
