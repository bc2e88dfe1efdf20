"""Computed traits: most are trees of the language; three gather what one aggregate cannot hold."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from stamgast.moments import iso_of
from stamgast.segments.definitions import ComputedTrait, Making
from stamgast.segments.language.days import day_of
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    As,
    Clock,
    DaysBetween,
    Field,
    Function,
    Node,
    Type,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.values import number_of
from stamgast.segments.language.view import Document, Reader, View
from stamgast.segments.language.windows import bounds_of
from stamgast.segments.rhythm import rhythm_of

FUNCTIONS: Mapping[Making, Function] = {
    Making.COUNT: Function.COUNT,
    Making.SUM: Function.SUM,
    Making.AVERAGE: Function.AVG,
    Making.MINIMUM: Function.MIN,
    Making.MAXIMUM: Function.MAX,
    Making.FIRST: Function.FIRST,
    Making.LAST: Function.LAST,
    Making.UNIQUE_COUNT: Function.COUNT_DISTINCT,
}
GATHERED = frozenset({Making.MOST_FREQUENT, Making.UNIQUE_LIST, Making.USUAL_INTERVAL})
AT = Field(("event_at",), Type.MOMENT)
Item = tuple[bool, float, bool, str, bool, bool]
"""A value as it sorts: numbers by size, then texts by code points, then false and true."""


def node_of(trait: ComputedTrait) -> Node | None:
    """The tree of a trait over a person; None for one that is gathered."""
    match trait.making:
        case Making.EXPRESSION:
            return trait.of
        case Making.DAYS_SINCE:
            latest = Aggregate(Function.MAX, AT, trait.where, trait.window)
            return DaysBetween(Clock(Type.DATE), As(Type.DATE, latest))
        case Making.SHARE:
            part = [one for one in (trait.where, trait.matching) if one is not None]
            matching = part[0] if len(part) == 1 else And(tuple(part))
            return Arithmetic("/", _count(trait, matching), _count(trait, trait.where))
        case making if making in GATHERED:
            return None
    return Aggregate(FUNCTIONS[trait.making], trait.of, trait.where, trait.window)


def _count(trait: ComputedTrait, where: Node | None) -> Node:
    return Aggregate(Function.COUNT, None, where, trait.window)


@dataclass(slots=True)
class _Tally:
    """How often a value came, and when last."""

    often: int = 0
    latest: tuple[int, str] = (0, "")
    value: Any = None

    def add(self, place: tuple[int, str], value: Any) -> None:
        self.often += 1
        if self.often == 1 or place > self.latest:
            self.latest = place
        self.value = value


@dataclass(frozen=True, slots=True)
class _Compiled:
    trait: ComputedTrait
    reader: Reader | None
    where: Reader | None
    of: Reader | None

    def gathered(self, view: View, events: Sequence[Document]) -> Any:
        passed = list(self._passed(view, events))
        if self.trait.making is Making.USUAL_INTERVAL:
            rhythm = rhythm_of(day_of(event["event_at"], view.now.zone) for event in passed)
            usual = None if rhythm is None else rhythm.usual_days
            return None if usual is None else float(usual)
        tallies = self._tallies(view, passed)
        is_often = self.trait.making is Making.MOST_FREQUENT
        ranked = sorted(tallies, key=lambda item: _rank(item, tallies[item], is_often))
        values = [tallies[item].value for item in ranked]
        if is_often:
            return values[0] if values else None
        return values[: self.trait.limit] or None

    def _passed(self, view: View, events: Iterable[Document]) -> Iterator[Document]:
        start, end = bounds_of(self.trait.window, view.now)
        for event in events:
            view.event = event
            if start <= event["event_at"] < end and (
                self.where is None or self.where(view) is True
            ):
                yield event

    def _tallies(self, view: View, events: Iterable[Document]) -> Mapping[Item, _Tally]:
        tallies: dict[Item, _Tally] = defaultdict(_Tally)
        of, kind = self.of, Type.ANY if self.trait.of is None else type_of(self.trait.of)
        for event in events:
            view.event = event
            told = None if of is None else of(view)
            for value in told if isinstance(told, list | tuple) else (told,):
                said = _said(value, kind)
                if said is not None:
                    place = (event["event_at"], event["message_key"])
                    tallies[_item(said)].add(place, said)
        return tallies


def _rank(item: Item, tally: _Tally, is_often: bool) -> tuple[int, int, "_Descending", Item]:
    ms, key = tally.latest
    return (-tally.often if is_often else 0, -ms, _Descending(key), item)


@dataclass(frozen=True, slots=True)
class _Descending:
    """A text that sorts the other way round."""

    text: str

    def __lt__(self, other: "_Descending") -> bool:
        return other.text < self.text


def _said(value: Any, kind: Type) -> float | str | bool | None:
    """The value as JSON has it; lists in lists and objects are no values to tell apart."""
    if value is None or isinstance(value, bool | str):
        return value
    if kind is Type.MOMENT:
        return iso_of(value)
    if isinstance(value, date):
        return value.isoformat()
    number = number_of(value)
    return None if number is None else number + 0.0


def _item(value: float | str | bool) -> Item:
    if isinstance(value, bool):
        return (True, 0.0, True, "", False, value)
    if isinstance(value, str):
        return (True, 0.0, False, value, True, False)
    return (False, value, True, "", True, False)


class TraitBook:
    """Every computed trait compiled once; computes all of them for one person."""

    def __init__(self, traits: Iterable[ComputedTrait]) -> None:
        self._traits = tuple(_compiled(trait) for trait in traits)

    def evaluate(self, view: View, events: Sequence[Document]) -> dict[str, Any]:
        """The traits as JSON has them; None where the events say nothing.

        `events` are those of the view's history, in any order, each message once.
        """
        return {
            one.trait.name: json_of(one.reader(view), one.trait.type)
            if one.reader
            else one.gathered(view, events)
            for one in self._traits
        }


def _compiled(trait: ComputedTrait) -> _Compiled:
    def read(node: Node | None) -> Reader | None:
        return None if node is None else reader_of(node)

    return _Compiled(trait, read(node_of(trait)), read(trait.where), read(trait.of))


def json_of(value: Any, kind: Type) -> Any:
    """A value of a trait as JSON has it."""
    if value is None or kind is not Type.MOMENT:
        return value.isoformat() if isinstance(value, date) else value
    return iso_of(value)
