"""DynamoDB expressions as closures over low-level attribute values, parsed once per text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
Value: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Value]
Read: TypeAlias = Callable[["Scope"], Value | None]
Test: TypeAlias = Callable[["Scope"], bool]
Steps: TypeAlias = tuple[str | int, ...]

COMPARED = {"=", "<>", "<", "<=", ">", ">="}
FUNCTIONS = {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with"}
FUNCTIONS |= {"contains", "size", "if_not_exists", "list_append"}
TOKEN = re.compile(
    r"\s*(?:(<>|<=|>=|[=<>(),.\[\]+\-])|(:[A-Za-z0-9_]+)|(#[A-Za-z0-9_]+|[A-Za-z_]\w*)|(\d+))"
)


class ExpressionError(ValueError):
    """An expression that DynamoDB answers with a ValidationException."""


class Scope(NamedTuple):
    """What an expression is evaluated over."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Value]


@dataclass(slots=True)
class Update:
    """A parsed UpdateExpression: actions per clause, each with the path it writes."""

    sets: list[tuple[Steps, Read]] = field(default_factory=list)
    removes: list[Steps] = field(default_factory=list)
    adds: list[tuple[Steps, str]] = field(default_factory=list)
    deletes: list[tuple[Steps, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """A parsed expression with the placeholders that it uses."""

    run: T
    names: frozenset[str]
    values: frozenset[str]


@lru_cache
def reserved_words() -> frozenset[str]:
    """DynamoDB's reserved words, as moto lists them."""
    spec = find_spec("moto")
    if spec is None or spec.origin is None:
        return frozenset()
    words = Path(spec.origin).parent / "dynamodb" / "parsing" / "reserved_keywords.txt"
    return frozenset(words.read_text().split())


def number(value: Value) -> Decimal:
    """The number of an N value, exact."""
    return Decimal(value["N"])


def number_text(value: Decimal) -> str:
    """A number as DynamoDB returns it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def kind(value: Value) -> str:
    """The type letter of a value."""
    return next(iter(value))


def equal(a: Value | None, b: Value | None) -> bool:
    """Equality of two values: same type, numbers by value, sets without order."""
    if a is None or b is None:
        return False
    of = kind(a)
    if of not in b:
        return False
    if of == "N":
        return a["N"] == b["N"] or number(a) == number(b)
    if of in ("SS", "BS"):
        return set(a[of]) == set(b[of])
    if of == "NS":
        return {Decimal(n) for n in a[of]} == {Decimal(n) for n in b[of]}
    if of == "L":
        return len(a[of]) == len(b[of]) and all(map(equal, a[of], b[of]))
    if of == "M":
        return a[of].keys() == b[of].keys() and all(equal(a[of][k], b[of][k]) for k in a[of])
    return bool(a[of] == b[of])


def compare(a: Value | None, b: Value | None) -> int | None:
    """-1, 0 or 1 for two values of one ordered type, else None."""
    if a is None or b is None or kind(a) not in b or kind(a) not in "SNB":
        return None
    of = kind(a)
    if of == "N":
        left, right = number(a), number(b)
        return (left > right) - (left < right)
    x, y = (a[of].encode(), b[of].encode()) if of == "S" else (a[of], b[of])
    return (x > y) - (x < y)


def follow(value: Value | None, step: str | int) -> Value | None:
    """One step of a document path, None where it leads nowhere."""
    if value is None:
        return None
    if isinstance(step, int):
        listed = value.get("L", ())
        return listed[step] if step < len(listed) else None
    return value.get("M", {}).get(step)


def resolve(steps: Steps, names: Mapping[str, str]) -> Steps:
    """A path with its #placeholders replaced."""
    return tuple(names[s] if isinstance(s, str) and s.startswith("#") else s for s in steps)


def at(item: Item, steps: Steps) -> Value | None:
    """The value at a resolved path of an item, or None."""
    value = item.get(str(steps[0]))
    for step in steps[1:]:
        value = follow(value, step)
    return value


class Parser:
    """A recursive-descent parser over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.next = 0
        self.names: set[str] = set()
        self.values: set[str] = set()
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = TOKEN.match(text, position)
            if found is None:
                raise ExpressionError(f"Syntax error; token near: {text[position : position + 9]}")
            self.tokens.append(found[found.lastindex or 0])
            position = found.end()
        if not self.tokens:
            raise ExpressionError("The expression can not be empty;")

    @property
    def token(self) -> str:
        return self.tokens[self.next] if self.next < len(self.tokens) else ""

    def take(self) -> str:
        token = self.token
        self.next += 1
        return token

    def word(self, *words: str) -> bool:
        """Takes the next token if it is one of these, letter case aside for words."""
        if self.token.upper() not in words:
            return False
        self.next += 1
        return True

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ExpressionError(f"Syntax error; expected {token}")

    def finished(self) -> None:
        if self.token:
            raise ExpressionError(f'Syntax error; token: "{self.token}"')

    # paths and operands

    def path(self) -> Steps:
        steps: list[str | int] = [self.name()]
        while self.token in (".", "["):
            if self.take() == ".":
                steps.append(self.name())
            else:
                steps.append(int(self.take()))
                self.expect("]")
        return tuple(steps)

    def name(self) -> str:
        token = self.take()
        if token.startswith("#"):
            self.names.add(token)
        elif not token[:1].isalpha() and token[:1] != "_":
            raise ExpressionError(f'Syntax error; token: "{token}"')
        elif token.upper() in reserved_words():
            raise ExpressionError(
                f"Attribute name is a reserved keyword; reserved keyword: {token}"
            )
        return token

    def value(self) -> str:
        token = self.take()
        if not token.startswith(":"):
            raise ExpressionError(f'Syntax error; token: "{token}"')
        self.values.add(token)
        return token

    def operand(self) -> Read:
        if self.token.startswith(":"):
            name = self.value()
            return lambda scope: scope.values[name]
        if self.token == "(":
            self.take()
            inner = self.operand()
            self.expect(")")
            return inner
        if self.token in FUNCTIONS and self.following == "(":
            return self.function()
        return self.read(self.path())

    @property
    def following(self) -> str:
        return self.tokens[self.next + 1] if self.next + 1 < len(self.tokens) else ""

    @staticmethod
    def read(steps: Steps) -> Read:
        if len(steps) == 1 and not str(steps[0]).startswith("#"):
            only = str(steps[0])
            return lambda scope: scope.item.get(only)
        return lambda scope: at(scope.item, resolve(steps, scope.names))

    def function(self) -> Read:
        name = self.take()
        self.expect("(")
        if name == "size":
            found = self.operand()
            self.expect(")")
            return lambda scope: size_of(found(scope))
        if name == "if_not_exists":
            current = self.read(self.path())
            self.expect(",")
            otherwise = self.operand()
            self.expect(")")
            return lambda scope: otherwise(scope) if (had := current(scope)) is None else had
        if name == "list_append":
            first = self.operand()
            self.expect(",")
            second = self.operand()
            self.expect(")")
            return lambda scope: appended(first(scope), second(scope))
        raise ExpressionError(f"The function is not allowed here; function: {name}")

    # conditions

    def condition(self) -> Test:
        left = self.conjunction()
        while self.word("OR"):
            left = either(left, self.conjunction())
        return left

    def conjunction(self) -> Test:
        left = self.negation()
        while self.word("AND"):
            left = both(left, self.negation())
        return left

    def negation(self) -> Test:
        if self.word("NOT"):
            inner = self.negation()
            return lambda scope: not inner(scope)
        if self.token == "(":
            start = self.next
            self.take()
            inner = self.condition()
            self.expect(")")
            if self.token not in COMPARED:
                return inner
            self.next = start
        if self.token in FUNCTIONS and self.token != "size":
            return self.predicate()
        return self.comparison()

    def predicate(self) -> Test:
        name = self.take()
        self.expect("(")
        read = self.read(self.path())
        if name in ("attribute_exists", "attribute_not_exists"):
            self.expect(")")
            wanted = name == "attribute_exists"
            return lambda scope: (read(scope) is not None) is wanted
        self.expect(",")
        other = self.operand()
        self.expect(")")
        test = {
            "begins_with": begins,
            "contains": contains,
            "attribute_type": lambda a, b: a is not None and kind(a) == (b or {}).get("S"),
        }[name]
        return lambda scope: test(read(scope), other(scope))

    def comparison(self) -> Test:
        left = self.operand()
        if self.word("BETWEEN"):
            low = self.operand()
            if not self.word("AND"):
                raise ExpressionError("Syntax error; expected AND")
            high = self.operand()
            return lambda scope: between(left(scope), low(scope), high(scope))
        if self.word("IN"):
            self.expect("(")
            options = [self.operand()]
            while self.token == ",":
                self.take()
                options.append(self.operand())
            self.expect(")")
            return lambda scope: any(equal(left(scope), o(scope)) for o in options)
        operator = self.take()
        right = self.operand()
        if operator == "=":
            return lambda scope: equal(left(scope), right(scope))
        if operator == "<>":
            return lambda scope: not equal(left(scope), right(scope))
        if operator not in COMPARED:
            raise ExpressionError(f'Syntax error; token: "{operator}"')
        wanted = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[operator]
        return lambda scope: compare(left(scope), right(scope)) in wanted

    # updates

    def update(self) -> Update:
        update, seen = Update(), set[str]()
        while self.token:
            clause = self.take().upper()
            if clause not in ("SET", "REMOVE", "ADD", "DELETE") or clause in seen:
                raise ExpressionError(f'Syntax error; token: "{clause}"')
            seen.add(clause)
            self.action(update, clause)
            while self.token == ",":
                self.take()
                self.action(update, clause)
        return update

    def action(self, update: Update, clause: str) -> None:
        path = self.path()
        if clause == "SET":
            self.expect("=")
            update.sets.append((path, self.arithmetic()))
        elif clause == "REMOVE":
            update.removes.append(path)
        elif clause == "ADD":
            update.adds.append((path, self.value()))
        else:
            update.deletes.append((path, self.value()))

    def arithmetic(self) -> Read:
        left = self.operand()
        if self.token not in ("+", "-"):
            return left
        sign = 1 if self.take() == "+" else -1
        right = self.operand()
        return lambda scope: calculated(left(scope), right(scope), sign)


def either(a: Test, b: Test) -> Test:
    return lambda scope: a(scope) or b(scope)


def both(a: Test, b: Test) -> Test:
    return lambda scope: a(scope) and b(scope)


def begins(a: Value | None, b: Value | None) -> bool:
    if a is None or b is None or kind(a) not in ("S", "B") or kind(a) not in b:
        return False
    return bool(a[kind(a)].startswith(b[kind(a)]))


def contains(a: Value | None, b: Value | None) -> bool:
    if a is None or b is None:
        return False
    of = kind(a)
    if of in ("S", "B"):
        return of in b and b[of] in a[of]
    if of in ("SS", "NS", "BS"):
        return kind(b) == of[0] and any(equal({of[0]: one}, b) for one in a[of])
    return of == "L" and any(equal(one, b) for one in a["L"])


def between(a: Value | None, low: Value | None, high: Value | None) -> bool:
    return compare(a, low) in (0, 1) and compare(a, high) in (-1, 0)


def size_of(value: Value | None) -> Value | None:
    if value is None or kind(value) in ("N", "BOOL", "NULL"):
        return None
    held = value[kind(value)]
    return {"N": str(len(held.encode() if isinstance(held, str) else held))}


def appended(a: Value | None, b: Value | None) -> Value:
    if a is None or b is None:
        raise ExpressionError(
            "The provided expression refers to an attribute that does not exist in the item"
        )
    if "L" not in a or "L" not in b:
        raise ExpressionError("Incorrect operand type for operator or function; list_append")
    return {"L": [*a["L"], *b["L"]]}


def calculated(a: Value | None, b: Value | None, sign: int) -> Value:
    if a is None or b is None:
        raise ExpressionError(
            "The provided expression refers to an attribute that does not exist in the item"
        )
    if "N" not in a or "N" not in b:
        raise ExpressionError("An operand in the update expression has an incorrect data type")
    return {"N": number_text(number(a) + sign * number(b))}


def _parsed(text: str, rule: Callable[[Parser], T]) -> Parsed[T]:
    parser = Parser(text)
    run = rule(parser)
    parser.finished()
    return Parsed(run, frozenset(parser.names), frozenset(parser.values))


@lru_cache(4096)
def parse_condition(text: str) -> Parsed[Test]:
    """A ConditionExpression, FilterExpression or KeyConditionExpression."""
    return _parsed(text, Parser.condition)


@lru_cache(4096)
def parse_update(text: str) -> Parsed[Update]:
    """An UpdateExpression."""
    return _parsed(text, Parser.update)


def _projection(parser: Parser) -> list[Steps]:
    paths = [parser.path()]
    while parser.token == ",":
        parser.take()
        paths.append(parser.path())
    return paths


@lru_cache(4096)
def parse_projection(text: str) -> Parsed[list[Steps]]:
    """A ProjectionExpression."""
    return _parsed(text, _projection)
