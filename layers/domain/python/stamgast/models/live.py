"""A score in the live view, and as rules and look-ups read it there: null past its time."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from stamgast.moments import iso_of, parse_iso

Row: TypeAlias = Mapping[str, Any]
PREFIX = "S#"
NUMBERS = ("value", "percentile", "band", "low", "high")


def item_of(told: Row) -> dict[str, Any]:
    """The attributes of `S#<model>`; numbers as JSON, for items hold whole ones alone."""
    valid_ms = told["valid_until_ms"]
    return {
        "score": json.dumps({name: told[name] for name in NUMBERS}),
        "version": told["version"],
        "reasons": told["reasons"] or "[]",
        "detail": told["detail"],
        "scored_on": str(told["scored_on"]),
        "valid_until": iso_of(valid_ms),
        "ttl": valid_ms // 1000,
    }


def holding(rows: Mapping[str, Row], now_ms: int) -> dict[str, Row]:
    """The items that still hold: one past its time may linger, for deletion lags by days."""
    return {name: row for name, row in rows.items() if parse_iso(row["valid_until"]) > now_ms}


def columns_of(rows: Mapping[str, Row], now_ms: int) -> dict[str, dict[str, Any]]:
    """What rules read as `scores`: by model value, percentile, band and interval."""
    return {name: json.loads(row["score"]) for name, row in holding(rows, now_ms).items()}


def answers_of(
    rows: Mapping[str, Row], now_ms: int, *, verbose: bool, with_values: bool
) -> dict[str, dict[str, Any]]:
    """What look-ups tell of each score that holds; verbose adds what moved it most.

    Without values it says how much each feature moved it, and not what the person's is.
    """
    told = {}
    for name, row in sorted(holding(rows, now_ms).items()):
        told[name] = {
            **json.loads(row["score"]),
            "version": row["version"],
            "scored_on": row["scored_on"],
            "valid_until": row["valid_until"],
        }
        if row.get("detail"):
            told[name]["detail"] = json.loads(row["detail"])
        if verbose:
            reasons = json.loads(row["reasons"])
            told[name]["reasons"] = reasons if with_values else [_unvalued(one) for one in reasons]
    return told


def _unvalued(reason: Row) -> dict[str, Any]:
    return {name: told for name, told in reason.items() if name != "value"}
