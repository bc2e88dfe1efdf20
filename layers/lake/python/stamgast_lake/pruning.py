"""Which rows of data files hold some keys, and which parts of the files need not be read for it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import methodcaller
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds


def among(dataset: ds.Dataset, column: str, keys: Sequence[str]) -> ds.Dataset:
    """The row groups of a dataset of files whose span of `column` holds one of the sorted keys.

    A row group without statistics stays. Any other dataset is returned as it is.
    """
    if not isinstance(dataset, ds.FileSystemDataset):
        return dataset
    wanted = np.asarray(keys, dtype=object)
    kept = [part for one in dataset.get_fragments() for part in _subset(one, column, wanted)]
    if not kept:
        return ds.dataset(dataset.schema.empty_table())
    return ds.FileSystemDataset(kept, dataset.schema, dataset.format, dataset.filesystem)


def _subset(fragment: Any, column: str, keys: Any) -> Iterator[Any]:
    groups = [group.id for group in fragment.row_groups if _may_hold(group, column, keys)]
    if groups:
        yield fragment.subset(row_group_ids=groups)


def _may_hold(group: Any, column: str, keys: Any) -> bool:
    span = (group.statistics or {}).get(column)
    if span is None:
        return True
    at = int(np.searchsorted(keys, span["min"]))
    return at < len(keys) and bool(keys[at] <= span["max"])


def holding(
    dataset: ds.Dataset, column: str, keys: pa.StringArray, told: Sequence[str]
) -> pa.RecordBatchReader:
    """The rows whose `column` is one of the sorted keys, with these columns alone.

    A batch is asked for the keys within its own span: in a file that is sorted by `column`, the
    keys are gone through once, and only rows that are found leave Arrow.
    """
    columns = [*dict.fromkeys((column, *told))]
    schema = pa.schema([dataset.schema.field(name) for name in columns])
    found = (_held(batch, keys) for batch in dataset.to_batches(columns=columns))
    return pa.RecordBatchReader.from_batches(schema, (batch for batch in found if batch.num_rows))


def _held(batch: pa.RecordBatch, keys: pa.StringArray) -> pa.RecordBatch:
    """The rows of a batch whose first column is one of the sorted keys."""
    span = pc.min_max(batch.column(0)).as_py()
    if span["min"] is None:
        return batch.slice(0, 0)
    text = methodcaller("as_py")
    start = bisect_left(keys, span["min"], key=text)
    within = keys.slice(start, bisect_right(keys, span["max"], lo=start, key=text) - start)
    return batch.filter(pc.is_in(batch.column(0), value_set=within))


def has_other(dataset: ds.Dataset, column: str, values: Iterable[str]) -> bool:
    """Whether a row's `column` is none of the values, read from that column alone."""
    known = pa.array(sorted(values), pa.string())
    found = dataset.head(1, columns=[column], filter=~ds.field(column).isin(known))
    return bool(found.num_rows)
