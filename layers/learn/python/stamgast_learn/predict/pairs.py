"""Counts that know the outcome beside another count: what runs ahead of it came after it.

Notes that somebody makes of every purchase, under older dates, tell little by themselves: whoever
buys often has many. But where there is one note more than there are purchases, the next one came.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import LEAST_TOLD, Same, codes, column_of, sure_values
from stamgast_learn.predict.expectation import expected, odds_of
from stamgast_learn.predict.in_time import Told, ahead, came_before, is_memory
from stamgast_learn.predict.panel import Panel

MOST_COUNTS = 24
SURE, SURPRISE, UNEXPECTED = 0.9, 2.5, 2.0
"""A difference that brings the outcome, or none, this surely: at log-odds so far above everybody's,
and so far above what a model of the same features expects."""


def paired(panel: Panel, view: Panel, names: Sequence[str], within_days: int) -> Iterator[Told]:
    """Features whose difference from another is surer than all features without them expect, and
    was not as sure of the horizon before."""
    without: dict[str, Floats] = {}
    skills: dict[str, float] = {}
    for a, b, same, has_come in _sure(view, _counts(view, names)):
        skills |= {one: ahead(panel, one, within_days) or 0.0 for one in {a, b} - skills.keys()}
        name = max((a, b), key=lambda one: skills[one])
        if name not in without:
            without[name] = expected(view, [one for one in names if one != name])
        stated = float(without[name][same.rows].mean())
        is_surprise = odds_of(same.at_least) - odds_of(stated if has_come else 1 - stated)
        if is_surprise >= UNEXPECTED and not _is_memory(panel, view, same, has_come, within_days):
            rate = same.rate if has_come else 1 - same.rate
            yield name, _words(a, b, rate, int(same.rows.sum()), name, stated)


def _is_memory(panel: Panel, view: Panel, same: Same, has_come: bool, within_days: int) -> bool:
    """Whether it came, or did not, as surely to the same people in the horizon before."""
    was = came_before(panel, view, within_days)
    if has_come:
        return is_memory(view, same, was)
    return is_memory(replace(view, label=1.0 - view.label), same, 1.0 - was)


def _words(a: str, b: str, rate: float, rows: int, name: str, stated: float) -> str:
    return (
        f"features {a} and {b} differ by a number at which the outcome came to {rate:.0%} of"
        f" {rows} rows, where all features without {name} expect {stated:.0%}"
    )


def _counts(view: Panel, names: Sequence[str]) -> list[str]:
    """The features that are whole numbers, and say more than yes or no."""
    told = []
    for name in names:
        known = np.unique(column_of(view, name))
        known = known[~np.isnan(known)]
        if len(known) > 2 and (known == np.round(known)).all():
            told.append(name)
    return told[-MOST_COUNTS:]


def _sure(view: Panel, names: Sequence[str]) -> Iterator[tuple[str, str, Same, bool]]:
    """Pairs, the rows of one difference, and whether the outcome came to them or did not."""
    for has_come in (True, False):
        labels = view.label == (1.0 if has_come else 0.0)
        asked = replace(view, label=labels.astype(np.float64))
        base = odds_of(float(labels.mean()))
        for a, b in combinations(names, 2):
            column = column_of(view, a) - column_of(view, b)
            for same in sure_values(asked, column, SURE) if _may_be_sure(column, labels) else ():
                if odds_of(same.at_least) - base >= SURPRISE:
                    yield a, b, same, has_come


def _may_be_sure(column: Floats, labels: Labels) -> bool:
    """Whether there can be such a value, which costs less to see than which it is."""
    of = codes(column)
    people, came = np.bincount(of), np.bincount(of, labels)
    return bool(((people >= LEAST_TOLD) & (came >= SURE * people)).any())
