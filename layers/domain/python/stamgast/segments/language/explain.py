"""Why somebody is in a segment or is not: the conditions that decide, and what would flip them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from stamgast.moments import iso_of
from stamgast.segments.language.columns import OF_HABIT
from stamgast.segments.language.flips import Change, Flip, flip_of
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.render import rendered
from stamgast.segments.language.rules import nodes_of
from stamgast.segments.language.steps import latest_of_steps
from stamgast.segments.language.tree import (
    Aggregate,
    And,
    As,
    Column,
    Compare,
    Contains,
    Did,
    DidNotSince,
    InSegment,
    Is,
    Like,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Type,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.unknowns import MayTell, unknown_because
from stamgast.segments.language.values import finite
from stamgast.segments.language.view import View

EVENTS = "timeline"
SCOPES: Mapping[tuple[str, ...], str] = {
    ("first_at",): "first_seen_at",
    ("last_at",): "last_seen_at",
}
MaySee = Callable[[str], bool]
"""Whether a path such as `traits.city`, `segments.loyal` or `timeline` may be told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A value as it was seen: JSON, moments as ISO 8601; hidden from who may not see it."""

    what: str
    value: Any
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """A condition that decides: its verdict (None is null), what it saw, what would flip it.

    `behind` explains the other segment that the condition asks for.
    """

    condition: str
    verdict: bool | None
    seen: tuple[Seen, ...]
    would_flip: str
    change: Change | None = None
    unknown_because: tuple[str, ...] = ()
    behind: "Explanation | None" = None

    @property
    def document(self) -> dict[str, Any]:
        """The reason as JSON."""
        return {
            "condition": self.condition,
            "verdict": self.verdict,
            "seen": [asdict(seen) for seen in self.seen],
            "would_flip": self.would_flip,
            "change": None if self.change is None else asdict(self.change),
            "unknown_because": list(self.unknown_because),
            "behind": None if self.behind is None else self.behind.document,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether the rule is true of somebody, and the reasons.

    Of a member: every condition that it rests on. Of anybody else: the first condition that
    failed, and where alternatives are joined by `or`, the first one of each.
    """

    is_in: bool
    verdict: bool | None
    reasons: tuple[Reason, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The explanation as JSON."""
        return {
            "is_in": self.is_in,
            "verdict": self.verdict,
            "reasons": [one.document for one in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class Asking:
    """What the one who asks may see, and the rules of the segments that a rule may rest on."""

    may_see: MaySee = field(default=lambda _: True)
    rules: Mapping[str, Node] = field(default_factory=dict)

    def may_tell(self, node: Node) -> bool:
        """Whether every value that a node is made of may be told."""
        return all(self.may_see(path) for path in paths_of(node))


def explained(tree: Node, view: View, asking: Asking | None = None) -> Explanation:
    """Why the rule is true of the person in the view, or why it is not.

    `view.is_in` must know the segments that the rule names (`RuleBook.evaluate` fills it).
    """
    asking = asking or Asking()
    verdict = _verdict(tree, view)
    is_in = verdict is True
    leaves = _holding(tree, True, view) if is_in else _failing(tree, True, view)
    reasons = [
        _reason(leaf, not wanted if is_in else wanted, view, asking) for leaf, wanted in leaves
    ]
    return Explanation(is_in, verdict, tuple(reasons))


def paths_of(node: Node) -> set[str]:
    """The fields of a profile that a node is made of; events are the timeline."""
    found = set()
    for part in nodes_of(node):
        match part:
            case Column((root, *_)) if root in OF_HABIT:
                found.add(EVENTS)
            case Column():
                found.add(_scope_of(part.path))
            case Aggregate() | Did() | DidNotSince():
                found.add(EVENTS)
            case InSegment():
                found.add(f"segments.{part.name}")
    return found


def _scope_of(path: tuple[str, ...]) -> str:
    """A column's field as readers' scopes name it; a consent is what the trait of it tells."""
    if path[0] == "consent":
        return ".".join(("traits", *path))
    return SCOPES.get(path, ".".join(path))


Leaves = Iterator[tuple[Node, bool]]


def _verdict(node: Node, view: View) -> bool | None:
    told: bool | None = reader_of(node)(view)
    return told


def _holding(node: Node, told: bool, view: View) -> Leaves:
    """The conditions by which a node is what it is told to be."""
    match node:
        case Not():
            yield from _holding(node.of, not told, view)
        case And() | Or() if isinstance(node, And) is told:
            for part in node.parts:
                yield from _holding(part, told, view)
        case And() | Or():
            first = next(part for part in node.parts if _verdict(part, view) is told)
            yield from _holding(first, told, view)
        case _:
            yield node, told


def _failing(node: Node, wanted: bool, view: View) -> Leaves:
    """The conditions by which a node is not what is wanted; each with what is wanted of it."""
    match node:
        case Not():
            yield from _failing(node.of, not wanted, view)
        case And() | Or() if isinstance(node, And) is wanted:
            first = next(part for part in node.parts if _verdict(part, view) is not wanted)
            yield from _failing(first, wanted, view)
        case And() | Or():
            for part in node.parts:
                yield from _failing(part, wanted, view)
        case _:
            yield node, wanted


def _reason(node: Node, wanted: bool, view: View, asking: Asking) -> Reason:
    flip: Flip = flip_of(node, wanted, view, asking.may_tell)
    return Reason(
        condition=rendered(node),
        verdict=_verdict(node, view),
        seen=_seen_of(node, view, asking),
        would_flip=flip.words,
        change=flip.change,
        unknown_because=_unknown(node, view, asking.may_tell),
        behind=_behind(node, view, asking),
    )


def _unknown(node: Node, view: View, may_tell: MayTell) -> tuple[str, ...]:
    """Why the condition, or the value that `is true` and its like ask for, is null."""
    of = node.of if isinstance(node, Is) else node
    return unknown_because(of, view, may_tell)


def _behind(node: Node, view: View, asking: Asking) -> Explanation | None:
    if not isinstance(node, InSegment) or node.name not in asking.rules:
        return None
    if not asking.may_see(f"segments.{node.name}"):
        return None
    return explained(asking.rules[node.name], view, asking)


def _seen_of(node: Node, view: View, asking: Asking) -> tuple[Seen, ...]:
    if isinstance(node, Did | DidNotSince):
        told, is_hidden = latest_of_steps(node, view), not asking.may_tell(node)
        return tuple(Seen(what, None if is_hidden else at, is_hidden) for what, at in told)
    return tuple(_seen(part, view, asking) for part in _operands(node))


def _operands(node: Node) -> list[Node]:
    """The parts of a condition whose values tell why; a literal tells nothing new."""
    match node:
        case Compare():
            parts = [node.left, node.right]
        case OneOf() | Like() | Is():
            parts = [node.of]
        case Contains():
            parts = [node.item, node.list]
        case As():
            parts = [node.of]
        case _:
            parts = [node]
    return [part for part in parts if not isinstance(part, Literal)]


def _seen(node: Node, view: View, asking: Asking) -> Seen:
    """The value as the data have it, before it is read as a type."""
    raw = node.of if isinstance(node, As) else node
    if not asking.may_tell(raw):
        return Seen(rendered(raw), None, is_hidden=True)
    value = reader_of(raw)(view)
    if type_of(raw) is Type.MOMENT and value is not None:
        return Seen(rendered(raw), iso_of(value))
    if isinstance(value, float):
        value = finite(value)
    return Seen(rendered(raw), value.isoformat() if isinstance(value, date) else value)
