"""A run of declared clusters: people as they are now in; personas, and who is which, out."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.cluster.beside import beside_rfm
from stamgast_learn.cluster.persona import NONE, belongs, nearest_of, personas, reaches
from stamgast_learn.cluster.stability import Found, find
from stamgast_learn.cluster.standard import Scale, scale, scale_of
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Column, read_columns, write_columns
from stamgast_learn.predict.honesty import unknown_features
from stamgast_learn.predict.leaks import Leak, told_leaks
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.reasons import TOLD
from stamgast_learn.predict.run import Order, Outcome

OUTSIDE, RFM_CELL = "none", "rfm_cell"


@dataclass(frozen=True, slots=True)
class Clusters:
    """Centres on a scale, how far each reaches, and their names."""

    scale: Scale
    centres: Floats
    reach: Floats
    names: tuple[str, ...]

    def dumped(self) -> bytes:
        """The clusters as JSON."""
        told = {
            "scale": self.scale.to_json(),
            "centres": self.centres.tolist(),
            "reach": self.reach.tolist(),
            "names": list(self.names),
        }
        return json.dumps(told, sort_keys=True).encode()


def clusters_of(told: bytes) -> Clusters:
    """The clusters that `dumped` told."""
    about = json.loads(told)
    return Clusters(
        scale_of(about["scale"]),
        np.array(about["centres"]),
        np.array(about["reach"]),
        tuple(about["names"]),
    )


def learn_run(order: Order, panel: Path, champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Finds clusters if asked; the newest that are stable are used."""
    if not order.is_training:
        return Outcome(order.version, False, champion is not None, None, {}), champion
    told = read_panel(panel, order.features)
    now = told.to_score
    report: dict[str, Any] = {"people": len(now), "rows": len(now)}
    report["unknown"] = unknown_features(now)
    try:
        made = _found(order, now, report)
        if not _suspected(order, told.labelled, now, report):
            report["judgement"]["beside_rfm"] = _beside_rfm(made, told.labelled, panel)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), champion
    return Outcome(order.version, True, True, None, report), made.dumped()


def _suspected(order: Order, then: Panel, now: Panel, report: dict[str, Any]) -> tuple[Leak, ...]:
    """Features that know the money that came, and are not allowed: beside RFM cells they say
    nothing. Who is like whom now they may tell all the same."""
    try:
        return told_leaks(then, order, report, now) if len(then) else ()
    except AbstainedError:
        return tuple(Leak(one["feature"], True, one["why"]) for one in report["leaks"])


def _found(order: Order, now: Panel, report: dict[str, Any]) -> Clusters:
    least = 2 * order.least_of_each
    if len(now) < least:
        raise AbstainedError(f"{len(now)} people; needs {least}")
    of = scale(now)
    report["constant"] = [name for name in now.features if name not in of.features]
    points = of.of(now)
    found = find(points, order.settings)
    reach = reaches(points, found.centres)
    member = belongs(points, found.centres, reach)
    told = personas(now, points, of.features, member, len(found.centres))
    report["judgement"] = {
        **_of_search(found),
        "personas": [asdict(one) for one in told],
        "fit_none": int((member == NONE).sum()),
        "between": _between(points, found.centres),
    }
    return Clusters(of, found.centres, reach, tuple(one.name for one in told))


def _beside_rfm(made: Clusters, then: Panel, panel: Path) -> dict[str, Any] | None:
    columns = read_columns(panel)
    if RFM_CELL not in columns:
        return None
    cells = columns[RFM_CELL][~np.isnan(columns["label"].astype(np.float64))].astype(np.int64)
    member = belongs(made.scale.of(then), made.centres, made.reach)
    told = beside_rfm(then, member, cells)
    return None if told is None else told.to_json()


def _of_search(found: Found) -> dict[str, Any]:
    return {
        "tried": [asdict(one) for one in found.tried],
        "clusters": len(found.centres),
        "within": found.within,
        "cloud_within": found.cloud_within,
        "one_hump": found.one_hump,
    }


def _between(points: Floats, centres: Floats) -> float:
    """Which part of people is about as near to another centre as to their own."""
    apart = np.stack([np.sqrt(((points - one) ** 2).sum(axis=1)) for one in centres], axis=1)
    first, second = np.sort(apart, axis=1)[:, :2].T
    return float((first > 0.9 * second).mean())


def score_run(order: Order, model: bytes, panel: Path, scores: Path) -> dict[str, Any]:
    """The cluster of everybody who is to be scored, into file `scores`; answers figures.

    The value is the cluster's number from 1, 0 for none, and the band its name; the percentile says
    how near somebody is to its middle.
    """
    told, now = clusters_of(model), read_panel(panel, order.features).to_score
    points = told.scale.of(now)
    member = belongs(points, told.centres, told.reach)
    names = np.array([*told.names, OUTSIDE], dtype=object)
    nearest, far = nearest_of(points, told.centres)
    columns = {
        "person_id": now.person,
        "value": (member + 1).astype(np.float64),
        "percentile": _nearness(nearest, far),
        "band": names[member],
        "reasons": _reasons(told, now, points),
    }
    write_columns(scores, columns)
    shares = (
        {str(name): float((names[member] == name).mean()) for name in names} if len(now) else {}
    )
    return {"scored": len(now), "shares": shares}


def _nearness(nearest: Any, far: Floats) -> Floats:
    """Which part of a cluster's people is at least as far from its middle, in per cent."""
    told = np.zeros(len(far))
    for place in np.unique(nearest):
        here = nearest == place
        ordered = np.sort(far[here])
        below = np.searchsorted(ordered, far[here], side="left")
        told[here] = np.round(100.0 * (1 - below / here.sum()), 2)
    return told


def _reasons(told: Clusters, now: Panel, points: Floats) -> Column:
    """For each person, as JSON, where they are farthest from everybody's mean."""
    names = told.scale.features
    measured = now.measured[:, [now.features.index(name) for name in names]]
    most = np.argsort(-np.abs(points), axis=1, kind="stable")[:, :TOLD]
    rows = [
        json.dumps(
            [
                {
                    "feature": names[place],
                    "value": None if np.isnan(value := measured[row, place]) else float(value),
                    "deviations": round(float(points[row, place]), 2),
                }
                for place in most[row]
            ]
        )
        for row in range(len(now))
    ]
    return np.array(rows, dtype=object)
