"""The import files of what does not come live, with their deliberate duplicates and bad rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from stamgast.moments import iso_of, ms_of
from stamgast_cli.demo.purchases import PRODUCTS, files_of
from stamgast_cli.demo.story import Act

PARTS = 4
DUPLICATES, NAMELESS, BROKEN = 500, 40, 20
SOURCE = "shop"
ROWS = """
    SELECT a.* EXCLUDE (basket_id, part), p.products
    FROM acts a JOIN lines p USING (basket_id)
    WHERE part = {part} ORDER BY purchased_at, message_id
"""


@dataclass(frozen=True, slots=True)
class History:
    """What was written: files by their names in the drop zone, and how many rows of each sort."""

    files: tuple[Path, ...]
    rows: int
    events: int
    duplicates: int
    bad: int


def write(acts: Sequence[Act], folder: Path, source_folder: Path | None = None) -> History:
    """Baskets as Parquet in four parts, sign-ups as NDJSON."""
    folder.mkdir(parents=True, exist_ok=True)
    baskets = [act for act in acts if act.basket is not None]
    sign_ups = [act for act in acts if act.call == "identify"]
    (folder / "baskets").mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.register("acts", _table(baskets))
        connection.execute(f"CREATE TABLE lines AS {PRODUCTS}", files_of(source_folder))
        files = [_part(connection, part, folder) for part in range(PARTS)]
    files.append(_ndjson(sign_ups, folder / "sign-ups.ndjson"))
    events, bad = len(baskets) + len(sign_ups), min(NAMELESS, len(baskets)) + BROKEN
    duplicates = min(DUPLICATES, len(baskets))
    return History(tuple(files), events + bad + duplicates, events, duplicates, bad)


def _part(connection: duckdb.DuckDBPyConnection, part: int, folder: Path) -> Path:
    file = folder / "baskets" / f"part-{part}.parquet"
    connection.execute(
        f"COPY ({ROWS.format(part=part)}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return file


def _table(acts: Sequence[Act]) -> pa.Table:
    """The events in parts by time; each part but the first repeats some rows of the one before."""
    size = -(-len(acts) // PARTS)
    rows = [_row(act, place // size) for place, act in enumerate(acts)]
    repeated = [{**row, "part": (row["part"] + 1) % PARTS} for row in rows[:DUPLICATES]]
    nameless = [
        {**row, "message_id": f"bad-{row['message_id']}", "user_id": None, "anonymous_id": None}
        for row in rows[:NAMELESS]
    ]
    return pa.Table.from_pylist(rows + repeated + nameless)


def _row(act: Act, part: int) -> dict[str, Any]:
    assert act.basket is not None
    return {
        "message_id": act.message_id,
        "user_id": act.user_id,
        "anonymous_id": act.anonymous_id,
        "loyalty_card": act.loyalty_card,
        "email": act.email,
        "device_id": act.device_id,
        "channel": act.channel,
        "purchased_at": iso_of(ms_of(act.at)),
        "order_id": act.basket.basket_id,
        "basket_id": act.basket.basket_id,
        "revenue": act.basket.revenue_minor / 100,
        "discount": act.basket.discount_minor / 100,
        "store_id": act.basket.store_id,
        "part": part,
    }


def _ndjson(acts: Sequence[Act], file: Path) -> Path:
    """Sign-ups as they would come over HTTP, and some lines that are cut off in the middle."""
    lines = [orjson.dumps(_sign_up(act)) for act in acts]
    broken = [b'{"type":"identify","messageId":"broken-%d","userId":' % n for n in range(BROKEN)]
    file.write_bytes(b"\n".join([*lines, *broken]) + b"\n")
    return file


def _sign_up(act: Act) -> dict[str, object]:
    told = {"email": act.email, "phone": act.phone, "loyalty_card": act.loyalty_card}
    return {
        "type": act.call,
        "messageId": act.message_id,
        "userId": act.user_id,
        "anonymousId": act.anonymous_id,
        "timestamp": iso_of(ms_of(act.at)),
        "traits": {name: value for name, value in told.items() if value} | dict(act.traits),
    }
