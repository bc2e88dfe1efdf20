"""What a model of some features expects of people that it has not seen, for its own judgement."""

from collections.abc import Sequence

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.alone import are_told, half_of
from stamgast_learn.predict.estimate import fit
from stamgast_learn.predict.panel import Panel


def expected(view: Panel, names: Sequence[str]) -> Floats:
    """What a model of these features says of each row, learnt of the other half of the people."""
    labels, half = view.label == 1, half_of(view.person)
    told = np.full(len(view), float(labels.mean()))
    columns = view.measured[:, [view.features.index(name) for name in names]]
    for held in (half, ~half) if names else ():
        if held.any() and are_told(labels[~held]):
            told[held] = fit(columns[~held], labels[~held]).scores(columns[held])
    return told


def odds_of(share: float) -> float:
    """Log-odds, kept off the ends."""
    bounded = min(max(share, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))
