"""A person's whole record, with where each part of it comes from: for access and portability."""

from html import escape
from typing import Any

import orjson
import pyarrow as pa

from stamgast.erasure.subject import Subject
from stamgast.moments import iso_of
from stamgast_lake.engine import session
from stamgast_lake.erasure.own_rows import own_rows, see_whose
from stamgast_lake.lake import Lake
from stamgast_lake.logs import look_up, see_runs
from stamgast_lake.pruning import among
from stamgast_lake.tables import (
    COMPUTED_TRAITS,
    EGRESS_RECEIPTS,
    EVENTS,
    IDENTITY,
    LINKS,
    MEMBERSHIPS,
    PROFILES,
    RFM,
    SCORES,
    LakeTable,
)

BY_PERSON = (PROFILES, RFM, COMPUTED_TRAITS, MEMBERSHIPS, SCORES, EGRESS_RECEIPTS)
JSON = frozenset(
    {"traits", "counters", "properties", "context", "page", "campaign", "reasons", "detail"}
)
# What a person gave, in a common form (Article 20 of the GDPR); the rest was concluded.
GIVEN = ("identifiers", "profile", "events")
HIDDEN = frozenset({"run_id", "shard", "nth", "is_settled", "payload_hash", "profile_hash"})
ALL = "select * from found_rows order by recorded_at"
# The id of a person whom an identifier was parted from is that of somebody else.
OWN_IDS = """
    select * replace (
        case when person_id in (select key from own_person) then person_id end as person_id)
    from found_rows order by recorded_at
"""
STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;"
    "border-bottom:1px solid #ddd;padding:.3rem .6rem;vertical-align:top;word-break:break-word}"
)


def record_of(lake: Lake, subject: Subject, now_ms: int) -> dict[str, Any]:
    """Everything that the lake says of the person: one list for each table, newest last.

    What runs said while others were taken for the same person is of these too, and left out.
    """
    with session() as engine:
        see_runs(engine, lake)
        ever = see_whose(engine, lake, subject.persons, subject.keys)
        told: dict[str, Any] = {
            "made_at": iso_of(now_ms),
            "identifiers": [
                {"namespace": key.partition(":")[0], "value": value}
                for key, value in sorted(subject.values.items())
            ],
            "events": _events(engine, lake, subject),
        }
        for table in BY_PERSON:
            name = "profile" if table is PROFILES else table.name
            ids = ever if table is EGRESS_RECEIPTS else subject.persons
            told[name] = _rows(engine, lake, table, ids, own_rows(table))
        told["identity"] = _rows(engine, lake, IDENTITY, subject.keys, OWN_IDS)
        told["links"] = _rows(engine, lake, LINKS, subject.keys, ALL)
    return told


def portable(record: dict[str, Any]) -> dict[str, Any]:
    """The part of a record that the person gave, or that was observed of them."""
    return {name: record[name] for name in ("made_at", *GIVEN)}


def page_of(record: dict[str, Any]) -> str:
    """The record as a page for people; no text in it is markup."""
    parts = [f"<h1>Your record</h1><p>As of {escape(record['made_at'])}.</p>"]
    for name, rows in record.items():
        if isinstance(rows, list):
            parts.append(f"<h2>{escape(name.replace('_', ' '))} ({len(rows)})</h2>{_table(rows)}")
    head = f'<meta charset="utf-8"><title>Your record</title><style>{STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>"


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "<p>Nothing.</p>"
    names = [name for name in rows[0] if any(row.get(name) not in (None, [], {}) for row in rows)]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = "".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in names)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{lines}</table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    told = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return escape(told)


def _events(engine: Any, lake: Lake, subject: Subject) -> list[dict[str, Any]]:
    _ask(engine, subject.keys)
    held = among(lake.catalogue.dataset(EVENTS), "anchor_key", sorted(subject.keys))
    engine.register("told_rows", held)
    asked = "anchor_key in (select key from asked)"
    return _told(engine, f"select * from told_rows where {asked} order by event_at, message_key")


def _rows(
    engine: Any, lake: Lake, table: LakeTable, keys: frozenset[str], shown: str
) -> list[dict[str, Any]]:
    """What the statement `shown` says of those rows of a log that are of these keys."""
    _ask(engine, keys)
    look_up(engine, lake, table, "asked", "found_rows")
    return _told(engine, shown)


def _ask(engine: Any, keys: frozenset[str]) -> None:
    engine.register("asked", pa.table({"key": pa.array(sorted(keys), pa.string())}))


def _told(engine: Any, query: str) -> list[dict[str, Any]]:
    rows = engine.sql(query).to_arrow_table().to_pylist()
    return [
        {
            name: orjson.loads(value) if name in JSON and isinstance(value, str) else _plain(value)
            for name, value in row.items()
            if name not in HIDDEN
        }
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
