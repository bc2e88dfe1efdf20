"""Copies of messages that no copy holds any more: an erasure took the one that did, and not these.

Their lines stand in the archive, and a rebuild from raw would count them. So the next load stages
them anew, and the receipts that it decides take the place of those that were decided before.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from stamgast_lake.archive import LakeObject
from stamgast_lake.engine import session
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.lake import Lake
from stamgast_lake.tables import MESSAGE_INDEX, RECEIPTS

UNHELD = "unheld.json"
LEFT = """
    create temp table copy_left as
    select distinct message_key, receipt_id, raw_object, received_on from receipts
    where state in ('stored', 'duplicate', 'conflict')
      and message_key in (select message_key from receipts where state = 'suppressed')
"""
WITHOUT_HOLDER = """
    select receipt_id, raw_object, cast(received_on as varchar) from copy_left
    where message_key not in (
        select message_key from message_index
        where message_key in (select message_key from copy_left))
    order by raw_object, receipt_id
"""
STAGED = """
    create or replace temp table unheld as
    select distinct receipt_id, cast(received_at as date) as received_on from staged
    where receipt_id in (select receipt_id from unheld_copy)
"""


@dataclass(frozen=True, slots=True)
class Unheld:
    """Receipts of such copies, and the objects of the archive that hold their lines."""

    receipts: frozenset[str] = frozenset()
    objects: tuple[LakeObject, ...] = ()

    def name(self, connection: DuckDBPyConnection) -> None:
        """Names the receipts `unheld_copy`."""
        told = pa.array(sorted(self.receipts), pa.string())
        connection.register("unheld_copy", pa.table({"receipt_id": told}))

    def see(self, connection: DuckDBPyConnection) -> None:
        """Makes `unheld` (receipt_id, received_on) of those that are among the staged rows."""
        self.name(connection)
        connection.execute(STAGED)


def may_wait(lake: Lake, stage: str) -> bool:
    """Whether such copies may wait for a load: `receipts` tells of none since an erasure.

    For an erasure forgets the table's history; only that is read here, and no row.
    """
    is_forgotten = lake.catalogue.last_commit(RECEIPTS, stage) is None
    return is_forgotten and bool(lake.catalogue.files(RECEIPTS))


def unheld(lake: Lake, run_id: str, stage: str) -> Unheld:
    """What this run has to stage anew, written down before the first commit of its load."""
    found = _written(lake, run_id)
    if found is None and may_wait(lake, stage):
        found = _find(lake)
        if found:
            lake.put_document(run_id, UNHELD, orjson.dumps(found))
    return _of(lake, found or [])


def _find(lake: Lake) -> list[list[str]]:
    with session() as engine:
        for table in (RECEIPTS, MESSAGE_INDEX):
            engine.register(table.name, lake.catalogue.dataset(table))
        engine.execute(LEFT)
        return [list(row) for row in engine.execute(WITHOUT_HOLDER).fetchall()]


def _of(lake: Lake, found: list[list[str]]) -> Unheld:
    days = {raw_object: received_on for _, raw_object, received_on in found}
    return Unheld(frozenset(row[0] for row in found), tuple(_standing(lake, days)))


def _standing(lake: Lake, days: dict[str, str]) -> Iterator[LakeObject]:
    """Those of the objects that are still there."""
    objects = Objects(lake.s3, lake.bucket)
    for key, received_on in sorted(days.items()):
        tag = objects.tag(key)
        if tag is not None:
            yield LakeObject(key, tag, 0, "raw", received_on)


def _written(lake: Lake, run_id: str) -> list[list[str]] | None:
    try:
        told: list[list[str]] = orjson.loads(lake.document(run_id, UNHELD))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        return None
    return told
