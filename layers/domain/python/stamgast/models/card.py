"""What a card says of a model beside its figures: what it predicts, of whom, from what, since when.

Figures come from its judgement (`report`), from the people it scored (`now`), from how far these
moved since it was trained (`drift`), and from what came true since (`realised`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from stamgast.consent.purposes import PROFILING
from stamgast.models.declaration import Kind, Model
from stamgast.models.money import is_in_money
from stamgast.moments import iso_of

LIMITS = (
    (
        "Propensity, churn, lifetime value, uplift and drivers are learnt of persons as"
        " identity knew them at each cut-off; all other kinds of those that it knows today."
    ),
    (
        "What is stated holds for a time like the newest cut-off: before a season, a sale or"
        " another offer, look how far its cut-offs lie apart."
    ),
    "Of features that tell the same, the reasons name the one that was split on first.",
    "Who was scored high was often treated differently since; outcomes include that treatment.",
)
UNCOMPARED = (Kind.LOOK_ALIKE, Kind.DISCOUNT, Kind.UPLIFT, Kind.CLUSTERS)
SAID = ("title", "description", "within_days", "seed", "purpose")


def about(
    model: Model,
    moment_ms: int,
    scored_on: date,
    learnt_on: Sequence[date],
    history_days: int,
    known: Mapping[str, Any] | None = None,
    amounts: Mapping[str, Any] | None = None,
    drawn: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """The card's own words, before any figure.

    `known` is how much of what happened had come by the newest cut-off; `amounts` which features
    are money, in which currency, and how many people pay in which; `drawn` how many people were
    learnt of, and of how many, where these are not all.
    """
    return {
        "model": model.name,
        "kind": model.kind.value,
        "definition": model.version,
        **{name: getattr(model, name) for name in SAID},
        **{name: model.texts.get(name) for name in ("target", "population", "exclude")},
        "settings": dict(model.settings),
        "is_contractual": "ends" in model.rules,
        "features": {feature.name: feature.text for feature in model.features},
        "as_of": iso_of(moment_ms),
        "scored_on": str(scored_on),
        "learnt_on": [str(day) for day in learnt_on],
        "history_days": history_days,
        "known": known,
        "amounts": amounts,
        "limits": [*LIMITS, *_alone(model), *_drawn(drawn), *_mixed(model, amounts)],
        "not_scored": list(not_scored(model)),
    }


def _alone(model: Model) -> Iterator[str]:
    """Of kinds whose versions are judged by what needs no model, and not beside each other."""
    if model.kind in UNCOMPARED:
        yield "A new version that passes takes over: it is not compared with the one in use."


def _drawn(people: tuple[int, int] | None) -> Iterator[str]:
    """That not everybody was learnt of, where there were too many."""
    if people is not None:
        taken, of = people
        yield f"Learnt of {taken:,} of {of:,} people, drawn by a hash of their ids."


def _mixed(model: Model, amounts: Mapping[str, Any] | None) -> Iterator[str]:
    """What an outcome with an amount means where people pay in several currencies."""
    if amounts and len(amounts["people"]) > 1 and is_in_money(model.target):
        yield "The target compares amounts of each order in its own currency, whichever that is."


def not_scored(model: Model) -> Iterator[str]:
    """Who is not learnt of and not scored, in words; what nobody declared is said, too."""
    if model.kind is Kind.DRIVERS:
        yield "Nobody is scored."
    yield f"Whoever objects to {PROFILING}."
    if model.purpose is None:
        yield "It names no purpose, so nobody's consent is asked."
    else:
        yield f"Whoever does not allow {model.purpose}."
    if model.exclude is None:
        yield "No rule under `exclude`, so minors are not told apart from others."
    else:
        yield f"Whoever passes `{model.texts.get('exclude')}`."
    if model.seed is not None:
        yield f"Whoever is in segment {model.seed}."
