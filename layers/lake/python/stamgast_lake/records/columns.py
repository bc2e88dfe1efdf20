"""Comparison columns out of the values that people typed: each normalised once, value by value."""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from stamgast.identity.records import COLUMNS, ColumnKind
from stamgast_lake.records import normal
from stamgast_lake.records.normal import Normalise

ID = "record_id"
FULL_NAME = "full_name"
NORMALISE: Mapping[ColumnKind, Normalise] = {
    ColumnKind.NAME: normal.name,
    ColumnKind.DATE: normal.day,
    ColumnKind.HOUSE: normal.house_of,
    ColumnKind.STREET: normal.street_of,
    ColumnKind.TEXT: normal.words,
    ColumnKind.CODE: normal.code,
    ColumnKind.CHOICE: normal.choice,
    ColumnKind.EMAIL: normal.address,
    ColumnKind.PHONE: normal.digits_of_phone,
}
FALLBACKS: Mapping[str, tuple[tuple[str, Normalise], ...]] = {
    "given_name": ((FULL_NAME, normal.given_of),),
    "surname": ((FULL_NAME, normal.surname_of),),
    "house": (("street", normal.house_of), ("street_2", normal.house_of)),
}
"""What is read from another column where a record has no value of its own."""

SOUNDING = {
    f"{column}_sound": column for column, kind in COLUMNS.items() if kind is ColumnKind.NAME
}


def comparison_columns(raw: pa.Table) -> pa.Table:
    """Every comparison column of a table of records; `record_id` stays, empty values are null.

    `raw` has `record_id` and any of the comparison columns and `full_name`, of any type.
    """
    told = {ID: raw[ID].combine_chunks()}
    for column, kind in COLUMNS.items():
        told[column] = _column(raw, column, NORMALISE[kind])
    for sounding, column in SOUNDING.items():
        told[sounding] = each(told[column], normal.sound)
    told["email_local"] = each(_text(raw, "email"), normal.local_part)
    return pa.table(told)


def _column(raw: pa.Table, column: str, normalise: Normalise) -> pa.Array:
    found = each(_text(raw, column), normalise)
    for other, read in FALLBACKS.get(column, ()):
        found = pc.coalesce(found, each(_text(raw, other), read))
    return found


def _text(raw: pa.Table, column: str) -> pa.Array:
    if column not in raw.column_names:
        return pa.nulls(raw.num_rows, pa.string())
    values = raw[column]
    chunks = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return chunks.cast(pa.string())


def each(values: pa.Array, normalise: Callable[[str], str]) -> pa.Array:
    """Every value through a function, which sees each distinct one once; nothing becomes null."""
    if values.null_count == len(values):
        return values.cast(pa.string())
    coded = values.dictionary_encode()
    mapped = [normalise(one) or None for one in coded.dictionary.to_pylist()]
    return pa.array(mapped, pa.string()).take(coded.indices)
