"""The schema byte of every stored item: this version reads its own and the one before."""

from collections.abc import Mapping
from typing import Any

SCHEMA = 1
READABLE = (0, 1)


class SchemaError(ValueError):
    """An item that a newer version wrote, or one too old to be read."""


def check_schema(attributes: Mapping[str, Any]) -> None:
    """Raises SchemaError for an item that this version must not read."""
    if attributes["schema"] not in READABLE:
        raise SchemaError(f"schema {attributes['schema']} is not among {READABLE}")
