"""Common paths to conversion: the steps that converters share, and where others stop."""

from collections.abc import Mapping
from typing import Any

from stamgast_cli.reports.small import Minimum

Row = dict[str, Any]
SHARED_BY = 0.5
MOST_STEPS = 5
OUTCOMES = ("converted", "stopped", "open")
COUNTS = ("converted", "stopped", "stopped_here", "place")
HIDDEN_WITH = {
    "people_converted": ("converted", "converted_share", "conversion_rate", "place"),
    "people_stopped": ("stopped", "stopped_share", "conversion_rate", "stopped_here"),
    "people_stopped_here": ("stopped_here",),
}


def conversion_of(told: Mapping[str, Any], minimum: Minimum) -> dict[str, Any]:
    """The journeys of one group of people, small figures withheld."""
    found = {row["outcome"]: row for row in told["outcomes"]}
    outcomes = {name: _outcome(found.get(name), minimum) for name in OUTCOMES}
    totals = {name: found[name]["journeys"] if name in found else 0 for name in OUTCOMES}
    return {
        "outcomes": outcomes,
        "conversion_rate": _rate(outcomes),
        "steps": [_step(row, totals, minimum) for row in told["steps"]],
        "paths": _paths(told["paths"], totals, minimum),
    }


def _outcome(row: Row | None, minimum: Minimum) -> Row:
    told = row or {"journeys": 0, "people": 0, "without_step": 0}
    told = {name: told[name] for name in ("journeys", "people", "without_step")}
    return minimum.row(told, ("people",), told)


def _rate(outcomes: Mapping[str, Row]) -> float | None:
    converted, stopped = (outcomes[name]["journeys"] for name in ("converted", "stopped"))
    if converted is None or stopped is None or not converted + stopped:
        return None
    return float(converted / (converted + stopped))


def _step(row: Row, totals: Mapping[str, int], minimum: Minimum) -> Row:
    """`converted` and `stopped` count journeys with the step, `stopped_here` those that ended
    with it; the shares are of all journeys of that outcome, the rate of those with the step."""
    ended = row["converted"] + row["stopped"]
    told = {
        "step": row["step"],
        **{name: row[name] for name in COUNTS},
        "people": row["people"],
        "converted_share": row["converted"] / totals["converted"] if totals["converted"] else None,
        "stopped_share": row["stopped"] / totals["stopped"] if totals["stopped"] else None,
        "conversion_rate": row["converted"] / ended if ended else None,
    }
    told = minimum.row(told, ("people",), [name for name in told if name != "step"])
    if told["is_suppressed"]:
        return {**told, "step": None}
    for people, hidden in HIDDEN_WITH.items():
        if minimum.hides(row[people]):
            told |= {**dict.fromkeys(hidden), "is_suppressed": True}
    return told


def _paths(rows: list[Row], totals: Mapping[str, int], minimum: Minimum) -> list[Row]:
    return [
        {
            "outcome": row["outcome"],
            "path": list(row["path"]),
            "is_cut": row["is_cut"],
            "journeys": row["journeys"],
            "people": row["people"],
            "share": row["journeys"] / totals[row["outcome"]],
        }
        for row in rows
        if not minimum.hides(row["people"])
    ]


def common_steps(told: Mapping[str, Any], minimum: Minimum) -> list[str]:
    """The steps that at least half of the converting journeys with any step took, in their order
    of place; at most `MOST_STEPS`, those of most journeys."""
    rows = [row for row in told["outcomes"] if row["outcome"] == "converted"]
    with_step = sum(row["journeys"] - row["without_step"] for row in rows)
    shared = [
        row
        for row in told["steps"]
        if with_step
        and row["converted"] >= SHARED_BY * with_step
        and not minimum.hides(row["people_converted"])
    ][:MOST_STEPS]
    return [row["step"] for row in sorted(shared, key=lambda row: (row["place"], row["step"]))]


def funnel_of(rows: list[Row], minimum: Minimum) -> list[Row]:
    """A funnel's rows with the share that is left of the first; the last row is the conversion."""
    first = rows[0]["journeys"] if rows else 0
    told = []
    for row in rows:
        share = row["journeys"] / first if first else None
        whole = {**row, "share": share}
        told.append(minimum.row(whole, ("people",), ("journeys", "people", "share")))
    return told
