"""Features that know the outcome: made, or noted, after the cut-off, whatever date they bear.

A feature that is all but the outcome leaks for certain, and no figure of a model with it means
anything. One that tells more than a past can tell is suspected: the model is judged and not used,
unless somebody who knows the feature allows it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np

from stamgast.models.features import BY_LIST
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.alone import few, plain_order
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.questions import questions
from stamgast_learn.predict.suspects import suspects

TOO_GOOD = 0.99
"""A single feature that orders people this well knows the outcome: it was made after it."""
ENOUGH_TO_SEE = 50_000
OF_LISTS = f"{BY_LIST} is whom a list that bears no times joined: load it with its times"


class Bounds(Protocol):
    """What is needed of an order."""

    @property
    def within_days(self) -> int:
        """The horizon."""
        ...

    @property
    def allowed(self) -> tuple[str, ...]:
        """Features that are used though suspected."""
        ...


@dataclass(frozen=True, slots=True)
class Leak:
    """A feature that knows the outcome, or is suspected of it, and the reason in words."""

    feature: str
    is_certain: bool
    why: str


def told_leaks(
    panel: Panel, order: Bounds, report: dict[str, Any], now: Panel | None = None
) -> tuple[Leak, ...]:
    """Those suspected and not allowed; the report gets every leak, and what to ask about.

    Raises AbstainedError where one is certain.
    """
    told: dict[str, Leak] = {}
    panel, now = with_list(panel), None if now is None else with_list(now)
    views = outcomes(panel)
    for one in (one for view in views for one in leaks(view, order.within_days, now)):
        told.setdefault(one.feature, _explained(one))
    found = sorted(told.values(), key=lambda one: not one.is_certain)
    report["leaks"] = [
        {**asdict(one), "is_allowed": not one.is_certain and one.feature in order.allowed}
        for one in found
    ]
    if any(one.is_certain for one in found):
        raise AbstainedError("; ".join(one.why for one in found if one.is_certain))
    report["questions"] = asked(views[0], order, [one.feature for one in found], now)
    return tuple(one for one in found if one.feature not in order.allowed)


def _explained(one: Leak) -> Leak:
    return replace(one, why=f"{one.why}. {OF_LISTS}") if one.feature == BY_LIST else one


def with_list(panel: Panel) -> Panel:
    """The panel, and among its features whether a list without times joined a person, if any did.

    A model does not learn of it, but of histories that such a list made whole.
    """
    if panel.listed is None:
        return panel
    had_come = panel.received
    return replace(
        panel,
        features=(*panel.features, BY_LIST),
        measured=np.column_stack([panel.measured, panel.listed]),
        received=None if had_come is None else np.column_stack([had_come, panel.listed]),
    )


def asked(
    panel: Panel, order: Bounds, suspected: Sequence[str], now: Panel | None = None
) -> list[dict[str, str]]:
    """Each feature to ask about that is neither suspected nor allowed, and why."""
    known = {*suspected, *order.allowed}
    names = [name for name in panel.features if name not in known]
    told = questions(panel, names, order.within_days, now) if len(panel) else ()
    return [{"feature": name, "why": why} for name, why in told]


OF_OUTCOMES = "knowing the outcome", "it was known at the cut-off"
OF_SEEDS = (
    "being part of the seed's rule, or noted because of it (the outcome is being in the seed)",
    "people outside the seed have it for the same reasons",
)
"""What a feature is suspected of, and what speaks against it."""


def require_unsuspected(found: Sequence[Leak], of: tuple[str, str] = OF_OUTCOMES) -> None:
    """Raises AbstainedError with the reason for each suspicion `of` what, and what can be done."""
    if found:
        names = ", ".join(one.feature for one in found)
        raise AbstainedError(
            f"suspected of {of[0]}: {'; '.join(one.why for one in found)}. Take it out,"
            f" or, if {of[1]}, say `allow: [{names}]`"
        )


def outcomes(panel: Panel) -> tuple[Panel, ...]:
    """The panel, its outcome yes or no: of money whether any came, and more than was usual.

    A feature may know how much is spent where nearly everybody spends.
    """
    if bool(np.isin(panel.label, (0.0, 1.0)).all()):
        return (panel,)
    usual = float(np.median(panel.label[panel.label > 0])) if (panel.label > 0).any() else 0.0
    labels = (panel.label > least for least in (0.0, usual))
    return tuple(replace(panel, label=one.astype(np.float64)) for one in labels)


def leaks(panel: Panel, within_days: int, now: Panel | None = None) -> tuple[Leak, ...]:
    """Every feature that leaks, the certain ones first, each once; `now` are people to score."""
    certain = telling_features(panel)
    told = {name: Leak(name, is_certain=True, why=_certain(name)) for name in certain}
    rest = [name for name in panel.features if name not in certain]
    for name, why in suspects(panel, rest, within_days, now) if len(panel) else ():
        told.setdefault(name, Leak(name, is_certain=False, why=why))
    return tuple(told.values())


def telling_features(panel: Panel) -> tuple[str, ...]:
    """The features each of which, by its value or by having one, all but tells the outcome.

    At any cut-off: what was noted when it came tells of later outcomes, too, so that over all
    cut-offs people who have it are many to whom nothing comes yet.
    """
    labels = panel.label == 1
    masks = [panel.cut_on == cut for cut in panel.cuts] + [panel.cut_on > -1]
    views = [few(one, ENOUGH_TO_SEE) for one in masks]
    told = zip(panel.features, panel.measured.T, strict=True)
    return tuple(
        name
        for name, column in told
        if any(plain_order(column[rows], labels[rows]) >= TOO_GOOD for rows in views)
    )


def _certain(name: str) -> str:
    return (
        f"feature {name} alone orders people with an area under the curve of {TOO_GOOD} or"
        " more: it knows the outcome, so it was made after the cut-off; take it out"
    )
