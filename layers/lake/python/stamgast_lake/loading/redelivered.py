"""Losing copies that a queue delivers once more: the load knows their receipts, and counts none.

The live loop believes such a copy again, whatever a run has taken back: so a document of the run
names their receipts, and publishing takes it back once more.
"""

from collections.abc import Iterable, Iterator

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from stamgast_lake.lake import Lake

DOCUMENT = "redelivered.json"
IMPORTED = "import-"
# What a file brings again was never live. A displaced copy is stored by its receipt alone.
LOSERS = f"""
    select distinct known.receipt_id
    from known_receipt known join staged on staged.receipt_id = known.receipt_id
    left join known_message held on held.message_key = known.message_key
    where (known.state = 'conflict' or known.is_unlike
           or known.state = 'stored' and held.receipt_id is distinct from known.receipt_id)
      and not starts_with(known.receipt_id, '{IMPORTED}')
    order by known.receipt_id
"""
SCHEMA = pa.schema({"receipt_id": pa.string()})


def note_redelivered(lake: Lake, run_id: str, connection: DuckDBPyConnection) -> None:
    """Keeps the receipts of losing copies that came again, if any did.

    Reads `staged` and what a load saw: `known_receipt` and `known_message`.
    """
    found = [receipt_id for (receipt_id,) in connection.execute(LOSERS).fetchall()]
    if found:
        lake.put_document(run_id, DOCUMENT, orjson.dumps(found))


def redelivered(lake: Lake, run_ids: Iterable[str]) -> pa.Table:
    """The receipts that these runs kept (receipt_id)."""
    found = [one for run_id in run_ids for one in _of(lake, run_id)]
    return pa.table({"receipt_id": pa.array(found, pa.string())}, SCHEMA)


def _of(lake: Lake, run_id: str) -> Iterator[str]:
    try:
        yield from orjson.loads(lake.document(run_id, DOCUMENT))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
