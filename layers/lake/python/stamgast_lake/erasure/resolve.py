"""Who the person of a request is in the lake, and which other persons' rows may tell of it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.erasure.subject import Subject
from stamgast.moments import moment_of
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import look_up, see, see_runs
from stamgast_lake.pruning import among
from stamgast_lake.tables import EDGES, EVENTS, EVIDENCE, IDENTITY, LINKS, PERSONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NEWEST = """
    select * from (select *, row_number() over (
        partition by {key} order by recorded_at desc, run_id desc) as nth from {rows})
    where nth = 1
"""
NEIGHBOURS = """
    select distinct unnest([a, b]) as key from {rows}
    where (a in (select key from wanted) or b in (select key from wanted)) and {old}
"""
# What a run learnt since the erasure, of what happened since, is of who came back.
OLD = "(recorded_at <= {T} or {at} is null or {at} <= {T})"
NEAR_AT = {"edges": "event_at", "links": "stated_at"}
PAST = "select distinct person_id from identity_row where {old}"
FOUNDING = """
    select source_id, message_id, max(position) + 1 from told_evidence
    where a in (select key from wanted) and rule in ('seen_together', 'alone')
      and {old}
    group by source_id, message_id
"""
# What a message names that stays: all but those of the erased, and decisions about them.
NAMED_ELSEWHERE = """
    select unnest([a, b]) from edges where a not in (select key from erased)
    union all
    select unnest([a, b]) from told_evidence
    where rule not in ('cut', 'lift')
      and (a not in (select key from erased) or received_at > {T} and event_at > {T})
    union all
    select a from told_evidence
    where rule in ('cut', 'lift') and message_key not in (
        select message_key from told_evidence where a in (select key from erased))
"""
VALUES = """
    select distinct one.key, one.value from (
        select unnest(identifiers) as one from told_events
        where anchor_key in (select key from wanted))
    where one.key in (select key from wanted)
"""


def resolve_in_lake(lake: Lake, subject: Subject) -> Subject:
    """The subject with what the lake knows of the person.

    Where the live view knows the person, its identifiers are those; the lake may not have seen a
    cut yet. A person who is still somebody's is an other; any that is nobody's any more is its own.
    """
    with session() as engine:
        see_runs(engine, lake)
        if not subject.persons:
            subject = _whole_person(engine, lake, subject)
        _want(engine, subject.keys)
        past = _past_persons(engine, lake, subject)
        active = _active(engine, lake, past)
        near = _near(engine, lake, subject) - subject.keys
        told = replace(
            subject,
            persons=subject.persons | (past - active.keys()),
            apart=subject.apart | near,
            values={**_values(engine, lake, subject), **subject.values},
            births=subject.births | _births(engine, lake, subject),
        )
        return _with_others(engine, lake, told, active)


def _want(engine: "DuckDBPyConnection", keys: frozenset[str]) -> None:
    engine.register("wanted", pa.table({"key": pa.array(sorted(keys), pa.string())}))


def _whole_person(engine: "DuckDBPyConnection", lake: Lake, subject: Subject) -> Subject:
    """The identifiers of the persons that the keys name in the lake alone."""
    _want(engine, subject.keys)
    look_up(engine, lake, IDENTITY, "wanted", "identity_row")
    rows = engine.execute(
        f"select person_id from ({NEWEST.format(key='identifier', rows='identity_row')})"
        f" where person_id is not null and {_old(subject, 'born_at')}"
    ).fetchall()
    persons = frozenset(person for (person,) in rows)
    members = {key for keys in _active(engine, lake, persons).values() for key in keys}
    return replace(subject, keys=subject.keys | members, persons=persons)


def _old(subject: Subject, at: str) -> str:
    """Whether a row of a log is of before the erasure; every row is where there was none."""
    return OLD.format(T=_until(subject), at=at) if subject.until_ms else "true"


def _until(subject: Subject) -> str:
    return f"cast('{moment_of(subject.until_ms).isoformat()}' as timestamptz)"


def _past_persons(
    engine: "DuckDBPyConnection", lake: Lake, subject: Subject | None = None
) -> frozenset[str]:
    """Every person that one of the keys ever belonged to, of the subject's until its erasure."""
    look_up(engine, lake, IDENTITY, "wanted", "identity_row")
    old = "true" if subject is None else _old(subject, "born_at")
    rows = engine.execute(PAST.format(old=old)).fetchall()
    return frozenset(person for (person,) in rows if person is not None)


def _active(
    engine: "DuckDBPyConnection", lake: Lake, persons: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """The members of those of these persons who stand."""
    engine.register("person", pa.table({"key": pa.array(sorted(persons), pa.string())}))
    look_up(engine, lake, PERSONS, "person", "person_row")
    newest = NEWEST.format(key="person_id", rows="person_row")
    rows = engine.execute(f"select person_id, members from ({newest}) where state = 'active'")
    return {person: tuple(members or ()) for person, members in rows.fetchall()}


def _near(engine: "DuckDBPyConnection", lake: Lake, subject: Subject) -> frozenset[str]:
    """What was ever named or believed together with one of the keys, until its erasure."""
    see(engine, lake, EDGES, LINKS)
    found: set[str] = set()
    for rows, at in NEAR_AT.items():
        old = _old(subject, at)
        told = engine.execute(NEIGHBOURS.format(rows=rows, old=old)).fetchall()
        found.update(key for (key,) in told if key is not None)
    return frozenset(found)


def _values(engine: "DuckDBPyConnection", lake: Lake, subject: Subject) -> dict[str, str]:
    """The normalised values behind the keys, as events name them."""
    held = among(lake.catalogue.dataset(EVENTS), "anchor_key", sorted(subject.keys))
    engine.register("told_events", held)
    return dict(engine.execute(VALUES).fetchall())


def _births(engine: "DuckDBPyConnection", lake: Lake, subject: Subject) -> frozenset[str]:
    """The ids of all persons that the messages of the keys could have founded."""
    held = among(lake.catalogue.dataset(EVIDENCE), "a", sorted(subject.keys))
    engine.register("told_evidence", held)
    old = f"least(received_at, event_at) <= {_until(subject)}" if subject.until_ms else "true"
    keyring, rows = lake.keyring(), engine.execute(FOUNDING.format(old=old)).fetchall()
    return frozenset(
        keyring.person_id(source, message, position)
        for source, message, places in rows
        for position in range(places)
    )


def _with_others(
    engine: "DuckDBPyConnection", lake: Lake, subject: Subject, active: dict[str, tuple[str, ...]]
) -> Subject:
    """The persons whose anchors named the keys, and all that they have."""
    _want(engine, subject.apart)
    theirs = _past_persons(engine, lake) if subject.apart else frozenset()
    standing = {**active, **_active(engine, lake, theirs)}
    others = {person for person in standing if person not in subject.persons}
    members = {key for person in others for key in standing[person]}
    near = frozenset(members | subject.apart | subject.partners) - subject.keys
    return replace(
        subject,
        others=frozenset(others) | (subject.others - subject.persons),
        partners=frozenset((members | subject.apart) - subject.keys),
        orphans=near - _named_elsewhere(engine, lake, subject, near),
    )


def _named_elsewhere(
    engine: "DuckDBPyConnection", lake: Lake, subject: Subject, near: frozenset[str]
) -> frozenset[str]:
    """Those of the identifiers near the person that a message names which stays.

    One that is no anchor, and that only evidence names which no run has resolved, is not found: the
    next run has that as news. Needs `edges`.
    """
    told = sorted(near | subject.keys)
    engine.register("told_evidence", among(lake.catalogue.dataset(EVIDENCE), "a", told))
    engine.register("erased", pa.table({"key": pa.array(sorted(subject.keys), pa.string())}))
    rows = engine.execute(NAMED_ELSEWHERE.format(T=_until(subject))).fetchall()
    return frozenset(key for (key,) in rows if key is not None)
