"""The members of a segment with the fields that were asked for, as the newest run left them.

Fields of people whose consent does not cover the purpose are not read at all. What is selected
is kept in parts, so that each part can be worked off, or begun again, by itself.
"""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.consent.purposes import Purposes
from stamgast.egress.fields import Field, Of
from stamgast.moments import iso_of, moment_of, ms_of
from stamgast_lake.catalogue import one_of
from stamgast_lake.consents import covers_sql, register_sql
from stamgast_lake.engine import session
from stamgast_lake.exports.order import Order, Selected
from stamgast_lake.lake import Lake
from stamgast_lake.logs import SETTLED, latest, see_runs, see_settled
from stamgast_lake.rules.computed import iso_sql
from stamgast_lake.rules.literals import quoted
from stamgast_lake.rules.sources import major, place_in
from stamgast_lake.runs import DONE, WHOLE
from stamgast_lake.tables import COMPUTED_TRAITS, MEMBERSHIPS, PERSONS, PROFILES, RFM

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_PART = 100_000
ROWS_A_BATCH = 8_192
PERSON_ID, MEMBERS, CONSENT, COMPUTED = "person_id", "members", "consent", "computed"
LAST_RUN = f"""
    select run_id, epoch_us(moment) // 1000 from runs where stage = '{WHOLE}' and status = '{DONE}'
    order by seq desc limit 1
"""
STANDING = """
    create or replace temp view standing as
    select person_id, rule_version, "at" as since from membership_now
    where segment = {segment} and change = 'entered'
"""
VERSION = "select max(rule_version), count(*) from standing"
SELECTED = """
    select standing.person_id, person_now.members, {consent} as consent,
        case when {covers} then computed_now.traits end as computed, {fields}
    from standing
    left join person_now on person_now.person_id = standing.person_id
        and person_now.state = 'active'
    left join profile_now on profile_now.person_id = person_now.person_id
    left join rfm_now on rfm_now.person_id = standing.person_id and rfm_now.segment is not null
    left join computed_now on computed_now.person_id = standing.person_id
"""
TRAITS = "profile_now.traits"
PLAIN_SQL = {
    "person_id": "standing.person_id",
    "since": iso_sql("standing.since"),
    "first_at": iso_sql("profile_now.first_at"),
    "last_at": iso_sql("profile_now.last_at"),
    "orders.count": "cast(profile_now.orders as double)",
    "orders.revenue": major("profile_now.revenue_minor", "profile_now.currency"),
    "orders.currency": "profile_now.currency",
    "rfm.segment": "rfm_now.segment",
    "rfm.r": "cast(rfm_now.r as double)",
    "rfm.f": "cast(rfm_now.f as double)",
    "rfm.m": "cast(rfm_now.m as double)",
    "rfm.frequency": "cast(rfm_now.frequency as double)",
    "rfm.monetary": major("rfm_now.monetary_minor", "rfm_now.currency"),
    "rfm.last_order_on": "cast(rfm_now.last_order_on as varchar)",
}


class NoRunError(LookupError):
    """No run has ended well yet, so that nothing can be said as of anything."""


def select(lake: Lake, order: Order, rows_a_part: int = ROWS_A_PART) -> Selected:
    """Keeps the segment's members with their fields in parts; the list of parts comes last."""
    with session() as engine:
        run_id, as_of = _last_run(engine, lake)
        _open(engine, lake, order)
        version, members = engine.execute(VERSION).fetchall()[0]
        reader = engine.sql(_statement(order, as_of, lake.workspace().consents)).to_arrow_reader(
            ROWS_A_BATCH
        )
        parts = 0
        for part in _parts(reader, rows_a_part):
            _put(lake, order.key(part_name(parts)), part)
            parts += 1
    selected = Selected(run_id, as_of, version, int(members), parts)
    lake.s3.put_object(Bucket=lake.bucket, Key=order.key(LIST), Body=selected.to_json())
    return selected


LIST = "selected.json"


def part_name(part: int) -> str:
    """Where one part of what was selected lies."""
    return f"selected/{part:05d}.parquet"


def read_part(lake: Lake, order: Order, part: int) -> pa.Table:
    """One part of what was selected."""
    answer = lake.s3.get_object(Bucket=lake.bucket, Key=order.key(part_name(part)))
    return pq.read_table(BytesIO(answer["Body"].read()))


def _last_run(engine: "DuckDBPyConnection", lake: Lake) -> tuple[str, datetime]:
    see_runs(engine, lake)
    rows = engine.execute(LAST_RUN).fetchall()
    if not rows:
        raise NoRunError("no run has ended yet: `stamgast run` first")
    return rows[0][0], moment_of(rows[0][1])


def _open(engine: "DuckDBPyConnection", lake: Lake, order: Order) -> None:
    memberships = lake.catalogue.dataset(MEMBERSHIPS, one_of("segment", [order.segment]))
    engine.register("membership_row", memberships)
    engine.execute(SETTLED.format(name="memberships", rows="membership_row"))
    see_settled(engine, lake, PERSONS, PROFILES, RFM, COMPUTED_TRAITS)
    latest(engine, "memberships", "person_id, segment", "membership_now")
    for table, name in (
        ("persons", "person_now"),
        ("profiles", "profile_now"),
        ("rfm", "rfm_now"),
        ("computed_traits", "computed_now"),
    ):
        latest(engine, table, "person_id", name)
    engine.execute(STANDING.format(segment=quoted(order.segment)))


def _statement(order: Order, as_of: datetime, purposes: Purposes) -> str:
    covers = " and ".join(covers_sql(TRAITS, one, purposes) for one in order.purposes)
    fields = [
        f"case when {covers} then {_field(field, order, as_of)} end as f{place}"
        for place, field in enumerate(order.fields)
    ]
    consent = f"cast({register_sql(TRAITS)} as varchar)"
    return SELECTED.format(consent=consent, covers=covers, fields=", ".join(fields))


def _field(field: Field, order: Order, as_of: datetime) -> str:
    """The value of a field; identifiers and computed traits are filled in part by part."""
    if field.of is Of.TRAIT:
        _, place = place_in(("traits", *field.path))
        return f"json_extract_string({TRAITS}, {quoted(place)})"
    if field.of in (Of.COMPUTED, Of.IDENTIFIER):
        return "cast(null as varchar)"
    told = {"segment": order.segment, "as_of": iso_of(ms_of(as_of))}
    return quoted(told[field.name]) if field.name in told else PLAIN_SQL[field.name]


def _parts(reader: pa.RecordBatchReader, size: int) -> Iterator[pa.Table]:
    """The rows in tables of a bounded size; one empty table of nobody."""
    schema, held, number, found = reader.schema, list[pa.RecordBatch](), 0, 0
    for batch in reader:
        for start in range(0, batch.num_rows, size):
            held.append(batch.slice(start, size))
            number += held[-1].num_rows
            if number >= size:
                yield pa.Table.from_batches(held, schema)
                held, number, found = [], 0, found + 1
    if held or not found:
        yield pa.Table.from_batches(held, schema)


def _put(lake: Lake, key: str, rows: pa.Table) -> None:
    kept = BytesIO()
    pq.write_table(rows, kept, compression="zstd")
    lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=kept.getvalue())
