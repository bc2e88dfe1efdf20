"""A feature's skill at one moment beside another: before and after the cut-off, and as received."""

from collections.abc import Iterator, Sequence

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import (
    Same,
    are_enough,
    are_told,
    column_of,
    few,
    plain_order,
    sure_values,
)
from stamgast_learn.predict.expectation import odds_of
from stamgast_learn.predict.panel import Panel
from stamgast_learn.reliability import wilson

ENOUGH_TO_SEE = 20_000
NOW, JUMP = 0.8, 0.12
"""From this area on, so much more of it at the newest cut-off than at any older one stands out."""
LATE = 0.03
LATE_SURE, LATE_SURPRISE = 0.5, 4.0
"""Where what came late goes with the outcome this surely, at so many times the others' odds."""
Told = tuple[str, str]


def ahead(panel: Panel, name: str, within_days: int) -> float | None:
    """How much better a feature tells the horizon after its cut-off than the one before it.

    None where nobody's past horizon is known.
    """
    told: list[float] = []
    for cut in panel.cuts:
        before = panel.cuts[panel.cuts + within_days <= cut]
        if len(before):
            told += _compared(panel, column_of(panel, name), int(cut), int(before[-1]))
    return float(np.mean(told)) if told else None


def came_before(panel: Panel, view: Panel, within_days: int) -> Floats:
    """The outcome of each of the view's rows in the horizon before; NaN where it is not known."""
    told = np.full(len(view), np.nan)
    for cut in view.cuts:
        before = panel.cuts[panel.cuts + within_days <= cut]
        now = np.flatnonzero(view.cut_on == cut)
        was = np.flatnonzero(np.isin(panel.cut_on, before[-1:]))
        _, here, there = np.intersect1d(view.person[now], panel.person[was], return_indices=True)
        told[now[here]] = panel.label[was[there]]
    return told


def is_memory(view: Panel, same: Same, was: Floats) -> bool:
    """Whether the past horizon, too, brought the outcome so much oftener to these than to all."""
    is_known = ~np.isnan(was)
    rows = same.rows & is_known
    if not are_enough(view, rows):
        return False
    base, before = float((view.label == 1).mean()), float(was[is_known].mean())
    at_most = wilson(float(was[rows].sum()), int(rows.sum()))[1]
    return odds_of(same.at_least) - odds_of(base) <= odds_of(at_most) - odds_of(before)


def _compared(panel: Panel, column: Floats, cut: int, before: int) -> list[float]:
    now = np.flatnonzero(few(panel.cut_on == cut, ENOUGH_TO_SEE))
    was = np.flatnonzero(panel.cut_on == before)
    _, here, there = np.intersect1d(panel.person[now], panel.person[was], return_indices=True)
    came, had_come = panel.label[now[here]] == 1, panel.label[was[there]] == 1
    if not (are_told(came) and are_told(had_come)):
        return []
    known = column[now[here]]
    return [plain_order(known, came) - plain_order(known, had_come)]


def only_now(panel: Panel, names: Sequence[str]) -> Iterator[Told]:
    """Features that tell of the newest cut-off far more than of any older one."""
    *older, newest = (few(panel.cut_on == cut, ENOUGH_TO_SEE) for cut in panel.cuts)
    labels = panel.label == 1
    if len(older) < 2 or not are_told(labels[newest]):
        return
    for name in names:
        column = column_of(panel, name)
        now = plain_order(column[newest], labels[newest])
        if now < NOW:
            continue
        was = max(plain_order(column[one], labels[one]) for one in older)
        if now - was >= JUMP:
            yield (
                name,
                (
                    f"feature {name} orders people of the newest cut-off with an area under the"
                    f" curve of {now:.2f}, and of no older one with more than {was:.2f}"
                ),
            )


def came_late(panel: Panel, names: Sequence[str]) -> Iterator[Told]:
    """Features that tell the outcome by what was received after the cut-off under an older date."""
    if panel.received is None:
        return
    newest = panel.at(few(panel.cut_on == panel.cuts[-1], ENOUGH_TO_SEE))
    labels = newest.label == 1
    if newest.received is None or not are_told(labels):
        return
    for name in names:
        known = column_of(newest, name)
        received = newest.received[:, newest.features.index(name)]
        has_moved = ~((known == received) | (np.isnan(known) & np.isnan(received)))
        now, was = (plain_order(one, labels) for one in (known, received))
        if now - was >= LATE:
            yield (
                name,
                (
                    f"feature {name} orders people with an area under the curve of {now:.2f},"
                    f" and of {was:.2f} by what had been received at the cut-off"
                ),
            )
        elif _goes_with(newest, has_moved):
            rate = float(labels[has_moved].mean())
            yield (
                name,
                (
                    f"feature {name} changed after the cut-off, under older dates, for"
                    f" {int(has_moved.sum())} people: the outcome came to {rate:.0%} of them,"
                    f" and to {float(labels[~has_moved].mean()):.0%} of all others"
                ),
            )


def _goes_with(view: Panel, has_moved: Labels) -> bool:
    """Whether the outcome comes far oftener to people of whom something came late."""
    others = (view.label == 1)[~has_moved]
    if not len(others):
        return False
    moved = np.where(has_moved, 1.0, np.nan)
    sure = [one for one in sure_values(view, moved, LATE_SURE) if one.rows[has_moved].all()]
    rate = min(float(others.mean()), 1 - 1e-6)
    odds = LATE_SURPRISE * rate / (1 - rate)
    return any(one.at_least / (1 - one.at_least) >= odds for one in sure)
