"""Files of tables are reached through one file system, with as few requests as they need."""

from pathlib import Path

import pytest
from pyarrow.fs import S3FileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO

from stamgast_lake.files import SharedFileIO

S3 = {"s3.endpoint": "http://127.0.0.1:9", "s3.region": "us-east-1"}


def system_of(properties: dict[str, str]) -> S3FileSystem:
    found = SharedFileIO(properties).fs_by_scheme("s3", "bucket")
    assert isinstance(found, S3FileSystem)
    return found


def told(system: S3FileSystem) -> dict[str, object]:
    _, (settings,) = system.__reduce__()
    return dict(settings)


def test_tables_of_equal_properties_share_a_file_system() -> None:
    assert system_of({**S3, "comment": "of one table"}) is system_of(S3)


@pytest.mark.parametrize(
    "more", [{}, {"s3.access-key-id": "k", "s3.secret-access-key": "s"}], ids=["role", "keys"]
)
def test_it_reaches_the_store_that_pyicebergs_own_would_reach(more: dict[str, str]) -> None:
    own = PyArrowFileIO({**S3, **more}).fs_by_scheme("s3", "bucket")
    assert isinstance(own, S3FileSystem)

    ours = told(system_of({**S3, **more}))

    assert {**ours, "allow_delayed_open": False} == told(own)
    assert ours["allow_delayed_open"] is not bool(more)


def test_a_file_of_a_folder_is_written_as_ever(tmp_path: Path) -> None:
    place = (tmp_path / "one").as_uri()
    with SharedFileIO({}).new_output(place).create() as file:
        file.write(b"told")

    assert (tmp_path / "one").read_bytes() == b"told"
