"""Seeds of look-alikes for `bench/leaks.py`: honest ones of ten kinds, and rules of two to six.

Honest seeds: who spends and looks around much is in one oftener, by odds that are a line, faint or
sure, a product of both, nearness to a middle, either of two; one that is most people, and one that
is all but everybody; a threshold of what nobody knows exactly; a habit that no feature tells.
Rules are drawn: each asks for two to six features beyond thresholds, all of them or any.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.resemblance import resemble

Random = np.random.Generator
Draw = Callable[[Random, Floats, Floats], Labels]
LEAST = 100
CONDITIONS = range(2, 7)


def _by(odds: Callable[[Floats, Floats], Floats]) -> Draw:
    """A seed by the log-odds of being in it, of what people spend and how much they look around."""
    return lambda random, spent, views: (
        random.random(len(spent)) < 1 / (1 + np.exp(-odds(spent, views)))
    )


HONEST: Mapping[str, Draw] = {
    "a faint line": _by(lambda a, b: 1.2 * a + 0.6 * b - 1.2),
    "a sure line": _by(lambda a, b: 4.0 * a + 2.0 * b - 2.0),
    "a surer line": _by(lambda a, b: 6.0 * a + 3.0 * b - 3.0),
    "a product": _by(lambda a, b: 3.0 * a * b - 1.0),
    "a middle": _by(lambda a, b: 3.0 - 3.0 * ((a - 0.5) ** 2 + (b + 0.3) ** 2)),
    "either, not surely": _by(lambda a, b: 4.0 * ((a > 0.8) | (b > 0.8)) - 2.0),
    "most people": _by(lambda a, b: 1.5 * a + b + 1.5),
    "nearly everybody": _by(lambda a, _: 0.8 * a + 2.6),
    "a threshold": lambda random, a, _: a + 0.5 * random.normal(size=len(a)) > 0.3,
    "a habit of theirs": lambda random, a, _: random.normal(size=len(a)) + 0.3 * a > 0.7,
}


def honest_seed(panel: Panel, name: str, random: Random) -> Panel:
    """People at one moment, and who is in an honest seed of a kind."""
    known = [
        _standard(panel.measured[:, panel.features.index(one)]) for one in ("spent", "views_90d")
    ]
    return replace(panel, label=HONEST[name](random, *known).astype(np.float64))


def _standard(column: Floats) -> Floats:
    drawn_in = np.log1p(np.maximum(column, 0))
    return np.asarray((drawn_in - drawn_in.mean()) / drawn_in.std())


def rule_seed(panel: Panel, conditions: int, random: Random, *, is_any: bool) -> Panel:
    """The same of a rule of so many conditions, drawn until there are enough in it and outside."""
    known = np.where(np.isnan(panel.measured), -1.0, panel.measured)
    while True:
        columns = known[:, random.choice(known.shape[1], conditions, replace=False)].T
        share = 0.55 ** (1 / conditions)
        low = share if is_any else 1 - share
        places = np.clip(random.normal(low, 0.08, conditions), 0.05, 0.95)
        passed = np.array(
            [one > np.quantile(one, q) for one, q in zip(columns, places, strict=True)]
        )
        label = passed.any(axis=0) if is_any else passed.all(axis=0)
        alone = [float((label == one).mean()) for one in passed]
        if min(label.sum(), (~label).sum()) >= LEAST and max(alone) < 0.98:
            return replace(panel, label=label.astype(np.float64))


def is_refused(panel: Panel) -> bool:
    """Whether a look-alike of it abstains, for it would repeat the seed."""
    try:
        resemble(panel)
    except AbstainedError:
        return True
    return False
