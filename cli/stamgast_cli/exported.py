"""The files of an export fetched from their signed addresses, checked, and made one."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from stamgast_cli.errors import StamgastError

BLOCK_BYTES = 1 << 20


class TornFileError(StamgastError):
    """What arrived is not what was written."""


def fetch(receipt: Mapping[str, Any], out: Path | None) -> Path:
    """Fetches every file of an export into one of this name; returns where it is."""
    files = receipt["files"]
    path = out or Path(_one_name(files))
    with TemporaryDirectory(prefix="stamgast-", dir=path.parent) as folder:
        parts = [_fetched(file, Path(folder)) for file in files]
        if len(parts) == 1:
            parts[0].replace(path)
        elif receipt["format"] == "csv":
            _join_csv(parts, path)
        else:
            _join_parquet(parts, path)
    return path


def _one_name(files: Sequence[Mapping[str, Any]]) -> str:
    name = Path(str(files[0]["name"]))
    return name.name if len(files) == 1 else f"{name.stem.rpartition('-')[0]}{name.suffix}"


def _fetched(file: Mapping[str, Any], folder: Path) -> Path:
    path, told = folder / Path(str(file["name"])).name, sha256()
    with httpx.stream("GET", file["url"], timeout=60) as answer, path.open("wb") as kept:
        answer.raise_for_status()
        for block in answer.iter_bytes(BLOCK_BYTES):
            told.update(block)
            kept.write(block)
    if told.hexdigest() != file["sha256"]:
        raise TornFileError(f"{path.name} did not arrive whole", hint="Export it again.")
    return path


def _join_csv(parts: Sequence[Path], path: Path) -> None:
    """One after the other, the header once."""
    with path.open("wb") as joined:
        for number, part in enumerate(parts):
            with part.open("rb") as file:
                header = file.readline()
                if number == 0:
                    joined.write(header)
                while block := file.read(BLOCK_BYTES):
                    joined.write(block)


def _join_parquet(parts: Sequence[Path], path: Path) -> None:
    # The engine takes longer to load than most verbs to run.
    import pyarrow.parquet as pq

    schema = pq.read_schema(parts[0])
    with pq.ParquetWriter(path, schema, compression="zstd") as joined:
        for part in parts:
            for batch in pq.ParquetFile(part).iter_batches():
                joined.write_batch(batch.replace_schema_metadata(schema.metadata))
