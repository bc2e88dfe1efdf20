"""Every live rule and trait of one person at one moment, as far as the person's items know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stamgast.profile.facts import Facts
from stamgast.segments.computed import json_of
from stamgast.segments.language.view import View
from stamgast.segments.language.windows import Now
from stamgast.segments.live.columns import columns_of
from stamgast.segments.live.history import Counted, LiveHistory, NotKnownError
from stamgast.segments.live.plan import LivePlan


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Membership by segment and traits by name; what is not known is left to the last run."""

    is_in: Mapping[str, bool] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)


class _Known(dict[str, bool]):
    """Segments that were decided; asking for another one is asking for what is not known."""

    def __missing__(self, name: str) -> bool:
        raise NotKnownError(name)


class _Sure(dict[str, Any]):
    """Values of which every one that is missing is not null but not known."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value; raises NotKnownError."""
        if name in self:
            return super().get(name, default)
        raise NotKnownError(name)


def verdicts_of(
    plan: LivePlan, person_id: str, facts: Facts, counted: Counted, now_ms: int
) -> Verdicts:
    """What holds of a person now, by the facts and counts of all anchors of the person."""
    computed = _Sure()
    columns = {**columns_of(person_id, facts), "computed": computed}
    if counted.is_full:
        columns["orders"] = _Sure()
    now = Now(now_ms, plan.zone)
    view = View(columns, LiveHistory(plan, counted), now, is_in=_Known())
    traits = {}
    for trait in plan.traits:
        try:
            computed[trait.name] = trait.reader(view)
        except NotKnownError:
            continue
        traits[trait.name] = json_of(computed[trait.name], trait.type)
    for rule in plan.rules:
        try:
            view.is_in[rule.name] = rule.reader(view) is True
        except NotKnownError:
            continue
    return Verdicts(dict(view.is_in), traits)
