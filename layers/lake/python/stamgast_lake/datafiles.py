"""Rows that come sorted by partition become data files, one partition at a time, bounded."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.io.pyarrow import pyarrow_to_schema, write_file
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.table import Table, WriteTask

from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import LakeTable

LARGEST_FILE_BYTES = 192 * 1024 * 1024
IN_FLIGHT_BYTES = 64 * 1024 * 1024

Slice = tuple[tuple[object, ...], list[pa.RecordBatch]]


def write(target: Table, table: LakeTable, rows: pa.RecordBatchReader) -> list[DataFile]:
    """Writes the rows as data files of `target`; at most a few files are held in memory."""
    schema = arrow_schema(table)
    write_uuid, numbers = uuid4(), count()
    files: list[DataFile] = []
    pending: list[WriteTask] = []
    held = 0
    task_schema = pyarrow_to_schema(schema, name_mapping=target.metadata.schema().name_mapping)
    for values, batches in slices(rows, table, schema):
        pending.append(
            WriteTask(
                write_uuid=write_uuid,
                task_id=next(numbers),
                schema=task_schema,
                record_batches=batches,
                partition_key=_partition_key(target, values),
            )
        )
        held += sum(batch.nbytes for batch in batches)
        if held >= IN_FLIGHT_BYTES:
            files += write_file(target.io, target.metadata, iter(pending))
            pending, held = [], 0
    return files + list(write_file(target.io, target.metadata, iter(pending)))


def slices(rows: pa.RecordBatchReader, table: LakeTable, schema: pa.Schema) -> Iterator[Slice]:
    """The rows of one partition after another; a partition larger than a file comes in parts."""
    values: tuple[object, ...] | None = None
    batches: list[pa.RecordBatch] = []
    held = 0
    for batch in rows:
        for found, part in _runs(batch.cast(schema), table.partition):
            if batches and (found != values or held >= LARGEST_FILE_BYTES):
                yield values or (), batches
                batches, held = [], 0
            values = found
            batches.append(part)
            held += part.nbytes
    if batches:
        yield values or (), batches


def _runs(
    batch: pa.RecordBatch, partition: tuple[str, ...]
) -> Iterator[tuple[tuple[object, ...], pa.RecordBatch]]:
    if not batch.num_rows:
        return
    if not partition:
        yield (), batch
        return
    values = batch.column(partition[0])
    ends = [*_changes(values), batch.num_rows]
    for start, end in zip([0, *ends], ends, strict=False):
        yield (values[start].as_py(),), batch.slice(start, end - start)


def _changes(values: "pa.Array[Any]") -> list[int]:
    """The positions at which a sorted column without nulls takes a new value."""
    if len(values) < 2:
        return []
    is_new = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1))
    return [place + 1 for place in pc.indices_nonzero(is_new).to_pylist() if place is not None]


def _partition_key(target: Table, values: tuple[object, ...]) -> PartitionKey | None:
    spec = target.spec()
    if spec.is_unpartitioned():
        return None
    fields = [
        PartitionFieldValue(field=field, value=value)
        for field, value in zip(spec.fields, values, strict=True)
    ]
    return PartitionKey(field_values=fields, partition_spec=spec, schema=target.schema())
