"""What a run took out of events by their age, noted before it did: whoever is told of it refolds.

A note outlives a run that fails: the next one reads the notes of all that are not settled.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from stamgast_lake.lake import Lake
from stamgast_lake.logs import UNSETTLED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AGED = "aged.json"
SCHEMA = pa.schema({"anchor_key": pa.string(), "message_key": pa.string()})


def note(lake: Lake, run_id: str, name: str, touched: pa.Table) -> None:
    """Keeps the anchors and messages of which something ends, under the name of its commit.

    So a repeat that finds the next part does not forget those of the part before.
    """
    written = BytesIO()
    pq.write_table(touched.cast(SCHEMA), written)
    lake.put_document(run_id, _document(name), written.getvalue())
    names = {*_names(lake, run_id), name}
    lake.put_document(run_id, AGED, orjson.dumps(sorted(names)))


def owed(engine: "DuckDBPyConnection", lake: Lake, run_id: str) -> pa.Table:
    """What this run and those that are not settled noted (anchor_key, message_key).

    Needs `runs` and `settled_run`.
    """
    runs = {one for (one,) in engine.execute(UNSETTLED).fetchall()} | {run_id}
    return pa.concat_tables([SCHEMA.empty_table(), *_noted(lake, sorted(runs))])


def anchors_of(noted: pa.Table) -> pa.Table:
    """The anchors (key), each once."""
    found = pc.drop_null(pc.unique(noted["anchor_key"]))
    return pa.table({"key": pa.array(found, pa.string())})


def _noted(lake: Lake, run_ids: Iterable[str]) -> Iterator[pa.Table]:
    for run_id in run_ids:
        for name in _names(lake, run_id):
            yield pq.read_table(BytesIO(lake.document(run_id, _document(name))))


def _names(lake: Lake, run_id: str) -> list[str]:
    try:
        told: list[str] = orjson.loads(lake.document(run_id, AGED))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        return []
    return told


def _document(name: str) -> str:
    return f"aged/{name.replace(' ', '-')}.parquet"
