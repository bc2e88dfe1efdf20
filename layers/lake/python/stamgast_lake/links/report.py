"""How far links can be trusted: the newest judgement of each kind, and what log-ins said since."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from stamgast.identity.links import LinkKind, is_calibrated, rule_of

Rows = Sequence[Mapping[str, Any]]
Ask = Callable[[str], Rows]

JUDGED = """
    select kind, version, trained_at, is_used, why, report from (
        select *, row_number() over (
            partition by kind order by trained_at desc, run_id desc) as nth
        from link_models
    ) where nth = 1 order by kind
"""
IN_USE = """
    select kind, max_by(version, trained_at) as version, max_by(report, trained_at) as report
    from link_models where is_used group by kind
"""
STATES = """
    select kind, state, count(*) as links, avg(probability) as stated from (
        select *, row_number() over (
            partition by kind, a, b order by recorded_at desc, run_id desc) as nth
        from links
    ) where nth = 1 group by kind, state order by kind, state
"""
SETTLED = """
    select kind, count(*) as links, avg(cast(state = 'confirmed' as integer)) as confirmed,
        avg(probability) as stated,
        avg(power(probability - cast(state = 'confirmed' as integer), 2)) as brier
    from links_settled where settled_by is not null group by kind
"""


def links_report(ask: Ask) -> dict[str, Any]:
    """For each kind of link: its newest model, held-out reliability, and links by their state.

    `since` is the Brier score of links as they stood when log-ins settled them: it is measured
    after the fact, on what was really stated.
    """
    judged = {row["kind"]: row for row in ask(JUDGED)}
    in_use = {row["kind"]: row for row in ask(IN_USE)}
    states, since = ask(STATES), {row["kind"]: row for row in ask(SETTLED)}
    return {
        kind.value: {
            "last_trained": _model(judged.get(kind.value)),
            "in_use": _held_out(kind, in_use.get(kind.value)),
            "links": {row["state"]: row["links"] for row in states if row["kind"] == kind},
            "since": _since(since.get(kind.value)),
        }
        for kind in LinkKind
    }


def _model(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    told = orjson.loads(row["report"])
    return {
        "version": row["version"],
        "trained_at": row["trained_at"],
        "is_used": row["is_used"],
        "abstained_because": row["why"],
        "labels": told.get("labels"),
        "positives": told.get("positives"),
    }


def _held_out(kind: LinkKind, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    version = row["version"]
    held_out = orjson.loads(row["report"]).get("held_out", {})
    return {"version": version, "is_calibrated": is_calibrated(rule_of(kind, version)), **held_out}


def _since(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: row[name] for name in row if name != "kind"}
