"""The relation `record` of a session: comparison columns, frequencies of values, blocking keys."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast_lake.records.columns import ID
from stamgast_lake.records.linker import UNIQUE_ID
from stamgast_lake.records.model import Frequencies, rounded

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_VALUES = 5_000
VALUE_KEY = "md5_number_lower({0})"
NUMBERED = f"""
    create or replace temp table record as
    select cast(row_number() over (order by {ID}) as integer) as {UNIQUE_ID}, *
    from (select distinct * from compared)
"""
FILLED = 'select count("{0}"), count(distinct "{0}") from record'
COMMON = """
    select {key}, count(*) / sum(count(*)) over () as share
    from record where "{column}" is not null and {usual} group by 1 order by 2 desc, 1
"""
IN_CROWD = """
    select record_id from (
        select record_id, row_number() over (partition by one, other order by md5(record_id)) as nth
        from record join (
            select "{one}" as one, "{other}" as other from record
            where "{one}" is not null and "{other}" is not null
            group by one, other having count(*) > {many}
        ) on one = "{one}" and other = "{other}"
    ) where nth > {kept}
"""
USUAL = "record_id not in (select record_id from crowd)"
NAMING = (("given_name", "surname"), ("surname", "birth_date"), ("given_name", "birth_date"))
KEPT_OF_CROWD, LEAST_SHARE = 20, 0.02
WITH_FREQUENCIES = "create or replace temp table record as select *, {columns} from record"


def number(engine: "DuckDBPyConnection", compared: pa.Table) -> int:
    """Makes relation `record` of normalised records, numbered in the order of their ids."""
    engine.register("compared", compared)
    engine.execute(NUMBERED)
    engine.unregister("compared")
    rows = engine.execute("select count(*) from record").fetchall()
    return int(rows[0][0])


def filled(engine: "DuckDBPyConnection", column: str) -> tuple[int, int]:
    """How many records have a value in this column, and how many different ones there are."""
    (row,) = engine.execute(FILLED.format(column)).fetchall()
    return int(row[0]), int(row[1])


def find_crowd(engine: "DuckDBPyConnection", records: int) -> int:
    """Makes `crowd`, records of somebody whom much of the file is about; returns how many.

    Two of both names and the birth date that a fiftieth of the records share are one person's, or
    nobody's: but for a few of them, what chance shows is learnt without these.
    """
    many = max(KEPT_OF_CROWD, int(LEAST_SHARE * records))
    statements = [
        IN_CROWD.format(one=one, other=other, kept=KEPT_OF_CROWD, many=many)
        for one, other in NAMING
    ]
    engine.execute(
        "create or replace temp table crowd as select distinct * from"
        f" ({' union all '.join(statements)}) as beyond (record_id)"
    )
    return int(engine.execute("select count(*) from crowd").fetchall()[0][0])


def frequencies_of(engine: "DuckDBPyConnection", column: str) -> Frequencies:
    """How common the commonest values of a column are, and one of the rest on average."""
    key = VALUE_KEY.format(f'"{column}"')
    statement = COMMON.format(key=key, column=column, usual=USUAL)
    rows = engine.execute(statement).fetchall()
    common, rest = rows[:MOST_VALUES], rows[MOST_VALUES:]
    left = sum(share for _, share in rest) / len(rest) if rest else rows[-1][1]
    return Frequencies({int(key): rounded(share) for key, share in common}, rounded(left))


def add_frequencies(engine: "DuckDBPyConnection", told: Mapping[str, Frequencies]) -> None:
    """Adds to `record` how common its values are by a model, as `tf_<column>`."""
    columns = [_frequency(engine, column, one) for column, one in told.items()]
    engine.execute(WITH_FREQUENCIES.format(columns=", ".join(columns)))


def _frequency(engine: "DuckDBPyConnection", column: str, told: Frequencies) -> str:
    table = f"common_{column}"
    rows = pa.table(
        {
            "key": pa.array(list(told.common), pa.uint64()),
            "share": pa.array(list(told.common.values()), pa.float64()),
        }
    )
    engine.register("common_rows", rows)
    engine.execute(f"create or replace temp table {table} as select * from common_rows")
    engine.unregister("common_rows")
    key = VALUE_KEY.format(f'record."{column}"')
    found = f"(select share from {table} where {table}.key = {key})"
    return (
        f'case when "{column}" is not null then coalesce({found}, {told.rest}) end as tf_{column}'
    )
