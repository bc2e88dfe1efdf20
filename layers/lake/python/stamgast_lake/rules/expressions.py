"""The SQL of a node, null-safe as SQL is: Kleene's logic is the engine's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stamgast.segments.language.columns import OF_HABIT
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
    DaysBetween,
    Did,
    DidNotSince,
    Field,
    InSegment,
    Is,
    Like,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Shift,
    Type,
    Unit,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.values import folded
from stamgast.segments.language.windows import Now
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.guards import Guard
from stamgast_lake.rules.lists import contains_sql, field_list, size_sql
from stamgast_lake.rules.literals import (
    finite,
    literal_sql,
    quotation,
    quoted,
    read_json,
    start_sql,
)
from stamgast_lake.rules.sources import EVENT_SQL, NAMES

UNITS = {
    Unit.MINUTE: "minute",
    Unit.HOUR: "hour",
    Unit.DAY: "day",
    Unit.WEEK: "week",
    Unit.MONTH: "month",
    Unit.YEAR: "year",
}
CALLS = {
    "lower": "lower({0})",
    "length": "cast(length({0}) as double)",
    "abs": "abs({0})",
    "floor": "floor({0})",
    "date": "{0}",
    "year": "cast(year({0}) as double)",
    "month": "cast(month({0}) as double)",
    "day": "cast(day({0}) as double)",
}


@dataclass(slots=True)
class Shared:
    """Values that rules of one relation share, each worked out once in a layer below them.

    Within a condition the engine works equal expressions out anew for each.
    """

    names: dict[str, str] = field(default_factory=dict)

    def name(self, sql: str) -> str:
        """The column of a value."""
        return self.names.setdefault(sql, f"n{len(self.names)}")

    def over(self, rows: str) -> str:
        """The rows with the values; one may rest on those named before it."""
        for sql, name in self.names.items():
            rows = f"select *, {sql} as {name} from ({rows}) shared"
        return rows


@dataclass(slots=True)
class Expressions:
    """Renders nodes over one relation.

    `many` gives the SQL of what is not of one row: aggregates, funnels, habits, other segments.
    `guard` tells the events of which the present filter can be true.
    """

    now: Now
    extractions: Extractions
    many: Callable[[Aggregate | Column | Did | DidNotSince | InSegment], str]
    guard: Guard | None = None
    shared: "Shared | None" = None

    @property
    def zone(self) -> str:
        """The name of the time zone."""
        return self.now.zone.key

    def sql(self, node: Node) -> str:
        """The SQL of a node: of a condition true, false or null."""
        match node:
            case And() | Or():
                word = " and " if isinstance(node, And) else " or "
                return f"({word.join(self.sql(part) for part in node.parts)})"
            case Not():
                return f"(not {self.sql(node.of)})"
            case Is():
                return self._is(node)
            case Compare():
                return self._compare(node)
            case OneOf():
                return self._one_of(node)
            case Like():
                return self._like(node)
            case Contains():
                return contains_sql(self.listed(node.list), type_of(node.item), self.sql(node.item))
            case Aggregate() | Did() | DidNotSince() | InSegment():
                return self.many(node)
        return self._value(node)

    def _value(self, node: Node) -> str:
        match node:
            case Literal():
                return literal_sql(node.type, node.value)
            case Column((root, *_)) if root in OF_HABIT:
                return self.many(node)
            case Column():
                return NAMES.get(node.path) or self._open(node.path, node.type)
            case Field():
                return EVENT_SQL.get(node.path) or self._open(node.path, node.type)
            case As():
                return self._as(node)
            case Clock():
                value = self.now.ms if node.type is Type.MOMENT else self.now.today
                return literal_sql(node.type, value)
            case Arithmetic():
                return self._arithmetic(node)
            case Shift():
                return self._shift(node)
            case DaysBetween():
                return f"cast(({self.sql(node.left)} - {self.sql(node.right)}) as double)"
            case Call():
                return self._call(node)
        raise TypeError(f"{type(node).__name__} is no node")

    def _open(self, path: tuple[str, ...], kind: Type) -> str:
        return self.extractions.name(path, kind, self.guard)

    def _is(self, node: Is) -> str:
        of = self.sql(node.of)
        return f"({of} is null)" if node.what is None else f"({of} is {str(node.what).lower()})"

    def _compare(self, node: Compare) -> str:
        if type_of(node.left) is Type.ANY:
            return self._any_compare(node)
        op = "<>" if node.op == "!=" else node.op
        if op in ("=", "<>") and isinstance(node.right, Literal):
            quotations = self._quotations(node.left, [node.right.value])
            if quotations is not None:
                column, (told,) = quotations
                return f"({column} {op} {told})"
        return f"({self.sql(node.left)} {op} {self.sql(node.right)})"

    def _one_of(self, node: OneOf) -> str:
        quotations = self._quotations(node.of, node.values)
        if quotations is None:
            quotations = self.sql(node.of), [literal_sql(node.type, one) for one in node.values]
        column, told = quotations
        return f"({column} in ({', '.join(told)}))"

    def _quotations(self, of: Node, values: Sequence[object]) -> tuple[str, list[str]] | None:
        """A text of a document and texts to compare it with, all as JSON writes them."""
        place = of.of if isinstance(of, As) else of
        if not isinstance(place, Column | Field) or type_of(of) is not Type.TEXT:
            return None
        if place.path in NAMES or place.path in EVENT_SQL or place.path[0] in OF_HABIT:
            return None
        told = [quotation(one) for one in values if isinstance(one, str)]
        plain = [quoted(one) for one in told if one is not None]
        if len(plain) < len(values):
            return None
        return self.extractions.quotation(place.path, self.guard), plain

    def _any_compare(self, node: Compare) -> str:
        """Two documents' values: null unless both are numbers, texts or booleans."""
        op = "<>" if node.op == "!=" else node.op
        kinds = [Type.NUMBER, Type.TEXT, *([Type.BOOLEAN] if op in ("=", "<>") else [])]
        arms = []
        for kind in kinds:
            left, right = (self._as(As(kind, side)) for side in (node.left, node.right))
            arms.append(f"when {left} is not null and {right} is not null then {left} {op} {right}")
        return f"(case {' '.join(arms)} end)"

    def _like(self, node: Like) -> str:
        of = self.sql(node.of)
        told = f"lower({of})" if node.is_case_blind else of
        pattern = folded(node.pattern) if node.is_case_blind else node.pattern
        # Without one the engine searches for the words of the pattern, which is faster.
        escape = " escape '\\'" if "\\" in pattern else ""
        return f"({told} like {quoted(pattern)}{escape})"

    def _as(self, node: As) -> str:
        kind = type_of(node.of)
        if kind is Type.NUMBER:
            return f"({finite(self._once(self.sql(node.of)))})"
        if kind is Type.MOMENT:
            day = f"cast({self.sql(node.of)} at time zone {quoted(self.zone)} as date)"
            return self._once(day)
        if kind is Type.DATE:
            return start_sql(self.sql(node.of), self.zone)
        if isinstance(node.of, Column | Field):
            return self._open(node.of.path, node.type)
        return read_json(node.type, self.sql(node.of), self.zone)

    def _once(self, sql: str) -> str:
        return sql if self.shared is None else self.shared.name(sql)

    def listed(self, node: Node) -> tuple[str, bool]:
        """A list, and whether its elements are texts as they are; else they are JSON."""
        if isinstance(node, Field) and node.path in EVENT_SQL:
            return field_list(node.path), True
        return self.sql(node), False

    def _arithmetic(self, node: Arithmetic) -> str:
        left, right = self.sql(node.left), self.sql(node.right)
        if node.op == "/":
            right = f"nullif({right}, 0)"
        return f"({left} {node.op} {right})"

    def _shift(self, node: Shift) -> str:
        moved = f"({self.sql(node.of)} + interval ({node.amount}) {UNITS[node.unit]})"
        return f"cast({moved} as date)" if type_of(node) is Type.DATE else moved

    def _call(self, node: Call) -> str:
        if node.name == "size":
            return size_sql(*self.listed(node.args[0]))
        args = [self.sql(arg) for arg in node.args]
        if node.name == "coalesce":
            return f"coalesce({', '.join(args)})"
        if node.name == "days_since":
            return f"cast(({literal_sql(Type.DATE, self.now.today)} - {args[0]}) as double)"
        return CALLS[node.name].format(*args)
