"""Columns of Parquet files as arrays, read and written by DuckDB: this layer has no pyarrow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

Column: TypeAlias = NDArray[Any]
Columns: TypeAlias = Mapping[str, Column]


def read_columns(path: Path) -> dict[str, Column]:
    """Every column of a file; texts come as objects, a double that is null as NaN."""
    with duckdb.connect() as engine:
        told = engine.read_parquet(str(path)).fetchnumpy()
    return {name: _plain(column) for name, column in told.items()}


def _plain(column: Column) -> Column:
    is_double = np.issubdtype(column.dtype, np.floating)
    told: Column = np.ma.filled(column, np.nan) if is_double else np.ma.getdata(column)
    return told


def write_columns(path: Path, columns: Columns) -> None:
    """Writes arrays of one length as the columns of a file; objects are texts, even if none is."""
    told = ", ".join(
        f"cast({name} as varchar) as {name}" if column.dtype == object else name
        for name, column in columns.items()
    )
    with duckdb.connect() as engine:
        engine.register("given", dict(columns))
        engine.sql(f"select {told} from given").write_parquet(str(path), compression="zstd")
