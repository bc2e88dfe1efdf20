"""Explanations from rows: a person as the lake knew it at a moment, and who said what of it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.decision import pair_of
from stamgast.identity.edge import Edge, EdgeState, Pair, Reason, Support
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.explain.case import CannotLink, Case, Provisional
from stamgast.identity.explain.live import MOST_IDENTIFIERS
from stamgast.identity.partition import partition
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.rules import kind_of
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting
from stamgast.identity.survey import Survey, survey_of
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import keep
from stamgast_lake.query import LakeSession

IDENTITY = """
    create or replace temp table past_identity as
    select identifier, person_id from identity_as_of('{moment}')
"""
NAMED = "select person_id from past_identity where identifier in (select key from asked)"
MEMBERS = f"select identifier, person_id from past_identity where person_id in ({NAMED})"
HOMES = (
    "select identifier, person_id from past_identity where identifier in (select key from asked)"
)
TOLD = """
    select distinct a, b, position, message_key, message_id, source_id, assurance,
        epoch_ms(event_at), epoch_ms(received_at), rule not in ('cut', 'lift') as is_event
    from evidence_as_of('{moment}')
    where probability is null
      and (a in (select key from asked) or b in (select key from asked))
"""
CUT = """
    select a, b, "by", reason, epoch_ms(recorded_at) from constraints_as_of('{moment}')
    where kind = 'cannot_link' and (a in (select key from asked) or b in (select key from asked))
    order by recorded_at, a, b
"""
LINKS = """
    select a, b, probability, rule, epoch_ms(stated_at), epoch_ms(expires_at), state, reasons
    from (
        select *, row_number() over (
            partition by kind, a, b order by recorded_at desc, run_id desc) as nth
        from links where recorded_at <= cast('{moment}' as timestamptz)
    ) numbered
    where nth = 1 and (a in (select key from asked) or b in (select key from asked))
    order by probability desc, a, b
"""
LAST_RUN = """
    select run_id, strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ') as moment from runs
    where stage = 'run' and status = 'done' and moment <= cast('{moment}' as timestamptz)
    order by seq desc limit 1
"""


@dataclass(slots=True)
class Past:
    """The lake's rows up to a moment, asked about some identifiers at a time."""

    lake: LakeSession
    moment: datetime

    def rows(self, sql: str, keys: Collection[str] = (), **more: object) -> list[tuple[Any, ...]]:
        """The rows of a statement about these identifiers."""
        keep(self.lake.connection, "asked", pa.table({"key": pa.array(sorted(keys), pa.string())}))
        told = sql.format(moment=self.moment.isoformat(), **more)
        self.lake.open_named(told)
        rows: list[tuple[Any, ...]] = self.lake.connection.execute(told).fetchall()
        return rows


@contextmanager
def past_of(lake: Lake, moment: datetime) -> Iterator[Past]:
    """A session over the lake's rows up to a moment."""
    with session() as engine:
        yield Past(LakeSession(engine, lake.catalogue, lake.s3, lake.bucket), moment)


def last_run(past: Past) -> dict[str, str] | None:
    """The last run that had ended well by then, with its moment; None before the first."""
    rows = past.rows(LAST_RUN)
    return dict(zip(("run_id", "moment"), rows[0], strict=True)) if rows else None


def person_then(past: Past, key: str) -> str | None:
    """The person of an identifier at the moment; None while no run had seen it."""
    past.lake.open_named(IDENTITY)
    past.lake.connection.execute(IDENTITY.format(moment=past.moment.isoformat()))
    rows = past.rows(NAMED, [key])
    return str(rows[0][0]) if rows else None


def case_as_of(past: Past, lake: Lake, key: str) -> Case | None:
    """The person of an identifier with all of its evidence; None while no run had seen it."""
    person_id = person_then(past, key)
    if person_id is None:
        return None
    settings = lake.workspace().identity
    reading = _Reading(past, lake, settings)
    ids, is_whole = reading.closed({key})
    found = survey_of(reading.evidence, ids, settings)
    members = frozenset(k for k, home in reading.homes.items() if home == person_id)
    return _case(reading, found, key, person_id, members, is_whole=is_whole)


@dataclass(slots=True)
class _Reading:
    """What has been read so far, growing as a component is followed."""

    past: Past
    lake: Lake
    settings: IdentitySettings
    evidence: EvidenceInMemory = field(default_factory=EvidenceInMemory)
    supports: defaultdict[Pair, set[Support]] = field(default_factory=lambda: defaultdict(set))
    homes: dict[str, str] = field(default_factory=dict)
    cuts: tuple[CannotLink, ...] = ()

    def closed(self, start: set[str]) -> tuple[set[str], bool]:
        """All identifiers that persons and edges lead to, and whether that is all of them."""
        ids: set[str] = set()
        grown = start | {row[0] for row in self.past.rows(MEMBERS, start)}
        first = grown
        while grown != ids:
            if len(grown) > MOST_IDENTIFIERS:
                return first, False
            self._read(grown - ids)
            ids = grown
            grown = self._grown(ids)
        return ids, True

    def _read(self, keys: Collection[str]) -> None:
        self.homes |= dict(self.past.rows(MEMBERS, keys))
        for row in self.past.rows(TOLD, keys):
            self._take(*row)
        for cut in cuts_of(self.past, keys):
            self.evidence.cut(cut.pair)
        self.homes |= dict(self.past.rows(HOMES, {k for pair in self.supports for k in pair}))

    def _take(
        self,
        a: str,
        b: str | None,
        position: int,
        message_key: str,
        message_id: str,
        source_id: str,
        assurance: int,
        event_ms: int,
        received_ms: int,
        is_event: bool,
    ) -> None:
        """One row; a cut or a lift names identifiers alone, each at its own position."""
        for key, place in ((a, position if b is None else 0), (b, position)):
            if key is not None:
                person_id = self.lake.keyring().person_id(source_id, message_id, place)
                birth = Birth(received_ms, message_key, place, person_id)
                self._see(key, Assurance(assurance), birth, is_anchor=is_event and key == a)
        if b is not None:
            weakness = Support.weakness_of(Assurance(assurance))
            rank = priority_of(b, self.settings)
            support = Support(weakness, rank, event_ms, message_key, position, source_id)
            self.evidence.link((a, b), support)
            self.supports[a, b].add(support)

    def _see(self, key: str, word: Assurance, birth: Birth, *, is_anchor: bool) -> None:
        namespace, kind = key.partition(":")[0], kind_of(key, self.settings)
        self.evidence.see(Sighting(key, namespace, kind, word, birth, ""), is_anchor)

    def _grown(self, ids: set[str]) -> set[str]:
        """As a survey grows: by whole persons, and along edges that no value blocks."""
        found = survey_of(self.evidence, ids, self.settings)
        links = found.links.items()
        open_ = [pair for pair, told in links if not found.is_blocked(pair, told.assurance)]
        persons = {self.homes[key] for key in ids if key in self.homes}
        kin = {key for key, home in self.homes.items() if home in persons}
        return ids | kin | {key for pair in open_ if not ids.isdisjoint(pair) for key in pair}


def priority_of(key: str, settings: IdentitySettings) -> int:
    """The priority of a key's namespace; below all others when it is no longer configured."""
    found = settings.by_name.get(key.partition(":")[0])
    lowest = 1 + max((one.priority for one in settings.namespaces), default=0)
    return found.priority if found else lowest


def _case(
    reading: _Reading,
    found: Survey,
    key: str,
    person_id: str,
    members: frozenset[str],
    *,
    is_whole: bool,
) -> Case:
    plan = partition(found, reading.settings)
    cuts = cuts_of(reading.past, members)
    found = replace(
        found,
        roots={person_id: _root(found, person_id, members, plan.targets.get(person_id))},
        home={key: home for key, home in reading.homes.items() if key in found.traits},
    )
    # What an operator said comes before what a limit says, as on the live edge.
    why = {**plan.refused, **dict.fromkeys(_cut(found, cuts), Reason.CANNOT_LINK)}
    edges = {
        pair: _edge(pair, support, members, why.get(pair) or _blocked(found, pair, support))
        for pair, support in found.links.items()
        if not members.isdisjoint(pair)
    }
    return Case(
        key,
        person_id,
        members,
        found,
        edges,
        supports={pair: tuple(sorted(reading.supports[pair])) for pair in edges},
        homes=reading.homes,
        cannot_links=cuts,
        provisional=links_of(reading.past, members),
        is_whole=is_whole,
    )


def _cut(found: Survey, cuts: Iterable[CannotLink]) -> set[Pair]:
    """The links of pairs that were cut."""
    apart = {pair_of(*one.pair) for one in cuts}
    return {pair for pair in found.links if pair_of(*pair) in apart}


def _blocked(found: Survey, pair: Pair, support: Support) -> Reason | None:
    """Value limits refuse edges whose other end lies beyond the component, too."""
    return Reason.VALUE_LIMIT if found.is_blocked(pair, support.assurance) else None


def _edge(pair: Pair, support: Support, members: frozenset[str], why: Reason | None) -> Edge:
    joins = members.issuperset(pair) and why is None
    return Edge(pair, support, EdgeState.ACTIVE if joins else EdgeState.REFUSED, why)


def _root(found: Survey, person_id: str, members: frozenset[str], target: Root | None) -> Root:
    """The person as a root; its trust groups are known where the evidence says the same person."""
    if target is not None and target.members.keys() == members:
        return target
    founder = min(members, key=lambda key: (found.traits[key].born, key))
    held = {key: Member(found.traits[key].assurance, key) for key in members}
    born = found.traits[founder].born
    return Root(person_id, RootState.ACTIVE, 1, born, founder, held, found.anchors & members)


def with_details(past: Past, case: Case, settings: IdentitySettings) -> Case:
    """The live case with what only rows tell: every message behind an edge, who cut, links."""
    supports: defaultdict[Pair, set[Support]] = defaultdict(set)
    for a, b, position, message_key, _, source_id, assurance, event_ms, *_ in past.rows(
        TOLD, case.members
    ):
        if b is not None:
            weakness = Support.weakness_of(Assurance(assurance))
            rank = priority_of(b, settings)
            supports[a, b].add(Support(weakness, rank, event_ms, message_key, position, source_id))
    known = {cut.pair: cut for cut in cuts_of(past, case.members)}
    return replace(
        case,
        supports={pair: tuple(sorted(found)) for pair, found in supports.items()},
        cannot_links=tuple(known.get(cut.pair, cut) for cut in case.cannot_links),
        provisional=links_of(past, case.members),
    )


def cuts_of(past: Past, keys: Collection[str]) -> tuple[CannotLink, ...]:
    """The cannot-links of identifiers: who asked for each, when, and why."""
    rows: Iterable[tuple[str, str, str, str | None, int]] = past.rows(CUT, keys)
    return tuple(CannotLink((a, b), by, why, at_ms) for a, b, by, why, at_ms in rows)


def links_of(past: Past, keys: Collection[str]) -> tuple[Provisional, ...]:
    """The statistical links of identifiers, the most probable first, with their weights."""
    return tuple(
        Provisional((a, b), p, rule, at_ms, until_ms, state, json.loads(reasons or "{}"))
        for a, b, p, rule, at_ms, until_ms, state, reasons in past.rows(LINKS, keys)
    )
