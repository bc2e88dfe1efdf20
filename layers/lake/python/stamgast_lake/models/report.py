"""Models as their log and their runs tell of them: versions side by side, and the card of one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from stamgast.models.drift import SCORE, has_shifted
from stamgast_lake.runs import MODELS_STAGE

Json = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
Ask = Callable[[str], Rows]
VERSIONS = """
    select model, version, state, why, kind, trained_at, metrics, recorded_at, run_id
    from models_current where {which} order by model, trained_at desc, version desc
"""
CARD = """
    select version, state, why, card, sha256, artefact, trained_at from models_current
    where model = '{model}' {which} order by state = 'champion' desc, trained_at desc limit 1
"""
RUNS = f"select run_id, moment, figures from runs where stage = '{MODELS_STAGE}' order by moment"
SCORES = """
    select band, count(*) as people, avg(value) as mean, min(value) as low, max(value) as high
    from scores_current where model = '{model}' group by band order by mean desc
"""
EXPLAINED = """
    select model, version, value, percentile, band, low, high, reasons, detail, scored_on,
        valid_until
    from scores_current where person_id = '{person_id}' order by model
"""


def versions(ask: Ask, model: str | None = None) -> list[Json]:
    """Each version of a model, or of all, the newest first: its state, why, and how it fared."""
    which = "true" if model is None else f"model = '{model}'"
    return [
        {**row, "metrics": _metrics(orjson.loads(row["metrics"]))}
        for row in ask(VERSIONS.format(which=which))
    ]


def card_of(ask: Ask, model: str, version: str | None = None) -> Json | None:
    """The card of a version, by default the one in use, else the newest tried; None before any.

    With what its scores did since: drift at each run, and what came true.
    """
    which = "" if version is None else f"and version = '{version}'"
    rows = ask(CARD.format(model=model, which=which))
    if not rows:
        return None
    row = rows[0]
    told = {name: row[name] for name in ("version", "state", "sha256", "artefact")}
    return {**orjson.loads(row["card"]), **told, **_since(ask, model, row["version"])}


def scored(ask: Ask, model: str) -> list[Json]:
    """How many people are in each band now, and what is said of them."""
    return [dict(row) for row in ask(SCORES.format(model=model))]


def explained(ask: Ask, person_id: str) -> list[Json]:
    """What each model says of a person, and what moved it most."""
    return [
        {**row, "reasons": orjson.loads(row["reasons"] or "[]")}
        for row in ask(EXPLAINED.format(person_id=person_id))
    ]


def _since(ask: Ask, model: str, version: str) -> Json:
    """Drift at each run that scored by this version, and every realised window of it."""
    drift, realised = [], []
    for row in ask(RUNS):
        told = orjson.loads(row["figures"])
        scored_now = told.get("scored", {}).get(model)
        if scored_now is not None and scored_now["version"] == version:
            drift.append(_at(scored_now))
        realised += [
            one
            for one in told.get("realised", ())
            if (one["model"], one["version"]) == (model, version)
        ]
    return {"drift": drift, "realised": realised}


def _at(told: Mapping[str, Any]) -> Json:
    index = told["drift"]
    return {
        "scored_on": told["scored_on"],
        "people": told["people"],
        "mean": told["mean"],
        "score": index.get(SCORE, 0.0),
        "features": {name: one for name, one in index.items() if name != SCORE},
        "since_before": (told.get("since_before") or {}).get(SCORE),
        "is_shifted": has_shifted(told),
    }


UPLIFT = "x_learner"
"""The order by which an uplift scores; the others stand beside it."""


def _metrics(told: Mapping[str, Any]) -> Json:
    """The few figures that versions are compared by."""
    if "ranking" in told:
        return {
            "brier": told["reliability"]["brier"],
            "auc": told["ranking"]["auc"]["value"],
            "calibration_error": told["reliability"]["calibration_error"],
            "better_than": {n: one["share"] for n, one in told["baselines"].items()},
        }
    if "errors" in told and "chosen" in told:
        chosen = told["errors"][told["chosen"]]
        told = {name: chosen[name] for name in ("mae", "total_ratio")}
        return {name: one and one["value"] for name, one in told.items()}
    return {**_of_kind(told), **_better(told)}


def _of_kind(told: Mapping[str, Any]) -> Json:
    """The figure that a kind without odds or amounts is judged by."""
    if "figures" in told:
        offers = told["figures"]["model"]
        return {name: offers[name]["value"] for name in ("ndcg", "recall", "coverage")}
    if "orders" in told:
        own = told["orders"][UPLIFT]["qini"]["value"]
        return {"effect": told["effect"]["value"], "qini": own}
    names = ("clusters", "r_squared", "design_effect")
    return {name: told[name] for name in names if name in told}


def _better(told: Mapping[str, Any]) -> Json:
    return {"better_than": dict(told["shares"])} if told.get("shares") else {}
