"""Features that may know the outcome: what each tells beside what all others tell together.

A feature that tells of the past horizon what it tells of the next one is memory, and no prophecy:
of skill it is not suspected.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.stats import norm

from stamgast_learn.predict.alone import (
    Same,
    are_told,
    column_of,
    few,
    least_skill,
    sure_values,
)
from stamgast_learn.predict.expectation import expected, lessons, odds_of
from stamgast_learn.predict.in_time import (
    Told,
    ahead,
    came_before,
    came_late,
    is_memory,
    only_now,
)
from stamgast_learn.predict.pairs import paired
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import auc_of
from stamgast_learn.predict.vanished import vanished
from stamgast_learn.progress import counted

ENOUGH_TO_FIT = 10_000
STRONG, MOST_STRONG = 0.85, 3
"""Below this area nothing that a feature tells by itself is out of the ordinary."""
ALONE, TOGETHER = 0.88, 0.9
"""From these areas on a feature, or all of them together, are compared with those left."""
FARTHER, NEEDED = 1.3, 1.2
"""How much farther apart than all others a feature, or all with it, put both outcomes."""
MISSED = 1.1
"""Where less is lost when a feature's values are exchanged, nothing is learnt anew without it."""
PROPHETIC, FORESIGHT = 1.1, 0.15
"""The same of a feature whose area is so much larger for the next horizon than for the past."""
AS_GOOD = 0.02
LEAST_APART = 0.5
SURE, SURPRISE = 0.9, 2.5
"""A value that brings the outcome this surely, at log-odds so far above what others expect."""


def suspects(
    panel: Panel, names: Sequence[str], within_days: int, now: Panel | None = None
) -> Iterator[Told]:
    """Each feature that is suspected, and why; a feature may come several times."""
    for view in counted("parts searched for leaks", list(_views(panel))):
        yield from _sure(panel, view, names, within_days)
        yield from paired(panel, view, names, within_days)
        skills = {name: least_skill(view, column_of(view, name)) for name in names}
        strong = [name for name in _ranked(skills) if skills[name] >= STRONG][:MOST_STRONG]
        foresight = _foresight(panel, strong, within_days)
        yield from _dominant(view, skills, foresight)
        memories = [name for name in strong if name not in foresight]
        if _has_past(panel, within_days):
            yield from _needed(view, names, memories)
    yield from only_now(panel, names)
    yield from came_late(panel, names)
    yield from vanished(panel, now, names)


def _views(panel: Panel) -> Iterator[Panel]:
    """All cut-offs, and the newest: what was noted when the outcome came tells most there."""
    masks = [panel.cut_on > -1, panel.cut_on == panel.cuts[-1]]
    for mask in masks[: len(panel.cuts)]:
        view = panel.at(few(mask, ENOUGH_TO_FIT))
        if are_told(view.label == 1):
            yield view


def _has_past(panel: Panel, within_days: int) -> bool:
    """Whether any cut-off lies a horizon after another: else nobody can tell what is memory, and
    whatever is honest and unlike all others would be needed."""
    return int(panel.cuts[0]) + within_days <= int(panel.cuts[-1])


def _sure(panel: Panel, view: Panel, names: Sequence[str], within_days: int) -> Iterator[Told]:
    """Features of which one value brings the outcome almost always, unexpected by all others, and
    did not bring it as surely in the horizon before."""
    base = odds_of(float((view.label == 1).mean()))
    for name in names:
        told = sure_values(view, column_of(view, name), SURE)
        told = [one for one in told if odds_of(one.at_least) - base >= SURPRISE]
        others = expected(view, _without(names, [name])) if told else np.zeros(0)
        for same in told:
            stated = float(others[same.rows].mean())
            is_surprise = odds_of(same.at_least) - odds_of(stated) >= SURPRISE
            if is_surprise and not is_memory(view, same, came_before(panel, view, within_days)):
                yield name, _unexpected(name, same, stated)
                break


def _unexpected(name: str, same: Same, stated: float) -> str:
    return (
        f"feature {name} has a value at which the outcome came to {same.rate:.0%} of"
        f" {int(same.rows.sum())} rows, where all other features expect {stated:.0%}"
    )


def _ranked(skills: Mapping[str, float]) -> list[str]:
    return sorted(skills, key=lambda name: (-skills[name], name))


def _foresight(panel: Panel, strong: Sequence[str], within_days: int) -> dict[str, float]:
    """Strong features that are no memory, and how much more they tell of what comes."""
    told = {name: ahead(panel, name, within_days) for name in strong}
    return {name: one or 0.0 for name, one in told.items() if one is None or one > AS_GOOD}


def _dominant(
    view: Panel, skills: Mapping[str, float], foresight: Mapping[str, float]
) -> Iterator[Told]:
    """The feature, or the few, without which everything else tells far less."""
    strong, labels, was = list(foresight), view.label == 1, None
    for count in range(1, len(strong) + 1):
        gone, least = strong[:count], skills[strong[count - 1]]
        left = _apart(auc_of(expected(view, _without([*skills], gone)), labels))
        farther = min(PROPHETIC if foresight[one] >= FORESIGHT else FARTHER for one in gone)
        is_cliff = was is None or was >= farther * left
        if least >= ALONE and _apart(least) >= farther * left and is_cliff:
            others = norm.cdf(left / np.sqrt(2))
            yield from ((name, _more_than_others(name, skills[name], others)) for name in gone)
            return
        was = left


def _more_than_others(name: str, found: float, others: float) -> str:
    return (
        f"feature {name} orders people with an area under the curve of {found:.2f}, all others"
        f" together with {others:.2f}"
    )


def _needed(view: Panel, names: Sequence[str], memories: Sequence[str]) -> Iterator[Told]:
    """Features that tell little by themselves, and beside others what nothing else tells."""
    labels, told = view.label == 1, lessons(view, names)
    found = auc_of(told.scores(), labels)
    for name in _without(names, memories) if found >= TOGETHER else ():
        if _apart(found) < MISSED * _apart(auc_of(told.scores_without(name), labels)):
            continue
        left = auc_of(expected(view, _without(names, [name])), labels)
        if _apart(found) >= NEEDED * _apart(left):
            yield (
                name,
                (
                    f"with feature {name} all together order people with an area under the curve of"
                    f" {found:.2f}, without it with {left:.2f}"
                ),
            )


def _without(names: Sequence[str], gone: Sequence[str]) -> list[str]:
    return [name for name in names if name not in gone]


def _apart(found: float) -> float:
    """How many standard deviations two normal outcomes lie apart that have such an area."""
    return max(LEAST_APART, float(np.sqrt(2) * norm.ppf(min(found, 1 - 1e-6))))
