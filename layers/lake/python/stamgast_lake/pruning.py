"""Which parts of data files can hold some keys, by the statistics that Parquet keeps."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
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


def has_other(dataset: ds.Dataset, column: str, values: Iterable[str]) -> bool:
    """Whether a row's `column` is none of the values, read from that column alone."""
    known = pa.array(sorted(values), pa.string())
    found = dataset.head(1, columns=[column], filter=~ds.field(column).isin(known))
    return bool(found.num_rows)
