"""Features that tell nothing of people now: what knows the outcome cannot know one yet to come.

Where people are scored the outcome lies ahead, and whatever is noted when it comes is not noted
yet. An honest sign is there as ever, one of the moment, too. How many a feature tells it will come
to is a matter of its values alone: Forman (2008), adjusted count, by the rate at each value, as in
Bella et al. (2010).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from stamgast.models.features import DEFAULT_FEATURES
from stamgast_learn.predict.alone import codes, column_of, few, least_skill, rates
from stamgast_learn.predict.in_time import Told
from stamgast_learn.predict.panel import Panel

ENOUGH_TO_SEE, LEAST_PEOPLE, LEAST_CUTS = 20_000, 100, 4
TELLING = 0.62
"""Below this area a feature's values tell too little of how many it will come to."""
STEADY = 1.5
"""At past cut-offs what was told is what came, up or down by this."""
FRESH_DAYS = 1.0
GONE, DEVIATIONS = 0.5, 2.58
"""Of the newest rate so little is told of people now, with 99.5 % of it below."""


def vanished(panel: Panel, now: Panel | None, names: Sequence[str]) -> Iterator[Told]:
    """Features that told the outcome at every past cut-off, and tell almost none of people now.

    None where nobody was seen on the last day, or where what everybody's events make does so, too:
    then events ended before, and nothing is known of people now.
    """
    if len(panel.cuts) >= LEAST_CUTS:
        yield from gone(panel, now, names)


def gone(panel: Panel, now: Panel | None, names: Sequence[str]) -> Iterator[Told]:
    """The same, however few cut-offs there are to say whether a feature was steady."""
    if now is None or len(now) < LEAST_PEOPLE or _have_ended(now):
        return
    view = panel.at(few(panel.cut_on > -1, ENOUGH_TO_SEE))
    told = {name: _told(view, now, name) for name in names}
    found = {name: share for name, share in told.items() if share is not None}
    if found.keys() & DEFAULT_FEATURES.keys():
        return
    rate = _rate(panel, int(panel.cuts[-1]))
    for name, share in found.items():
        yield name, _words(name, share, rate)


def _have_ended(now: Panel) -> bool:
    return now.quiet_days is not None and bool((now.quiet_days > FRESH_DAYS).all())


def _told(view: Panel, now: Panel, name: str) -> float | None:
    """To which share of people now a feature tells that it comes; None where that is no wonder."""
    if least_skill(view, column_of(view, name)) < TELLING or not _was_steady(view, name):
        return None
    share, deviation = implied(view, now, name)
    is_gone = share + DEVIATIONS * deviation <= GONE * _rate(view, int(view.cuts[-1]))
    return max(share, 0.0) if is_gone else None


def _was_steady(view: Panel, name: str) -> bool:
    """Whether older cut-offs told of each later one to how many it came."""
    for cut in view.cuts[2:]:
        share, _ = implied(view.at(view.cut_on < cut), view.at(view.cut_on == cut), name)
        if not 1 / STEADY <= share / max(_rate(view, int(cut)), 1e-9) <= STEADY:
            return False
    return True


def implied(known: Panel, asked: Panel, name: str) -> tuple[float, float]:
    """To which share of the asked people the outcome comes by one feature, and its deviation.

    Where everybody was known by the feature, somebody who is not is as those to whom it did not.
    """
    of, came = column_of(known, name), known.label == 1
    places, here = codes(of), codes(column_of(asked, name), of)
    told = rates(places, came, 1 + max(int(places.max()), int(here.max())))
    with_it, without = (told[places[rows]] for rows in (came, ~came))
    span, stated = float(with_it.mean() - without.mean()), told[here]
    if not np.isnan(of).any():
        stated = np.where(np.isnan(column_of(asked, name)), without.mean(), stated)
    if span <= 0:
        return float(came.mean()), float("inf")
    spread = stated.var() / len(stated) + without.var() / len(without)
    return float(stated.mean() - without.mean()) / span, float(np.sqrt(spread)) / span


def _rate(panel: Panel, cut: int) -> float:
    return float((panel.label[panel.cut_on == cut] == 1).mean())


def _words(name: str, share: float, rate: float) -> str:
    return (
        f"feature {name} told at every past cut-off to how many the outcome would come, and tells"
        f" {share:.0%} of people now, where it came to {rate:.0%} last: it is noted when the"
        " outcome comes, or recorded no more"
    )
