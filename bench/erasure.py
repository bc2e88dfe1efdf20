"""What the erasure of one person costs in tables, beside a rewrite of all of them.

    python -m bench.erasure --persons 1000000 --days 30 --folder /tmp/erasure

Tables lie in a folder, the catalogue in moto's Glue; each person has an event every tenth day on
average. CPU seconds and bytes count; time on the wall is the machine's own.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from stamgast.erasure.subject import Subject
from stamgast.identity.keys import Keyring
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_lake.catalogue import Catalogue, Commit
from stamgast_lake.engine import session
from stamgast_lake.erasure.tables import TableErasure
from stamgast_lake.lake import Lake
from stamgast_lake.loading.rows import in_order
from stamgast_lake.maintenance import _rewrite
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import (
    ANCHORS,
    EVENTS,
    EVIDENCE,
    IDENTITY,
    MESSAGE_INDEX,
    PERSONS,
    PROFILES,
    RECEIPTS,
    LakeTable,
    ListOf,
    Scalar,
)

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KEY = f"substr(md5(cast(person as varchar)), 1, 24) || substr('{ALPHABET}', 1 + person % 32, 1)"
MESSAGE = "md5(cast(person as varchar) || '-' || cast(day as varchar))"
AT = f"cast('{BEGAN.isoformat()}' as timestamptz) + interval 1 day * day"
DEFAULTS = {
    Scalar.STRING: f"{MESSAGE}",
    Scalar.INT: "1",
    Scalar.LONG: "1",
    Scalar.DOUBLE: "0.5",
    Scalar.BOOLEAN: "true",
    Scalar.DATE: f"cast({AT} as date)",
    Scalar.TIMESTAMP: AT,
}
NAMED = {
    "anchor_key": f"'user_id:1' || {KEY}",
    "a": f"'user_id:1' || {KEY}",
    "b": "null",
    "identifier": f"'user_id:1' || {KEY}",
    "person_id": f"'p1' || {KEY}",
    "message_key": MESSAGE,
    "run_id": "'bench'",
    "shard": f"cast({shard_sql(KEY)} as integer)",
    "reason": "null",
    "state": "'active'",
    "traits": """'{"plan":"' || person % 7 || '"}'""",
}
OF_EVENTS = (EVENTS, RECEIPTS, MESSAGE_INDEX, EVIDENCE)
OF_PERSONS = (IDENTITY, PERSONS, ANCHORS, PROFILES)


@contextmanager
def spent(what: str) -> Iterator[None]:
    """Print the CPU seconds that something took."""
    began = time.process_time()
    yield
    print(f"{what}: {time.process_time() - began:.2f} CPU s")


def fill(lake: Lake, table: LakeTable, persons: int, days: int) -> None:
    """Write a table's rows, a day at a time where it has days."""
    with session() as engine:
        for day in range(days if table in OF_EVENTS else 1):
            one = f"person % 10 = {day % 10}" if table in OF_EVENTS else "true"
            source = f"(select range as person, {day} as day from range({persons})) where {one}"
            columns = ", ".join(_column(table, column) for column in table.column_names)
            rows = engine.sql(in_order(table, f"select {columns} from {source}"))
            commit = Commit("bench", f"fill {day}")
            lake.catalogue.append(table, rows.to_arrow_reader(8_192), commit)


def _column(table: LakeTable, name: str) -> str:
    told = table.column(name)
    if name in NAMED and not (table is RECEIPTS and name == "state"):
        return f'{NAMED[name]} as "{name}"'
    if table is RECEIPTS and name == "state":
        return "'stored' as state"
    if isinstance(told.type, ListOf):
        return f'null as "{name}"'
    return f'{DEFAULTS[told.type]} as "{name}"'  # type: ignore[index]


def whole(lake: Lake, tables: tuple[LakeTable, ...]) -> None:
    """Rewrite every file of the tables, day by day, as compaction would."""
    with session() as engine:
        for table in tables:
            for number, file in enumerate(lake.catalogue.files(table)):
                _rewrite(lake.catalogue, engine, table, (file,), Commit("all", f"r {number}"))


def main() -> None:
    """Fill, erase one person, erase a hundred, rewrite all."""
    told = argparse.ArgumentParser()
    told.add_argument("--persons", type=int, default=50_000)
    told.add_argument("--days", type=int, default=30)
    told.add_argument("--folder", type=Path, required=True)
    asked = told.parse_args()
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "bench")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "bench")
    with mock_aws():
        glue: Any = boto3.client("glue", region_name="eu-west-1")
        glue.create_database(DatabaseInput={"Name": "lake"})
        workspace = workspace_of(compile_files({"sources.yaml": "sources: {web: {name: Web}}"}))
        place = asked.folder.resolve().as_uri()
        catalogue = Catalogue(glue=glue, database="lake", warehouse=place, file_properties={})
        lake = Lake(None, "lake", catalogue, lambda: workspace, lambda: Keyring(1, b"bench"))
        tables = (*OF_EVENTS, *OF_PERSONS)
        with spent(f"filling {asked.persons:,} persons"):
            for table in tables:
                fill(lake, table, asked.persons, asked.days)
        for count in (1, 100):
            _erase(lake, count, asked.days, count)
        with spent("rewriting every file"):
            whole(lake, tables)


def _erase(lake: Lake, count: int, days: int, first: int) -> None:
    with session() as engine:
        keys = engine.sql(
            f"select {KEY} from (select range + {first} as person from range({count}))"
        ).fetchall()
    until = BEGAN + timedelta(days=days + 1)
    subject = Subject(
        "bench",
        int(until.timestamp() * 1000),
        frozenset(f"user_id:1{key}" for (key,) in keys),
        persons=frozenset(f"p1{key}" for (key,) in keys),
    )
    work = TableErasure(lake, (subject,), subject.until_ms, until)
    with spent(f"erasing {count:,}"):
        found = work.find()
        tallies = work.erase(found, f"erase-{count}")
    for name, tally in tallies.items():
        if tally.rows:
            print(f"  {name}: {tally.rows} rows, {tally.rewritten} of {tally.files} files")


if __name__ == "__main__":
    main()
