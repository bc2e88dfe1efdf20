"""What recommendations have to beat: what everybody buys, and what each person buys anyway."""

from collections.abc import Callable, Mapping

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.recommend.baskets import Codes
from stamgast_learn.recommend.evidence import RECENT_DAYS
from stamgast_learn.recommend.exclusions import Exclusions
from stamgast_learn.recommend.recommender import Moment, best_of, positions

FIRST = 1_000.0
"""Above any log-odds: what one has bought comes before what others buy."""
Rule = Callable[[Moment, Codes], Floats]


def popularity(moment: Moment, rows: Codes) -> Floats:
    """What most people bought in the last horizon."""
    return np.repeat(moment.learnt.popular[:1], len(rows), axis=0)


def repurchase(moment: Moment, rows: Codes) -> Floats:
    """What each bought on most days, of equals the latest; then what most people buy."""
    mine, scores = moment.owned.places[moment.people[rows]], popularity(moment, rows)
    row = np.repeat(np.arange(len(rows)), np.diff(mine.indptr))
    near = np.exp2((moment.known.last - moment.known.cut) / RECENT_DAYS)
    scores[row, mine.indices] = (FIRST + moment.known.days + near / 2)[mine.data]
    return scores


RULES: Mapping[str, Rule] = {"popularity": popularity, "repurchase": repurchase}


def offered_by(rule: Rule, moment: Moment, out: Exclusions, number: int) -> Codes:
    """The items that a rule offers everybody whom a cut-off is about; -1 where it has no more."""
    parts = []
    for rows in positions(moment):
        scores = rule(moment, rows)
        scores[out.of(moment.known, moment.people[rows])] = -np.inf
        best = best_of(scores, number)
        parts.append(np.where(np.isinf(np.take_along_axis(scores, best, axis=1)), -1, best))
    return np.concatenate(parts) if parts else np.zeros((0, number), np.int64)
