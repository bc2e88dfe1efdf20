"""What a model may not be made of, or not be used for; each refusal says why."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.calibration import Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import read_columns
from stamgast_learn.predict.panel import Panel

HORIZONS = 3
FOREIGN = 0.05
"""So large a part of people who pay in another currency than most do makes amounts mean nothing."""


OF_OUTCOMES = "with the outcome", "without it, at any of the cut-offs"
OF_SEEDS = "in the seed", "outside it"
"""The two sides of which there must be enough."""


def require_enough(
    panel: Panel,
    least: int,
    history_days: int,
    within_days: int,
    sides: tuple[str, str] = OF_OUTCOMES,
) -> None:
    """Raises AbstainedError where there is too little to learn of, and says what is missing.

    A person counts once: ten to whom it comes at each of ten cut-offs are ten people, not hundred.
    """
    came = panel.label == 1
    with_it, without = (len(np.unique(panel.person[rows])) for rows in (came, ~came))
    if min(with_it, without) < least:
        raise AbstainedError(
            f"{with_it} people {sides[0]} and {without} {sides[1]}; needs {least} of each"
        )
    require_history(history_days, within_days)


def require_history(history_days: int, within_days: int) -> None:
    """Raises AbstainedError where too little time was seen to learn of."""
    if history_days < HORIZONS * within_days:
        raise AbstainedError(
            f"{history_days} days of history; needs {HORIZONS * within_days},"
            f" {HORIZONS} times the {within_days} days ahead"
        )


def require_payers(panel: Panel, least: int) -> None:
    """Raises AbstainedError where too few spent anything; a person counts once."""
    with_money = len(np.unique(panel.person[panel.label > 0]))
    if with_money < least:
        raise AbstainedError(f"{with_money} people spent anything; needs {least}")


def uncompared(learnt_until: int, within_days: int) -> str:
    """Why a version takes over that nothing compares with the one in use."""
    until, first = (np.datetime64(day, "D") for day in (learnt_until, learnt_until + within_days))
    return (
        f"Not compared with the version in use, which has learnt until {until}: no cut-off from"
        f" {first} on has an outcome yet that neither knew. The newer one takes over."
    )


def require_one_currency(panel: Path, report: dict[str, Any]) -> None:
    """Raises AbstainedError where people pay in several currencies: their amounts have no sum, no
    mean and no order. The report gets how many pay in which.
    """
    columns = read_columns(panel)
    if "principal" not in columns:
        return
    people = {
        str(person): str(currency)
        for person, currency in zip(columns["person_id"], columns["principal"], strict=True)
        if currency
    }
    counts = Counter(people.values()).most_common()
    report["currencies"] = dict(counts)
    if len(counts) < 2:
        return
    first, most = counts[0]
    if len(people) - most >= FOREIGN * len(people):
        told = ", ".join(f"{many:,} people in {name}" for name, many in counts)
        raise AbstainedError(
            f"amounts are each in one's own currency ({told}), and mean nothing together; say"
            f" `orders.currency = '{first}'` in the population, and make a model of each"
        )


def require_people(rows: int) -> None:
    """Raises AbstainedError where nobody is there."""
    if not rows:
        raise AbstainedError("too few people: nobody is left to learn of when some are held out")


def require_both(labels: Labels, what: str) -> None:
    """Raises AbstainedError for a fold of one class."""
    if labels.all() or not labels.any():
        told = "everybody" if len(labels) and labels.all() else "nobody"
        raise AbstainedError(f"the outcome came to {told} {what}")


def unknown_features(panel: Panel) -> list[str]:
    """The features of which nothing is known, of anybody, at any cut-off that is learnt of."""
    nobody = np.isnan(panel.measured).all(axis=0) & (len(panel) > 0)
    return [name for name, is_unknown in zip(panel.features, nobody, strict=True) if is_unknown]


def constant_features(panel: Panel) -> tuple[str, ...]:
    """The features that say the same of everybody; they are left out, and the card says so."""
    told = []
    for name, column in zip(panel.features, panel.measured.T, strict=True):
        known = column[~np.isnan(column)]
        is_split = 0 < len(known) < len(column)
        if not is_split and (len(known) == 0 or known.min() == known.max()):
            told.append(name)
    return tuple(told)
