"""The ledger of what the demo handed over: one row for each copy of each event, kept as a file.

The verification reads this and the source data, and nothing else of the demo.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast_cli.demo import history, live
from stamgast_cli.demo.story import Act

SERVER = "server"
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("kind", pa.string()),
        ("call", pa.string()),
        ("message_id", pa.string()),
        ("household", pa.int64()),
        ("order_id", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("identifiers", pa.list_(pa.string())),
    ]
)


def rows(
    past: Sequence[Act], present: Sequence[Act], probes: Sequence[Act] = ()
) -> Iterator[dict[str, Any]]:
    """Every copy: the event itself, its duplicates, conflicting copies, and bad rows."""
    baskets = [act for act in past if act.basket]
    yield from (_row(act, history.SOURCE, "event") for act in past)
    yield from (_row(act, history.SOURCE, "duplicate") for act in baskets[: history.DUPLICATES])
    yield from (_bad(history.SOURCE) for _ in baskets[: history.NAMELESS])
    yield from (_bad(history.SOURCE) for _ in range(history.BROKEN))
    baskets = [act for act in present if act.basket]
    yield from (_row(act, SERVER, "event") for act in present)
    yield from (_row(act, SERVER, "duplicate") for act in baskets[: live.DUPLICATES])
    yield from (_row(act, SERVER, "conflict") for act in baskets[-live.CONFLICTS :])
    yield from (_row(act, SERVER, "event") for act in probes)
    yield from (_bad(SERVER) for _ in baskets[: live.NAMELESS])


def write(told: Iterable[dict[str, Any]], file: Path) -> None:
    """The ledger as Parquet."""
    pq.write_table(pa.Table.from_pylist(list(told), schema=SCHEMA), file)


def _row(act: Act, source: str, kind: str) -> dict[str, Any]:
    return {
        "source": source,
        "kind": kind,
        "call": act.call,
        "message_id": act.message_id,
        "household": act.household,
        "order_id": act.basket.basket_id if act.basket else None,
        "at": act.at,
        "identifiers": [f"{namespace}:{value}" for namespace, value in act.identifiers],
    }


def _bad(source: str) -> dict[str, Any]:
    return {"source": source, "kind": "bad", "identifiers": []}
