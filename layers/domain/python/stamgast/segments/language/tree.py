"""The tree of a rule: frozen nodes, each with a type; every reading of a rule starts from it.

`at` is the place in the rule's text where a node began; it takes no part in equality and is not
kept in JSON.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from stamgast.segments.language.kinds import Type as Type
from stamgast.segments.language.kinds import Unit as Unit

TREE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the rule; a moment as milliseconds since 1970; None is null."""

    value: bool | float | str | date | None
    type: Type
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the person's profile, by its path: `("traits", "address", "city")`."""

    path: tuple[str, ...]
    type: Type
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A value of an event, by its path: `("properties", "category")`."""

    path: tuple[str, ...]
    type: Type
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class As:
    """A value read as a type; null where it is of another.

    Number, text, boolean and list take what the document has. A date is a date's text, a moment's
    text or a moment, whose day in the workspace's time zone is meant; a moment is a moment's text,
    or the start of a date. A number as a number is null unless it is finite.
    """

    type: Type
    of: "Node"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """`now()` (a moment) or `today` (a date, in the workspace's time zone)."""

    type: Type
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * /` of two numbers as IEEE 754 doubles, but for division by zero, which is null."""

    op: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Shift:
    """A date or a moment moved by a fixed amount of time."""

    of: "Node"
    amount: int
    unit: Unit
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DaysBetween:
    """How many days the left date lies after the right one."""

    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the list in `functions`, with arguments of the types it takes."""

    name: str
    args: tuple["Node", ...]
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`= != < <= > >=` of two values of one type; two of type ANY compare if the data agree."""

    op: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value equals one of some literals of its type; null for null."""

    of: "Node"
    values: tuple[bool | float | str | date, ...]
    type: Type
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Like:
    """A text against a pattern: `%` any characters, `_` one, `\\` takes the next as it is."""

    of: "Node"
    pattern: str
    is_case_blind: bool
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Contains:
    """Whether a list has an element equal to a value; null if there is no list or no value."""

    list: "Node"
    item: "Node"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Is:
    """`is null`, `is true`, `is false`: never null itself."""

    of: "Node"
    what: bool | None
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene's not: null stays null."""

    of: "Node"
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """Kleene's and: false if any part is false, else null if any is null."""

    parts: tuple["Node", ...]
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene's or: true if any part is true, else null if any is null."""

    parts: tuple["Node", ...]
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """All events up to now."""


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days in the workspace's time zone, from so many days ago to so many, both included."""

    oldest: int
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Hours:
    """The last hours, to the millisecond."""

    hours: int


@dataclass(frozen=True, slots=True)
class Since:
    """From the start of a date on; the date is made of `today`, literals and shifts."""

    on: "Node"


Window = Lifetime | Days | Hours | Since


class Function(StrEnum):
    """What can be made of many events."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    COUNT_DISTINCT = "count_distinct"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value of the events that pass `where` within the window; nulls of `of` are left out.

    With `is_principal`, only orders in the person's principal currency count.
    """

    function: Function
    of: "Node | None"
    where: "Node | None"
    window: Window = Lifetime()
    is_principal: bool = False
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Did:
    """Events that pass the steps one after another, each later than the one before.

    From the first step to the last at most `within_ms` pass; with one step, it happened at all.
    """

    steps: tuple["Node", ...]
    within_ms: int | None
    window: Window = Lifetime()
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DidNotSince:
    """It happened within the window, and the other thing has not happened later than that."""

    did: "Node"
    lacking: "Node"
    window: Window = Lifetime()
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InSegment:
    """Whether the person is in another segment; never null."""

    name: str
    at: int = field(default=0, compare=False, repr=False)


Node = (
    Literal
    | Column
    | Field
    | As
    | Clock
    | Arithmetic
    | Shift
    | DaysBetween
    | Call
    | Compare
    | OneOf
    | Like
    | Contains
    | Is
    | Not
    | And
    | Or
    | Aggregate
    | Did
    | DidNotSince
    | InSegment
)
