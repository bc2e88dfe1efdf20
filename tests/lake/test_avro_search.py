"""A manifest is searched by the values in it, packed or not; its column bounds hold values."""

from pathlib import Path

import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DataFile,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    write_manifest,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import NestedField, StringType

from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.erasure.avro import avro_tells

WHO = "canary-7731@example.org"


def search(value: str) -> Needles:
    return needles_of([Subject("r", 0, frozenset(), {"k": value})])


@pytest.fixture(params=["deflate", "null"])
def manifest(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    """A manifest of one file whose column has one value, written with this codec."""
    schema = Schema(NestedField(1, "who", StringType(), required=False))
    place = tmp_path / "manifest.avro"
    output = PyArrowFileIO().new_output(place.as_uri())
    file = DataFile.from_args(
        file_path="file:/data.parquet",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=1,
        lower_bounds={1: WHO.encode()},
        upper_bounds={1: WHO.encode()},
    )
    entry = ManifestEntry.from_args(status=ManifestEntryStatus.ADDED, snapshot_id=1, data_file=file)
    codec = request.param
    with write_manifest(2, UNPARTITIONED_PARTITION_SPEC, schema, output, 1, codec) as writer:
        writer.add_entry(entry)
    return place.read_bytes()


def test_a_bound_is_found_and_a_part_of_it_is_not(manifest: bytes) -> None:
    assert avro_tells(manifest, search(WHO))
    assert not avro_tells(manifest, search("7731@example.org"))


def test_what_is_no_manifest_is_searched_as_it_lies() -> None:
    assert avro_tells(b"Obj\x01 of " + WHO.encode(), search(WHO))
    assert not avro_tells(b"Obj\x01 of nobody", search(WHO))
