"""How values of different types come together, or that they do not."""

from collections.abc import Sequence
from difflib import get_close_matches

from stamgast.segments.language.columns import only_texts
from stamgast.segments.language.errors import RuleTypeError
from stamgast.segments.language.tree import Arithmetic, As, Call, DaysBetween, Literal, Node, Type
from stamgast.segments.language.types import type_of
from stamgast.segments.language.values import parsed_date, parsed_moment

ORDERED = frozenset({Type.NUMBER, Type.TEXT, Type.DATE, Type.MOMENT, Type.ANY})
TIMES = frozenset({Type.DATE, Type.MOMENT})
ARTICLE = {Type.ANY: "any value"}


def told(kind: Type) -> str:
    """The type with its article."""
    return ARTICLE.get(kind, f"a {kind}")


def literal_date(text: str, at: int) -> Literal:
    """The date that a literal's text tells."""
    day = parsed_date(text)
    if day is None:
        raise RuleTypeError(f"'{text[:40]}' is no date", at, "as in date '2026-11-22'")
    return Literal(day, Type.DATE, at)


def literal_moment(text: str, at: int) -> Literal:
    """The moment that a literal's text tells; without an offset it is UTC."""
    ms = parsed_moment(text)
    if ms is None:
        hint = "as in moment '2026-11-22T09:00:00Z'"
        raise RuleTypeError(f"'{text[:40]}' is no moment", at, hint)
    return Literal(float(ms), Type.MOMENT, at)


def boolean(node: Node) -> Node:
    """The node as a condition."""
    if type_of(node) is Type.BOOLEAN:
        return node
    if type_of(node) is Type.ANY and not isinstance(node, Literal):
        return As(Type.BOOLEAN, node, node.at)
    hint = "compare it with something"
    if isinstance(node, Literal) and isinstance(node.value, str) and node.value:
        name = f"'{node.value[:40]}'"
        hint += f"; that it happened is `did {name}`, and within `count(…)` `event = {name}`"
    raise RuleTypeError(f"a condition is wanted, this is {_shown(node)}", node.at, hint)


def as_type(kind: Type, node: Node) -> Node:
    """The node as a value of a type; raises RuleTypeError where it can never be one."""
    mine = type_of(node)
    if mine is kind and not _is_null(node):
        return node
    if kind in TIMES and isinstance(node, Literal) and isinstance(node.value, str):
        return _time(node, kind)
    if (mine is Type.ANY and not _is_null(node)) or {mine, kind} == TIMES:
        return As(kind, node, node.at)
    raise RuleTypeError(f"{told(kind)} is wanted, this is {_shown(node)}", node.at)


def _time(node: Literal, kind: Type) -> Node:
    text = str(node.value)
    if kind is Type.DATE or parsed_date(text) is not None:
        day = literal_date(text, node.at)
        return day if kind is Type.DATE else As(Type.MOMENT, day, node.at)
    return literal_moment(text, node.at)


def agreed(op: str, left: Node, right: Node, at: int) -> tuple[Node, Node]:
    """Both sides of a comparison in one type; a date beside a moment makes both days."""
    for side in (left, right):
        if _is_null(side):
            hint = "write `is null` or `is not null`"
            raise RuleTypeError("a comparison with null is never true", side.at, hint)
    left, right = settled(_timed(left, right)), settled(_timed(right, left))
    kinds = {type_of(left), type_of(right)}
    if Type.LIST in kinds:
        raise RuleTypeError("a list cannot be compared", at, "ask what it `contains`")
    if kinds == TIMES:
        left, right = as_type(Type.DATE, left), as_type(Type.DATE, right)
    elif Type.ANY in kinds and len(kinds) == 2:
        kind = (kinds - {Type.ANY}).pop()
        left, right = as_type(kind, left), as_type(kind, right)
    elif len(kinds) == 2:
        raise RuleTypeError(f"{_shown(left)} cannot be compared with {_shown(right)}", at)
    for text, other in ((left, right), (right, left)):
        _can_be(text, only_texts(other))
    if op not in ("=", "!=") and type_of(left) not in ORDERED:
        raise RuleTypeError("of booleans, none is less than the other", at, "use = or `is true`")
    return left, right


def _can_be(node: Node, only: frozenset[str]) -> None:
    """Raises RuleTypeError for a text that the other side can never be."""
    if only and isinstance(node, Literal) and node.value not in only:
        hint = _near_enough(str(node.value), only) or f"it is {', '.join(sorted(only))}"
        raise RuleTypeError(f"it is never '{str(node.value)[:40]}'", node.at, hint)


def _near_enough(told: str, only: frozenset[str]) -> str | None:
    """A word that is nearly another; `churned` is not `returned` spelled wrong."""
    folded = told.lower().replace(" ", "_")
    found = get_close_matches(folded, sorted(only), 1, cutoff=0.8)
    return f"did you mean `{found[0]}`?" if found else None


def settled(node: Node) -> Node:
    """A number as a condition uses it: what calculating made infinite is null from here on."""
    return As(Type.NUMBER, node, node.at) if _is_calculated(node) else node


def _is_calculated(node: Node) -> bool:
    if isinstance(node, Call) and type_of(node) is Type.NUMBER:
        return any(_is_calculated(arg) for arg in node.args)
    return isinstance(node, Arithmetic)


def _timed(node: Node, other: Node) -> Node:
    """A text beside a date or a moment is read as one."""
    kind = type_of(other)
    if kind not in TIMES or not isinstance(node, Literal) or not isinstance(node.value, str):
        return node
    if kind is Type.MOMENT and parsed_date(node.value) is None:
        return literal_moment(node.value, node.at)
    return literal_date(node.value, node.at)


def common(nodes: Sequence[Node], at: int) -> list[Node]:
    """The values in one type: that of those whose type is known."""
    kinds = {type_of(node) for node in nodes} - {Type.ANY}
    if len(kinds) > 1:
        shown = " and ".join(sorted(told(kind) for kind in kinds))
        raise RuleTypeError(f"these values are of different types: {shown}", at)
    if any(_is_null(node) for node in nodes):
        raise RuleTypeError("null adds nothing here", at)
    return [as_type(kind, node) for node in nodes for kind in kinds] if kinds else list(nodes)


def calculated(op: str, left: Node, right: Node, at: int) -> Node:
    """A sum, difference, product or quotient; the difference of two dates is in days."""
    kinds = {type_of(left), type_of(right)}
    if op == "-" and Type.DATE in kinds and kinds <= {Type.DATE, Type.ANY, Type.MOMENT}:
        return DaysBetween(as_type(Type.DATE, left), as_type(Type.DATE, right), at)
    if Type.MOMENT in kinds or Type.DATE in kinds:
        hint = "`days_since(…)` tells days; an amount of time is written as `14 days`"
        raise RuleTypeError("times cannot be calculated with like numbers", at, hint)
    return Arithmetic(op, as_type(Type.NUMBER, left), as_type(Type.NUMBER, right), at)


def _is_null(node: Node) -> bool:
    return isinstance(node, Literal) and node.value is None


def _shown(node: Node) -> str:
    return "null" if _is_null(node) else told(type_of(node))
