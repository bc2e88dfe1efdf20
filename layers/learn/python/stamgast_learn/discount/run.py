"""A run of a declared discount model: lines in; shares, elasticity and who buys on discount out."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.discount.elasticity import elasticity
from stamgast_learn.discount.lines import People, cuts_of, people_at, weeks_until
from stamgast_learn.discount.shares import LEVEL, Shares, fit
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Column, write_columns
from stamgast_learn.predict.honesty import require_history
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.predict.run import Order, Outcome
from stamgast_learn.predict.scores import bands, percentiles
from stamgast_learn.reliability import Z95, wilson

MOST_FOR_COVERAGE = 20_000


def learn_run(order: Order, panel: Path, champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Fits and judges the shares if asked; answers the outcome and the model to use, if any."""
    if not order.is_training:
        return Outcome(order.version, False, champion is not None, None, {}), champion
    report: dict[str, Any] = {}
    try:
        made = _made(order, panel, report)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), champion
    return Outcome(order.version, True, True, None, report), made


def _made(order: Order, panel: Path, report: dict[str, Any]) -> bytes:
    cuts, scored = cuts_of(panel)
    if not cuts:
        raise AbstainedError("no cut-off lies a whole horizon back")
    told = people_at(panel, cuts[-1], order.within_days)
    report["people"] = len(told.person)
    _require_enough(told, order)
    require_history(order.history_days, order.within_days)
    judgement = judge(told)
    judgement["elasticity"] = _elasticity(panel, scored or cuts[-1] + order.within_days)
    report["judgement"] = judgement
    _require_better(judgement, order.margin)
    now = told if scored is None else people_at(panel, scored, 0, is_scored=True)
    made = fit(now.lines, now.discounted, now.design_effect)
    return json.dumps(asdict(made), sort_keys=True).encode()


def _require_enough(told: People, order: Order) -> None:
    on = int((told.discounted > 0).sum())
    off = int((told.discounted < told.lines).sum())
    if min(on, off) < order.least_of_each:
        raise AbstainedError(
            f"{on} people bought anything on discount and {off} anything without;"
            f" needs {order.least_of_each} of each"
        )


def judge(told: People) -> dict[str, Any]:
    """Shares told by what was bought before the newest cut-off, judged by what was bought after."""
    shares = fit(told.lines, told.discounted, told.design_effect)
    came = told.later > 0
    if came.sum() < 2:
        raise AbstainedError("nobody bought anything after the newest cut-off")
    lines, discounted, later, on = (
        one[came] for one in (told.lines, told.discounted, told.later, told.later_discounted)
    )
    overall = float(told.discounted.sum() / told.lines.sum())
    own = np.where(lines > 0, discounted / np.maximum(lines, 1), overall)
    stated = {
        "model": shares.of(lines, discounted),
        "everybodys_share": np.full(len(lines), overall),
        "own_share": own,
    }
    errors = {name: _error(one, later, on) for name, one in stated.items()}
    few = slice(0, MOST_FOR_COVERAGE)
    return {
        "people": int(came.sum()),
        "share": asdict(_per_line(told.discounted, told.lines)),
        "later_share": asdict(_per_line(on, later)),
        "errors": {name: asdict(_per_line(one, later)) for name, one in errors.items()},
        "gains": {
            name: asdict(_per_line(errors[name] - errors["model"], later))
            for name in stated
            if name != "model"
        },
        "coverage": _coverage(shares.coverage(lines[few], discounted[few], later[few], on[few])),
        "level": LEVEL,
        "design_effect": told.design_effect,
        "is_causal": False,
    }


def _coverage(held: Floats) -> dict[str, float]:
    """For how many people it held, with 95 %."""
    return asdict(Measure(float(held.mean()), *wilson(float(held.sum()), len(held))))


def _error(stated: Floats, later: Floats, on: Floats) -> Floats:
    """Each person's squared errors over the lines that came: on discount is 1."""
    return on * (1 - stated) ** 2 + (later - on) * stated**2


def _per_line(values: Floats, lines: Floats) -> Measure:
    """A mean over lines with 95 %, the lines of a person taken as one (Liang and Zeger, 1986)."""
    total = float(lines.sum())
    mean = float(values.sum()) / total
    half = Z95 * float(np.sqrt(((values - mean * lines) ** 2).sum())) / total
    return Measure(mean, mean - half, mean + half)


def _elasticity(panel: Path, until: int) -> dict[str, Any]:
    try:
        return {"why": None, **asdict(elasticity(weeks_until(panel, until)))}
    except AbstainedError as error:
        return {"why": str(error)}


def _require_better(judgement: dict[str, Any], margin: float) -> None:
    """The model draws own shares to everybody's, so it must not be worse than own shares are: by
    less than the margin, beyond chance."""
    gain = judgement["gains"]["everybodys_share"]
    share = gain["value"] / judgement["errors"]["everybodys_share"]["value"]
    if gain["low"] <= 0 or share < margin:
        raise AbstainedError(
            f"not shown to be better than everybody's share: squared error lower by"
            f" {gain['value']:.4f} ({gain['low']:.4f} to {gain['high']:.4f}), {share:.1%};"
            f" needs {margin:.1%}"
        )
    own = judgement["gains"]["own_share"]
    if own["low"] < -margin * judgement["errors"]["own_share"]["value"]:
        raise AbstainedError(
            "not shown to be as good as each person's own share: squared error lower by"
            f" {own['value']:.4f} ({own['low']:.4f} to {own['high']:.4f})"
        )


def score_run(_order: Order, model: bytes, panel: Path, scores: Path) -> dict[str, Any]:
    """The expected share of everybody who is to be scored and has bought, into file `scores`."""
    shares, scored = Shares(**json.loads(model)), cuts_of(panel)[1]
    now = people_at(panel, 0 if scored is None else scored, 0, is_scored=True)
    value = shares.of(now.lines, now.discounted)
    percentile = percentiles(value)
    low, high = shares.bounds(now.lines, now.discounted)
    write_columns(
        scores,
        {
            "person_id": now.person,
            "value": value,
            "percentile": percentile,
            "band": bands(percentile),
            "low": low,
            "high": high,
            "reasons": _reasons(now),
        },
    )
    return {"scored": len(value), "mean": float(value.mean()) if len(value) else None}


def _reasons(now: People) -> Column:
    """For each person, as JSON, the lines that their share is made of."""
    rows = zip(now.lines.astype(int), now.discounted.astype(int), strict=True)
    told = [f'[{{"lines": {lines}, "discounted": {discounted}}}]' for lines, discounted in rows]
    return np.array(told, dtype=object)
