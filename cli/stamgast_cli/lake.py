"""The lake of a deployment, asked in SQL on this machine."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb

from stamgast_aws.salt_store import DynamoSalts
from stamgast_cli.deployment import Deployment
from stamgast_cli.errors import InputError
from stamgast_cli.local.loopback import local_environment
from stamgast_lake.query import AuditLog, LakeSession, open_lake

Rows = list[tuple[Any, ...]]


Persons = Callable[[], Iterable[tuple[str, str]]]


@contextmanager
def opened(deployment: Deployment, persons: Persons | None = None) -> Iterator[LakeSession]:
    """A session over a deployment's lake, for as long as the block lasts.

    `persons` are those whom the audit log tells of by name; everybody unless some are given.
    """
    if deployment.endpoint_url:  # the engine's readers of files take theirs from the environment
        os.environ.update(local_environment(deployment.endpoint_url))
    with open_lake(
        glue=deployment.client("glue"),
        s3=deployment.client("s3"),
        bucket=deployment.output("LakeBucket"),
        database=deployment.output("LakeDatabase"),
        now=datetime.now(UTC),
        audit=AuditLog(deployment.output("AuditBucket"), persons or salts(deployment).persons),
    ) as lake:
        yield lake


def salts(deployment: Deployment) -> DynamoSalts:
    """Return the salts of the audit log."""
    return DynamoSalts(deployment.client("dynamodb"), deployment.output("ControlTable"))


def select(
    deployment: Deployment, sql: str, persons: Persons | None = None
) -> tuple[list[str], Rows]:
    """Return the columns' names and the rows of a query."""
    try:
        with opened(deployment, persons) as lake:
            table = lake.query(sql)
    except duckdb.Error as error:
        raise InputError(
            f"DuckDB refused the query: {error}",
            hint="Tables and views are listed in docs/lake.md; the dialect is DuckDB's.",
        ) from error
    columns = [column.to_pylist() for column in table.columns]
    return _apart(table.column_names), list(zip(*columns, strict=True))


def _apart(names: list[str]) -> list[str]:
    """Return the names, of which SQL allows two of one kind, with a number behind the later."""
    return [
        f"{name}_{names[:place].count(name)}" if name in names[:place] else name
        for place, name in enumerate(names)
    ]
