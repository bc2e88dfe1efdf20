"""Looking names up: paths of a person or of an event, and what might have been meant."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum

from stamgast.segments.language.columns import (
    EVENT,
    EVENT_OPEN,
    OF_SCORE,
    ORDERS_IN_DAYS,
    PERSON,
    PERSON_OPEN,
    Doc,
    Path,
    Schema,
)
from stamgast.segments.language.errors import RuleBoundError, RuleNameError
from stamgast.segments.language.orders import ordered
from stamgast.segments.language.tree import (
    Aggregate,
    Arithmetic,
    Clock,
    Column,
    Days,
    Field,
    Function,
    Literal,
    Node,
    Type,
)

MOST_DAYS = 40_000
LONGEST_PATH = 12
ALMOST_SUGAR = re.compile(r"(total|count|average)_?([0-9]{0,4})")


MEANT = {
    "yes": "did you mean `true`?",
    "no": "did you mean `false`?",
    "yesterday": "that is `today - 1 day`; as a window `between 1 and 1 days ago`",
    "tomorrow": "that is `today + 1 day`",
    "count": "events are counted by `count(event = 'Order Completed')`, orders by `orders.count`",
    "sum": "amounts are added by `sum(order.revenue)`",
    "currency": "did you mean `orders.currency`?",
    "churned": "customers who went are told by `lifecycle = 'lapsed'`",
}


class Scope(Enum):
    """Whom names speak of: the person, or one event among the person's."""

    PERSON = "the profile"
    EVENT = "an event"


Known = tuple[Mapping[Path, Doc], Mapping[str, Doc]]
KNOWN: Mapping[Scope, Known] = {
    Scope.PERSON: (PERSON, PERSON_OPEN),
    Scope.EVENT: (EVENT, EVENT_OPEN),
}
CLOCKS = {("today",): Type.DATE, ("now",): Type.MOMENT}


def looked_up(path: Path, at: int, scope: Scope, schema: Schema) -> Node:
    """The column, field, clock or sugar that a path names; raises RuleNameError."""
    if path in CLOCKS:
        return Clock(CLOCKS[path], at)
    if len(path) > LONGEST_PATH:
        raise RuleBoundError(f"a path of more than {LONGEST_PATH} names", at)
    made = Column if scope is Scope.PERSON else Field
    if "*" in path:
        raise RuleNameError("`*` is no name", at)
    columns, roots = KNOWN[scope]
    if path in columns:
        return made(path, columns[path].type, at)
    if scope is Scope.PERSON and path[0] == "orders":
        sugar = _orders(path, at)
        if sugar is not None:
            return sugar
    if path[0] not in roots or len(path) < 2:
        raise _unknown(path, at, scope)
    if path[0] == "computed":
        return _computed(path, at, schema)
    if path[0] == "scores":
        return _score(path, at, schema)
    if path[0] == "consent":
        _is_purpose(path, at, schema)
    return made(path, roots[path[0]].type, at)


def _is_purpose(path: Path, at: int, schema: Schema) -> None:
    """Raises RuleNameError for what is no purpose, which would be null for ever."""
    if len(path) > 2:
        raise RuleNameError("a consent is `consent.` and one purpose", at)
    if schema.purposes and path[1] not in schema.purposes:
        hint = near(path[1], schema.purposes) or f"known are {', '.join(sorted(schema.purposes))}"
        raise RuleNameError(f"no purpose is named `{path[1]}`", at, hint)


def _computed(path: Path, at: int, schema: Schema) -> Node:
    if len(path) != 2 or path[1] not in schema.computed:
        hint = near(path[1], schema.computed)
        raise RuleNameError(f"no computed trait is named `{path[1]}`", at, hint)
    return Column(path, schema.computed[path[1]], at)


def _score(path: Path, at: int, schema: Schema) -> Node:
    """`scores.buys` is its value; a model's own rules, and traits, know no score."""
    root, model, *rest = path
    if model not in schema.scores:
        hint = near(model, schema.scores) or "the rules of segments know those of models.yaml"
        raise RuleNameError(f"no score of a model `{model}` is known here", at, hint)
    part = rest[0] if rest else "value"
    if len(rest) > 1 or part not in OF_SCORE:
        raise RuleNameError(f"a score has {', '.join(OF_SCORE)}", at, near(part, OF_SCORE))
    return Column((root, model, part), OF_SCORE[part].type, at)


def _orders(path: Path, at: int) -> Node | None:
    if path == ("orders", "total"):
        return Column(("orders", "revenue"), Type.NUMBER, at)
    found = ORDERS_IN_DAYS.fullmatch(path[1]) if len(path) == 2 else None
    if found is None:
        return None
    what, days = found[1], int(found[2])
    if days > MOST_DAYS:
        raise RuleBoundError(f"a window of more than {MOST_DAYS:,} days", at)
    if what == "count":
        return Aggregate(Function.COUNT, None, ordered(at), Days(days - 1), at=at)
    function = Function.SUM if what == "total" else Function.AVG
    revenue = Field(("order", "revenue"), Type.NUMBER, at)
    return Aggregate(function, revenue, ordered(at), Days(days - 1), True, at)


def negative(of: Node, at: int) -> Node:
    """The number with the other sign."""
    if isinstance(of, Literal) and isinstance(of.value, float):
        return Literal(-of.value, Type.NUMBER, at)
    return Arithmetic("-", Literal(0.0, Type.NUMBER, at), of, at)


def _unknown(path: Path, at: int, scope: Scope) -> RuleNameError:
    told = ".".join(path)
    other = Scope.EVENT if scope is Scope.PERSON else Scope.PERSON
    columns, roots = KNOWN[other]
    if path in columns or (path[0] in roots and len(path) > 1):
        where = "inside `count(…)` and its like" if other is Scope.EVENT else "outside of it"
        return RuleNameError(
            f"`{told}` is of {other.value}, not of {scope.value}", at, f"use it {where}"
        )
    columns, roots = KNOWN[scope]
    if path[0] in roots:
        return RuleNameError(f"`{told}` needs a name after it", at, f"such as `{told}.name`")
    names = [".".join(known) for known in columns]
    if len(path) == 1 and (inside := [one for one in names if one.startswith(f"{told}.")]):
        return RuleNameError(f"`{told}` needs a name after it", at, f"such as `{inside[0]}`")
    return RuleNameError(f"{scope.value} has no `{told}`", at, _meant(told, path, names, roots))


def _meant(told: str, path: Path, names: list[str], roots: Iterable[str]) -> str | None:
    if path[0] == "orders" and len(path) == 2 and (sugar := ALMOST_SUGAR.match(path[1])):
        return f"as in `orders.{sugar[1]}_{int(sugar[2] or 0) or 30}d`"
    if told.lower() in MEANT:
        return MEANT[told.lower()]
    found = near(told, names)
    root = get_close_matches(path[0], list(roots), 1)
    if root and len(path) > 1 and not found:
        return f"did you mean `{'.'.join((root[0], *path[1:]))}`?"
    if found or len(path) > 1:
        return found
    if not (told[0].isalpha() and told.isidentifier()):
        return f"a text is '{told}'; a number has no quotes"
    return f"a text is '{told}', a trait is `traits.{told}`, a property `properties.{told}`"


def near(told: str, known: Iterable[str]) -> str | None:
    """What might have been meant, as a question."""
    found = get_close_matches(told, sorted(known), 1)
    return f"did you mean `{found[0]}`?" if found else None
