"""A tree as text again, in one canonical spelling; what is parsed of it is the same tree."""

import re
from datetime import date

from stamgast.moments import iso_of
from stamgast.segments.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    As,
    Call,
    Clock,
    Column,
    Compare,
    Contains,
    Days,
    DaysBetween,
    Did,
    DidNotSince,
    Field,
    Function,
    Hours,
    InSegment,
    Is,
    Like,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Shift,
    Since,
    Type,
    Window,
)

PLAIN = re.compile(r"[A-Za-z_]\w*")
SUGAR = {Function.SUM: "total", Function.AVG: "average"}


def rendered(node: Node) -> str:
    """The rule's text; a condition within another stands in parentheses."""
    match node:
        case And() | Or():
            word = " and " if isinstance(node, And) else " or "
            return word.join(_inner(part) for part in node.parts)
        case Not():
            return f"not {_inner(node.of)}"
        case Is():
            what = {None: "null", True: "true", False: "false"}[node.what]
            return f"{_inner(node.of)} is {what}"
        case Compare():
            return f"{_inner(node.left)} {node.op} {_inner(node.right)}"
        case OneOf():
            values = ", ".join(literal(node.type, value) for value in node.values)
            return f"{_inner(node.of)} in ({values})"
        case Like():
            word = "ilike" if node.is_case_blind else "like"
            return f"{_inner(node.of)} {word} {quoted(node.pattern)}"
        case Contains():
            return f"{_inner(node.item)} in {_inner(node.list)}"
        case InSegment():
            return f"in segment({quoted(node.name)})"
        case Aggregate():
            return _aggregate(node)
        case Did() | DidNotSince():
            return _funnel(node)
    return _value(node)


def _value(node: Node) -> str:
    match node:
        case Literal():
            return literal(node.type, node.value)
        case Column() | Field():
            return _path(node.path)
        case As():
            return rendered(node.of)
        case Clock():
            return "now()" if node.type is Type.MOMENT else "today"
        case Arithmetic():
            return f"{_inner(node.left)} {node.op} {_inner(node.right)}"
        case Shift():
            sign, amount = ("-", -node.amount) if node.amount < 0 else ("+", node.amount)
            return f"{_inner(node.of)} {sign} {amount} {node.unit}{'' if amount == 1 else 's'}"
        case DaysBetween():
            return f"{_inner(node.left)} - {_inner(node.right)}"
        case Call():
            return f"{node.name}({', '.join(rendered(arg) for arg in node.args)})"
    raise TypeError(f"{type(node).__name__} is no node")


def _inner(node: Node) -> str:
    told = rendered(node)
    is_single = isinstance(_bare(node), Column | Field | Literal | Clock | Call | Aggregate)
    return told if is_single and not told.startswith("-") else f"({told})"


def _bare(node: Node) -> Node:
    return _bare(node.of) if isinstance(node, As) else node


def literal(kind: Type, value: bool | float | str | date | None) -> str:
    """A literal as it is written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, str):
        return quoted(value)
    if kind is Type.MOMENT:
        return f"moment '{iso_of(int(value))}'"
    return number(value)


def number(value: float) -> str:
    """A number without a needless fraction."""
    return str(int(value)) if value == int(value) else repr(value)


def quoted(text: str) -> str:
    """A text between quotes."""
    return "'" + text.replace("'", "''") + "'"


def _path(path: tuple[str, ...]) -> str:
    first, *rest = path
    return ".".join([first, *(_step(step) for step in rest)])


def _step(name: str) -> str:
    if PLAIN.fullmatch(name):  # after a dot even a keyword is a name
        return name
    return '"' + name.replace('"', '""') + '"'


def _aggregate(node: Aggregate) -> str:
    if node.is_principal and isinstance(node.window, Days):
        return f"orders.{SUGAR[node.function]}_{node.window.oldest + 1}d"
    parts = [rendered(part) for part in (node.of, node.where) if part is not None]
    return f"{node.function}({', '.join([*parts, *_window(node.window)])})"


def _window(window: Window) -> list[str]:
    match window:
        case Days(oldest, 0):
            return [f"last {oldest + 1} day{'s' if oldest else ''}"]
        case Days(oldest, newest):
            return [f"between {newest} and {oldest} days ago"]
        case Hours(hours):
            return [f"last {hours} hour{'' if hours == 1 else 's'}"]
        case Since(on):
            return [f"since {_inner(on)}"]
    return []


def _funnel(node: Did | DidNotSince) -> str:
    window = "".join(f" {told}" for told in _window(node.window))
    if isinstance(node, DidNotSince):
        return f"did ({rendered(node.did)}){window} and not ({rendered(node.lacking)}) since"
    steps = " then ".join(f"({rendered(step)})" for step in node.steps)
    within = "" if node.within_ms is None else f" within {_span(node.within_ms)}"
    return f"did {steps}{within}{window}"


def _span(ms: int) -> str:
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000)):
        if ms % size == 0:
            return f"{ms // size} {unit}s"
    return f"{ms // 60_000} minutes"
