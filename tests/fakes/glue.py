"""An in-process stand-in for Glue's catalogue: tables, their versions, and the client's errors."""

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

CODES = (
    "AlreadyExistsException",
    "ConcurrentModificationException",
    "EntityNotFoundException",
)
ERRORS: dict[str, type[ClientError]] = {code: type(code, (ClientError,), {}) for code in CODES}


class Glue:
    """The calls that the lake makes of boto3's client; a version is a number that goes up."""

    def __init__(self) -> None:
        self.exceptions = SimpleNamespace(**ERRORS)
        self._tables: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}

    def get_database(self, *, Name: str) -> dict[str, Any]:  # noqa: N803
        """Any database is there."""
        return {"Database": {"Name": Name}}

    def create_table(self, *, DatabaseName: str, TableInput: dict[str, Any]) -> None:  # noqa: N803
        place = DatabaseName, TableInput["Name"]
        if place in self._tables:
            raise _error("CreateTable", "AlreadyExistsException", "Table already exists.")
        self._tables[place] = 1, deepcopy(TableInput)

    def get_table(self, *, DatabaseName: str, Name: str) -> dict[str, Any]:  # noqa: N803
        version, told = self._found("GetTable", DatabaseName, Name)
        table = {**deepcopy(told), "DatabaseName": DatabaseName, "VersionId": str(version)}
        return {"Table": table}

    def update_table(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableInput: dict[str, Any],  # noqa: N803
        SkipArchive: bool = False,  # noqa: N803
        VersionId: str | None = None,  # noqa: N803
    ) -> None:
        """Puts a table in the place of the version that its writer has read."""
        version, _ = self._found("UpdateTable", DatabaseName, TableInput["Name"])
        if VersionId not in (None, str(version)):
            code = "ConcurrentModificationException"
            raise _error(
                "UpdateTable", code, "Update table failed due to concurrent modifications."
            )
        self._tables[DatabaseName, TableInput["Name"]] = version + 1, deepcopy(TableInput)

    def delete_table(self, *, DatabaseName: str, Name: str) -> None:  # noqa: N803
        self._found("DeleteTable", DatabaseName, Name)
        del self._tables[DatabaseName, Name]

    def _found(self, operation: str, database: str, name: str) -> tuple[int, dict[str, Any]]:
        found = self._tables.get((database, name))
        if found is None:
            raise _error(operation, "EntityNotFoundException", f"Table {name} not found.")
        return found


def _error(operation: str, code: str, message: str) -> ClientError:
    told: Any = {"Error": {"Code": code, "Message": message}, "Message": message}
    return ERRORS[code](told, operation)
