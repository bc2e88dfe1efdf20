"""Computed traits in the form in which they are kept, which days alone do not change."""

from collections.abc import Mapping
from datetime import date
from typing import Any

SINCE = "$since"


def at_day(kept: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The traits on a day, of their kept form: `{"$since": "2026-11-01"}` becomes a count of days.

    So a value that only counts days is right whenever it is read, and no day rewrites it.
    """
    return {name: _at_day(value, today) for name, value in kept.items()}


def _at_day(value: Any, today: date) -> Any:
    if not isinstance(value, Mapping) or SINCE not in value:
        return value
    return float((today - date.fromisoformat(value[SINCE])).days)
