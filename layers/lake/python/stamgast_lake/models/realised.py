"""What came true of past scores: stated against observed, once the window has passed.

Scores are read from their log as they stood at that run; a person who has since merged away can be
followed no more, and is counted apart.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from stamgast.models.declaration import Model, model_of
from stamgast.models.states import newest
from stamgast.moments import ms_of
from stamgast.segments.language.days import day_of
from stamgast.workspace.model import Workspace
from stamgast_lake.features.allowed import allow
from stamgast_lake.features.measured import CutOff
from stamgast_lake.features.then import go_to
from stamgast_lake.logs import count, see
from stamgast_lake.models.came import BANDS, FIGURES, LOST, STATED, came
from stamgast_lake.models.history import PastRun
from stamgast_lake.models.panels import Bench
from stamgast_lake.models.registry import registered
from stamgast_lake.runs import Run
from stamgast_lake.tables import SCORES

MOST_A_RUN = 40


def due(runs: Sequence[PastRun], run: Run, workspace: Workspace) -> list[dict[str, Any]]:
    """Scorings whose window has passed by the run's moment and that no run has judged."""
    today = day_of(ms_of(run.moment), ZoneInfo(workspace.time_zone))
    judged = {(one["run_id"], one["model"]) for past in runs for one in past.realised}
    told = [
        {"run_id": past.run_id, "moment": past.moment, "model": name, **scored}
        for past in runs
        for name, scored in past.scored.items()
        if (past.run_id, name) not in judged and _is_over(scored, today)
    ]
    return told[:MOST_A_RUN]


def _is_over(scored: Any, today: date) -> bool:
    days = scored.get("within_days")
    if days is None or scored["kind"] not in FIGURES:
        return False
    return date.fromisoformat(scored["scored_on"]) + timedelta(days=days) <= today


def realised(bench: Bench, past: dict[str, Any]) -> dict[str, Any] | None:
    """What came of one model's scores of one run; None where its version is not registered."""
    row = newest(registered(bench.lake)).get((past["model"], past["version"]))
    if row is None:
        return None
    model = model_of(orjson.loads(row["declaration"]))
    cut_off = CutOff(date.fromisoformat(past["scored_on"]), bench.asked.zone)
    see(bench.engine, bench.lake, SCORES)
    bench.engine.execute(STATED, [past["model"], past["moment"].isoformat()])
    go_to(bench.engine, cut_off.before)
    allow(bench.engine, bench.lake, model)
    for statement in came(model, cut_off):
        bench.engine.execute(statement)
    return {
        **{name: past[name] for name in ("run_id", "model", "version", "scored_on")},
        "lost": count(bench.engine, LOST),
        **_figures(bench, model, ""),
        "bands": {
            band: _figures(bench, model, f"and band = '{band}'")
            for (band,) in bench.engine.execute(BANDS).fetchall()
        },
    }


def _figures(bench: Bench, model: Model, which: str) -> dict[str, Any]:
    asked = bench.engine.execute(FIGURES[model.kind].format(which=which))
    names = [one[0] for one in asked.description]
    (row,) = asked.fetchall()
    return dict(zip(names, row, strict=True))
