"""What a workspace lets live: its rules and traits, and the measures that they are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from stamgast.segments.computed import node_of
from stamgast.segments.definitions import computed_traits_of
from stamgast.segments.language.history import EventHistory
from stamgast.segments.language.partial import one
from stamgast.segments.language.reading import key_of, measure_of, reader_of
from stamgast.segments.language.rules import Rule, nodes_of, rule_of_document
from stamgast.segments.language.tree import (
    Aggregate,
    Did,
    DidNotSince,
    Field,
    Function,
    Hours,
    Lifetime,
    Node,
    Type,
    Window,
)
from stamgast.segments.language.view import Document, Measure, Reader, View
from stamgast.segments.language.windows import Now
from stamgast.segments.live.documents import document_of
from stamgast.segments.live.states import packed, says_nothing

if TYPE_CHECKING:
    from stamgast.identity.event import Event
    from stamgast.workspace.model import Workspace

AT = Field(("event_at",), Type.MOMENT)
ID_LENGTH = 8
Told = tuple[tuple[int, str, object], ...]
"""What an event adds to measures: place of the measure, currency or nothing, packed state."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A measure that bases and tails keep, and the windows in which rules ask for it.

    `id` is short for the filter, the value and the time zone whose days are counted.
    """

    id: str
    measure: Measure
    windows: tuple[Window, ...]

    @property
    def hours(self) -> int:
        """The longest of its windows in hours; 0 without one."""
        return max((w.hours for w in self.windows if isinstance(w, Hours)), default=0)


@dataclass(frozen=True, slots=True)
class LiveTrait:
    """A computed trait that is live."""

    name: str
    type: Type
    reader: Reader


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule that is live."""

    name: str
    version: str
    reader: Reader


@dataclass(frozen=True, slots=True)
class LivePlan:
    """Everything live of one workspace, compiled; `id` names the set of measures."""

    id: int
    zone: ZoneInfo
    rules: tuple[LiveRule, ...]
    traits: tuple[LiveTrait, ...]
    tracked: tuple[Tracked, ...]
    places: Mapping[str, int] = field(repr=False)
    ends: Mapping[str, tuple[Measure, ...]] = field(repr=False)
    """The measures that a funnel is asked as, by its key; those of several steps are not here."""

    @property
    def has_rules(self) -> bool:
        """Whether any segment is live."""
        return bool(self.rules)

    @property
    def asks(self) -> bool:
        """Whether anything at all is live."""
        return bool(self.rules or self.traits)

    def told_of(self, event: "Event") -> Told:
        """What an event adds to each measure, under the filters of this plan."""
        if not self.tracked:
            return ()
        document = document_of(event)
        view = View({}, EventHistory(()), Now(event.event_ms, self.zone), event=document)
        return tuple(self._told(view, document))

    def _told(self, view: View, event: Document) -> Iterator[tuple[int, str, object]]:
        for place, tracked in enumerate(self.tracked):
            measure, node = tracked.measure, tracked.measure.node
            if measure.where is not None and measure.where(view) is not True:
                continue
            currency = currency_key(node, event)
            if currency is None:
                continue
            value = None if measure.of is None else measure.of(view)
            state = one(node.function, event["event_at"], event["message_key"], value)
            if not says_nothing(node, state):
                yield place, currency, packed(node, state)


def currency_key(node: Aggregate, event: Document) -> str | None:
    """Under which currency an event counts: none matters, its order's, or not at all."""
    if not node.is_principal:
        return ""
    order = event["order"]
    return None if order is None else str(order["currency"])


@dataclass(frozen=True, slots=True)
class _Source:
    """What a plan is made of; equal to another one that names the same versions."""

    zone: str
    versions: tuple[tuple[str, str], ...]
    rules: Sequence[Mapping[str, Any]] = field(compare=False)
    traits: Sequence[Mapping[str, Any]] = field(compare=False)


def plan_of(workspace: "Workspace") -> LivePlan:
    """The plan of a workspace, compiled once for each version of its live rules and traits."""
    rules = [one for one in workspace.segments if one.get("live")]
    traits = [one for one in workspace.traits if one.get("live")]
    versions = tuple((one["name"], one["version"]) for one in (*rules, *traits))
    return _plan(_Source(workspace.time_zone, versions, rules, traits))


@lru_cache(maxsize=4)
def _plan(source: _Source) -> LivePlan:
    rules = [rule_of_document(one) for one in source.rules]
    nodes = [(trait, node_of(trait)) for trait in computed_traits_of(source.traits)]
    traits = [(trait, node) for trait, node in nodes if node is not None]
    trees = [*(rule.tree for rule in rules), *(node for _, node in traits)]
    tracked = _tracked(trees, source.zone)
    names = "\n".join(one.id for one in tracked)
    return LivePlan(
        id=int.from_bytes(sha256(names.encode()).digest()[:4]) or 1,
        zone=ZoneInfo(source.zone),
        rules=tuple(_rule(rule) for rule in rules),
        traits=tuple(LiveTrait(t.name, t.type, reader_of(node)) for t, node in traits),
        tracked=tracked,
        places={one.measure.key: place for place, one in enumerate(tracked)},
        ends=_ends(trees),
    )


def _ends(trees: Iterable[Node]) -> dict[str, tuple[Measure, ...]]:
    funnels = [n for tree in trees for n in nodes_of(tree) if isinstance(n, (Did, DidNotSince))]
    asked = {key_of(funnel): aggregates_of(funnel) for funnel in funnels}
    return {key: tuple(measure_of(one) for one in told) for key, told in asked.items() if told}


def _rule(rule: Rule) -> LiveRule:
    return LiveRule(rule.name, rule.version, reader_of(rule.tree))


def _tracked(trees: Iterable[Node], zone: str) -> tuple[Tracked, ...]:
    """Every measure of the trees, sorted by its key, with all windows in which it is asked."""
    windows: dict[str, list[Window]] = {}
    measures: dict[str, Measure] = {}
    for tree in trees:
        for node in nodes_of(tree):
            for asked in aggregates_of(node):
                measure = measure_of(replace(asked, window=Lifetime(), at=0))
                measures[measure.key] = measure
                windows.setdefault(measure.key, []).append(asked.window)
    return tuple(
        Tracked(
            sha256(f"{zone}\n{key}".encode()).hexdigest()[:ID_LENGTH],
            measures[key],
            tuple(dict.fromkeys(windows[key])),
        )
        for key in sorted(measures)
    )


def aggregates_of(node: object) -> tuple[Aggregate, ...]:
    """The aggregates in which a node is asked: itself, or the ends of a funnel of one step."""
    match node:
        case Aggregate():
            return (node,)
        case Did((step,), _, window):
            return (Aggregate(Function.COUNT, None, step, window),)
        case DidNotSince(did, lacking, window):
            return (
                Aggregate(Function.MAX, AT, did, window),
                Aggregate(Function.MAX, AT, lacking, Lifetime()),
            )
    return ()
