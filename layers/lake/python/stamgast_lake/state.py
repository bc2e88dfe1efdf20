"""What the logs hold of the identifiers that a run looks at, with new evidence folded onto it.

The logs `identity` and `edges` are the evidence folded, so old evidence is not read again. Touched
is what new evidence tells something of that they did not know, whoever shares a person with that,
and the other end of what was refused or cut: what is not touched cannot have changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stamgast.identity.settings import IdentitySettings
from stamgast_lake.asked import GLANCED, NOTHING_ASKED, TOLD
from stamgast_lake.evidence import (
    SIGHTINGS,
    SUPPORTS,
    conclude,
    fold,
    hold_fresh,
    name_namespaces,
)
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, look_up, newest, see_fresh
from stamgast_lake.tables import EDGES, IDENTITY, PERSONS, LakeTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHANGED_CONSTRAINTS = """
    create or replace temp view changed_constraint as
    select unnest([a, b]) as key from constraints
    where kind = 'cannot_link' and run_id not in (select run_id from settled_run)
"""
FRESH_ANCHORS = """
    create or replace temp table wanted as select distinct a as key from fresh_best_supported
"""
DOUBTED = """
    create or replace temp table doubted as
    select fresh.key from fresh_first_seen fresh
    join glimpse known on known.identifier = fresh.key
    where fresh.received_ms = epoch_ms(known.born_at)
"""
DOUBTED_ANCHORS = """
    create or replace temp table wanted as
    select distinct fresh.a as key from fresh_best_supported fresh
    join edge_glimpse known on known.a = fresh.a and known.b = fresh.b
    where fresh.assurance = known.assurance and fresh.event_ms = epoch_ms(known.event_at)
"""
NEWS = """
    select fresh.key from fresh_first_seen fresh
    left join glimpse known on known.identifier = fresh.key
    where known.person_id is null or fresh.assurance > known.assurance
       or fresh.is_anchor > known.is_anchor or fresh.received_ms < epoch_ms(known.born_at)
    union
    select fresh.key from fresh_first_seen fresh join known on known.identifier = fresh.key
    where fresh.received_ms = epoch_ms(known.born_at)
      and (fresh.message_key, fresh.position) < (known.born_message, known.born_position)
    union
    select unnest([fresh.a, fresh.b]) from fresh_best_supported fresh
    left join edge_glimpse known on known.a = fresh.a and known.b = fresh.b
    where known.assurance is null or fresh.assurance > known.assurance
       or (fresh.assurance = known.assurance and fresh.event_ms < epoch_ms(known.event_at))
    union
    select unnest([fresh.a, fresh.b]) from fresh_best_supported fresh
    join known_edge known on known.a = fresh.a and known.b = fresh.b
    where fresh.assurance = known.assurance and fresh.event_ms = epoch_ms(known.event_at)
      and (fresh.message_key, fresh.position) < (known.message_key, known.position)
    union select key from changed_constraint
"""
ALL_OF_FRESH = """
    select key from fresh_first_seen union select key from changed_constraint
    union select identifier from fresh_identity
    union select unnest(identifiers) from lost_copy
"""
FRESH_NEIGHBOURS = """
    select b as key from fresh_best_supported
    where a in (select key from touched) and b not in (select key from touched)
    union select a from fresh_best_supported
    where b in (select key from touched) and a not in (select key from touched)
"""
FRONTIER = "create or replace temp table frontier as {keys}"
UNASKED = """
    create or replace temp table wanted as
    select key from {keys} where key not in (select key from asked_{what})
"""
UNSEEN = """
    select count(*) from frontier where key not in (select key from glimpsed)
      and key not in (select key from asked_identifier)
"""
PERSONS_OF_FRONTIER = """
    create or replace temp table frontier_person as
    select distinct said.person_id as key from frontier join (
        select identifier, person_id from known union all select identifier, person_id from glimpse
    ) said on said.identifier = frontier.key
    where said.person_id is not null
"""
# A value limit holds whatever the other end is, but the run that finds it out moves that end, too.
REFUSALS = """
    insert into refusal
    select a, b, reason is distinct from 'value_limit'
        or run_id not in (select run_id from settled_run)
    from (
        select *, row_number() over (
            partition by kind, a, b order by recorded_at desc, message_key desc, run_id desc) as nth
        from constraints
        where kind in ('refused', 'cannot_link')
          and (a in (select key from frontier) or b in (select key from frontier))
          and (kind = 'cannot_link' or {is_seen})
    ) where nth = 1 and lifted_at is null
"""
WIDER = """
    select key from (
        select unnest(members) as key from person_known
        where person_id in (select key from frontier_person)
        union select unnest([a, b]) from refusal where is_wide
    ) where key not in (select key from touched)
"""
ANCHORS = """
    create or replace temp table wanted as select key from touched union select a from refusal
"""
TOUCHED_EDGES = """
    delete from edge_row
    where a not in (select key from touched) and b not in (select key from touched)
"""
SIGHTED = """
    create or replace temp view sighting as
    select identifier as key, born_position as place, born_message as message_key,
        born_message_id as message_id, born_source as source_id, assurance,
        epoch_ms(born_at) as received_ms, is_anchor
    from known where person_id is not null and identifier in (select key from touched)
    union all
    select key, position, message_key, message_id, source_id, assurance, received_ms, is_anchor
    from fresh_first_seen where key in (select key from touched)
"""
SUPPORTED = """
    create or replace temp view supported as
    select a, b, assurance, epoch_ms(event_at) as event_ms, message_key, position, source_id
    from known_edge where message_key is not null
    union all
    select a, b, assurance, event_ms, message_key, position, source_id from fresh_best_supported
    where a in (select key from touched) or b in (select key from touched)
"""
UNSETTLED_PERSONS = f"""
    insert into person_row select {", ".join(TOLD["persons"])}, false from fresh_persons
    where person_id not in (select key from asked_person)
"""
LACKING = """
    select (select count(*) from known where person_id is not null and born_at is null)
        + (select count(*) from glimpse where person_id is not null and born_at is null)
        + (select count(*) from person_known where state = 'active' and members is null)
"""


@dataclass(frozen=True, slots=True)
class State:
    """The logs as the last settled run left them, or (`is_now`) as this one did.

    Reads `identity`, `persons`, `constraints`, `settled_run` and `fresh_evidence`; as of now
    `fresh_identity` and `lost_copy`, too.
    """

    engine: "DuckDBPyConnection"
    lake: Lake
    settings: IdentitySettings
    is_now: bool = False

    @property
    def rows(self) -> str:
        """The condition that a row of `…_row` meets when it counts."""
        return "true" if self.is_now else "is_settled"

    def gather(self) -> bool:
        """Makes `touched`, `seen`, `edge`, `off`, `candidate`, and `…_row` of what was looked up.

        False if the logs were written by a version that did not fold the evidence yet: then only
        the whole of it tells.
        """
        self._begin()
        if self.is_now:
            start = ALL_OF_FRESH
        else:
            self._glance()
            self._glance_at_edges()
            start = NEWS
        self.engine.execute(FRONTIER.format(keys=start))
        self._widen()
        if count(self.engine, LACKING):
            return False
        self._conclude()
        return True

    def add(self, keys: str) -> int:
        """Touches a statement's identifiers, too, and them alone; returns how many are new."""
        self.engine.execute(FRONTIER.format(keys=keys))
        added = count(self.engine, "select count(*) from frontier")
        if added:
            self.engine.execute("insert into touched select key from frontier")
            self._ask("frontier")
            self._refuse()
            self._conclude()
        return added

    def surround(self, keys: str) -> None:
        """Makes `touched`: a statement's identifiers and all that the live view may have joined.

        That is whoever shares a person with them, new evidence links with them, or was refused.
        """
        self._begin()
        self.engine.execute(FRONTIER.format(keys=keys))
        while count(self.engine, "select count(*) from frontier"):
            self._widen()
            self.engine.execute(FRONTIER.format(keys=FRESH_NEIGHBOURS))

    def see_unsettled_persons(self) -> None:
        """Makes `person_row` hold, too, what runs that are not settled said of any person."""
        see_fresh(self.engine, self.lake, PERSONS)
        self.engine.execute(UNSETTLED_PERSONS)

    def _begin(self) -> None:
        name_namespaces(self.engine, self.settings)
        for statement in (*NOTHING_ASKED, CHANGED_CONSTRAINTS):
            self.engine.execute(statement)
        evidence = hold_fresh(self.engine)
        self.engine.execute(SIGHTINGS.format(name="fresh_sighting", evidence=evidence))
        self.engine.execute(SUPPORTS.format(name="fresh_supported", evidence=evidence))
        fold(self.engine, "fresh_sighting", "fresh_supported", "fresh_")

    def _glance(self) -> None:
        """Makes `glimpse`: as much of what new evidence names as tells most of it from news.

        The rest is read of those of whom that leaves a doubt, and later of who is touched.
        """
        self._read("fresh_first_seen", IDENTITY, "glimpse_row", GLANCED)
        newest(self.engine, "glimpse_row", "identifier", "glimpse", self.rows)
        self.engine.execute("insert into glimpsed select key from fresh_first_seen")
        self.engine.execute(DOUBTED)
        self._ask("doubted")

    def _glance_at_edges(self) -> None:
        self.engine.execute(FRESH_ANCHORS)
        self._read("wanted", EDGES, "edge_glimpse_row", GLANCED)
        newest(self.engine, "edge_glimpse_row", "a, b", "edge_glimpse", self.rows)
        self.engine.execute(DOUBTED_ANCHORS)
        if count(self.engine, "select count(*) from wanted"):
            self._find_edges()

    def _widen(self) -> None:
        """Touches the frontier and whatever hangs on it; who was glimpsed is read with the rest."""
        while count(self.engine, "select count(*) from frontier"):
            self.engine.execute("insert into touched select key from frontier")
            if count(self.engine, UNSEEN):
                self._ask("touched")
            self.engine.execute(PERSONS_OF_FRONTIER)
            self._ask_persons("frontier_person")
            newest(self.engine, "person_row", "person_id", "person_known", self.rows)
            self._refuse()
            self.engine.execute(FRONTIER.format(keys=WIDER))
        self._ask("touched")

    def _ask(self, keys: str) -> None:
        """Makes `known` hold what the log says of these identifiers, too."""
        self._look_up(keys, "identifier", IDENTITY, "identity_row")
        newest(self.engine, "identity_row", "identifier", "known", self.rows)

    def _ask_persons(self, keys: str) -> None:
        """Makes `person_row` hold the rows of these persons, too."""
        self._look_up(keys, "person", PERSONS, "person_row")

    def _look_up(self, keys: str, what: str, table: LakeTable, into: str) -> None:
        self.engine.execute(UNASKED.format(keys=keys, what=what))
        if count(self.engine, "select count(*) from wanted"):
            self._read("wanted", table, "found")
            self.engine.execute(f"insert into {into} select * from found")
            self.engine.execute(f"insert into asked_{what} select key from wanted")

    def _refuse(self) -> None:
        is_seen = "true" if self.is_now else "run_id in (select run_id from settled_run)"
        self.engine.execute(REFUSALS.format(is_seen=is_seen))

    def _find_edges(self) -> None:
        self._read("wanted", EDGES, "edge_row")
        newest(self.engine, "edge_row", "a, b", "known_edge", self.rows)

    def _read(
        self,
        keys: str,
        table: LakeTable,
        into: str,
        told: Mapping[str, Sequence[str]] = TOLD,
    ) -> None:
        look_up(self.engine, self.lake, table, keys, into, told[table.name])

    def _conclude(self) -> None:
        self.engine.execute(ANCHORS)
        self._read("wanted", EDGES, "edge_row")
        self.engine.execute(TOUCHED_EDGES)
        newest(self.engine, "edge_row", "a, b", "known_edge", self.rows)
        for statement in (SIGHTED, SUPPORTED):
            self.engine.execute(statement)
        conclude(self.engine, self.settings)
