"""One S3 file system a process: pyiceberg would make one for each table that it loads."""

from functools import cache, partial

from pyarrow.fs import FileSystem, S3FileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Properties

LOCATION = "stamgast_lake.files.SharedFileIO"
REACHED_BY = {"s3.endpoint": "endpoint_override", "s3.region": "region"}


@cache
def _file_system(
    scheme: str, netloc: str | None, properties: frozenset[tuple[str, str]]
) -> FileSystem:
    told = dict(properties)
    if scheme == "s3" and told.keys() <= REACHED_BY.keys() and "s3.region" in told:
        return _writing_at_once({REACHED_BY[name]: value for name, value in told.items()})
    found: FileSystem = PyArrowFileIO(told).fs_by_scheme(scheme, netloc)
    return found


def _writing_at_once(told: dict[str, str]) -> FileSystem:
    """A small file is one request, when it is closed; else three: to begin, to write, to end."""
    return S3FileSystem(allow_delayed_open=True, **told)


class SharedFileIO(PyArrowFileIO):
    """pyiceberg's own file access; equal properties share a file system (35 ms each to make)."""

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        of = frozenset(
            (name, value) for name, value in properties.items() if name.startswith("s3.")
        )
        self.fs_by_scheme = partial(_file_system, properties=of)
