"""The declared tables as Arrow and Iceberg schemas."""

from functools import cache

import pyarrow as pa
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from stamgast_lake.tables import LakeTable, ListOf, Scalar, Struct, Type

FIRST_PARTITION_ID = 1000
ARROW: dict[Scalar, pa.DataType] = {
    Scalar.STRING: pa.string(),
    Scalar.INT: pa.int32(),
    Scalar.LONG: pa.int64(),
    Scalar.DOUBLE: pa.float64(),
    Scalar.BOOLEAN: pa.bool_(),
    Scalar.DATE: pa.date32(),
    Scalar.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Scalar.STRING_MAP: pa.map_(pa.string(), pa.string()),
}
ICEBERG: dict[Scalar, IcebergType] = {
    Scalar.STRING: StringType(),
    Scalar.INT: IntegerType(),
    Scalar.LONG: LongType(),
    Scalar.DOUBLE: DoubleType(),
    Scalar.BOOLEAN: BooleanType(),
    Scalar.DATE: DateType(),
    Scalar.TIMESTAMP: TimestamptzType(),
}


def arrow_type(told: Type) -> pa.DataType:
    """The type as Arrow has it; lists and structs name their fields as Iceberg does."""
    match told:
        case ListOf(element):
            return pa.list_(pa.field("element", arrow_type(element)))
        case Struct(fields):
            return pa.struct([pa.field(name, arrow_type(of)) for name, of in fields])
        case scalar:
            return ARROW[scalar]


@cache
def arrow_schema(table: LakeTable) -> pa.Schema:
    """The Arrow schema of a table, columns in declared order."""
    return pa.schema(
        pa.field(column.name, arrow_type(column.type), nullable=not column.required)
        for column in table.columns
    )


class _Ids:
    """Field ids of one schema: columns first, so that they are their position from 1."""

    def __init__(self, columns: int) -> None:
        self._last = columns

    def next(self) -> int:
        self._last += 1
        return self._last


def iceberg_schema(table: LakeTable) -> Schema:
    """The Iceberg schema of a table; the id of a column is its position from 1."""
    ids = _Ids(len(table.columns))
    return Schema(
        *(
            NestedField(
                position, column.name, _iceberg(column.type, ids), column.required, column.doc
            )
            for position, column in enumerate(table.columns, start=1)
        )
    )


def _iceberg(told: Type, ids: _Ids) -> IcebergType:
    match told:
        case ListOf(element):
            of = ids.next()
            return ListType(of, _iceberg(element, ids), element_required=False)
        case Struct(fields):
            return StructType(
                *(NestedField(ids.next(), name, _iceberg(of, ids), False) for name, of in fields)
            )
        case Scalar.STRING_MAP:
            return MapType(ids.next(), StringType(), ids.next(), StringType(), False)
        case scalar:
            return ICEBERG[scalar]


def partition_spec(table: LakeTable) -> PartitionSpec:
    """Identity partitions, the only transform that needs no further native package."""
    names = table.column_names
    return PartitionSpec(
        *(
            PartitionField(
                names.index(name) + 1, FIRST_PARTITION_ID + place, IdentityTransform(), name
            )
            for place, name in enumerate(table.partition)
        )
    )
