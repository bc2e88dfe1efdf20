"""Copies of which no new receipt tells what live has of them: a run looks at them once more.

The live loop believes a losing copy that is delivered again, whatever a run has taken back, and
copies under two dates until an audit compares them; of a copy that holds since an erasure it
believes no more what an earlier run took back. So documents of the run name their receipts, and
publishing says again what holds.
"""

from collections.abc import Iterable, Iterator

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from stamgast_lake.lake import Lake

REDELIVERED, AUDITED = "redelivered.json", "audited.json"
IMPORTED = "import-"
# What a file brings again was never live. A displaced copy is stored by its receipt alone.
LOSERS = f"""
    select distinct known.receipt_id
    from known_receipt known join staged on staged.receipt_id = known.receipt_id
    left join known_message held on held.message_key = known.message_key
    where (known.state = 'conflict' or known.is_unlike
           or known.state = 'stored' and held.receipt_id is distinct from known.receipt_id)
      and not starts_with(known.receipt_id, '{IMPORTED}')
    union
    select receipt_id from unheld where not starts_with(receipt_id, '{IMPORTED}')
    order by receipt_id
"""
SCHEMA = pa.schema({"receipt_id": pa.string()})


def note_redelivered(lake: Lake, run_id: str, connection: DuckDBPyConnection) -> None:
    """Keeps the receipts of losing copies that came again, and of copies that were staged anew.

    Reads `staged` and what a load saw: `known_receipt`, `known_message` and `unheld`.
    """
    found = [receipt_id for (receipt_id,) in connection.execute(LOSERS).fetchall()]
    if found:
        lake.put_document(run_id, REDELIVERED, orjson.dumps(found))


def note_audited(lake: Lake, run_id: str, receipt_ids: Iterable[str]) -> None:
    """Keeps the receipts of copies that an audit takes out, but of files, which were never live."""
    found = [one for one in receipt_ids if not one.startswith(IMPORTED)]
    if found:
        lake.put_document(run_id, AUDITED, orjson.dumps(found))


def redelivered(lake: Lake, run_ids: Iterable[str]) -> pa.Table:
    """The receipts that these runs kept (receipt_id)."""
    names = (REDELIVERED, AUDITED)
    found = {one for run_id in run_ids for name in names for one in _of(lake, run_id, name)}
    return pa.table({"receipt_id": pa.array(sorted(found), pa.string())}, SCHEMA)


def _of(lake: Lake, run_id: str, name: str) -> Iterator[str]:
    try:
        yield from orjson.loads(lake.document(run_id, name))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
