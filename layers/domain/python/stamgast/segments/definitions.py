"""Segments and computed traits as a workspace's document tells them, decoded when they are used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stamgast.segments.language.codec import from_json, of_document, to_json
from stamgast.segments.language.rules import Rule, RuleBook, rule_of_document
from stamgast.segments.language.tree import TREE_VERSION, Lifetime, Node, Type, Window

Document = Mapping[str, Any]
LIFETIME = Lifetime()


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its rule as a tree and as it was written, and what it is for.

    A live rule holds at the moment of asking; `why_not_live` says why another one waits for runs.
    """

    rule: Rule
    text: str
    title: str
    description: str = ""
    purpose: str | None = None
    owner: str | None = None
    is_live: bool = False
    why_not_live: str | None = None

    @property
    def name(self) -> str:
        """The name by which everything knows the segment."""
        return self.rule.name


class Making(StrEnum):
    """How a computed trait is made."""

    EXPRESSION = "expression"
    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    FIRST = "first"
    LAST = "last"
    MOST_FREQUENT = "most_frequent"
    UNIQUE_LIST = "unique_list"
    UNIQUE_COUNT = "unique_count"
    DAYS_SINCE = "days_since"
    USUAL_INTERVAL = "usual_interval"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class ComputedTrait:
    """What is computed of a person's events, or of the profile's columns (`EXPRESSION`).

    `of` is a value of each event, or of the person; `where` says which events count; `matching`,
    of a share, which of those belong to it. `limit` bounds a unique list.
    """

    name: str
    making: Making
    type: Type
    version: str
    of: Node | None = None
    where: Node | None = None
    matching: Node | None = None
    window: Window = LIFETIME
    limit: int = 20
    description: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The trait as JSON."""
        trees = ("of", "where", "matching", "window")
        return {
            "name": self.name,
            "making": self.making.value,
            "type": self.type.value,
            "version": self.version,
            "description": self.description,
            "limit": self.limit,
            "tree": TREE_VERSION,
            **{name: to_json(getattr(self, name)) for name in trees},
        }


def segments_of(told: Iterable[Document]) -> tuple[Segment, ...]:
    """The segments of a workspace's document, each after those that it rests on."""
    return tuple(_segment(one) for one in told)


def _segment(told: Document) -> Segment:
    words = {name: told[name] for name in ("text", "title", "description", "purpose", "owner")}
    live = {"is_live": told.get("live", False), "why_not_live": told.get("why_not_live")}
    return Segment(rule_of_document(told), **words, **live)


def book_of(segments: Iterable[Segment]) -> RuleBook:
    """All rules, compiled for evaluating one person at a time."""
    return RuleBook(tuple(segment.rule for segment in segments))


def computed_traits_of(told: Iterable[Document]) -> tuple[ComputedTrait, ...]:
    """The computed traits of a workspace's document."""
    return tuple(_computed(one) for one in told)


def _computed(told: Document) -> ComputedTrait:
    def tree(name: str) -> Any:
        version = {"tree": told["tree"], "rule": told[name]}
        return None if told[name] is None else of_document(version)

    return ComputedTrait(
        name=told["name"],
        making=Making(told["making"]),
        type=Type(told["type"]),
        version=told["version"],
        of=tree("of"),
        where=tree("where"),
        matching=tree("matching"),
        window=from_json(told["window"]),
        limit=told["limit"],
        description=told["description"],
    )
