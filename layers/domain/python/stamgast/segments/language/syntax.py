"""What the parser hands to the checker: the text's structure, with names not yet looked up."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Shape(StrEnum):
    """The kinds of syntax; `value` and `parts` of each are told in `parser`."""

    OR = "or"
    AND = "and"
    NOT = "not"
    COMPARE = "compare"
    IN = "in"
    CONTAINS = "contains"
    BETWEEN = "between"
    LIKE = "like"
    IS = "is"
    ARITHMETIC = "arithmetic"
    NEGATIVE = "negative"
    LITERAL = "literal"
    DATE = "date"
    MOMENT = "moment"
    DURATION = "duration"
    PATH = "path"
    CALL = "call"
    AGGREGATE = "aggregate"
    DID = "did"
    DID_NOT_SINCE = "did not since"
    SEGMENT = "segment"
    LAST = "last"
    AGO = "ago"
    SINCE = "since"
    LIFETIME = "lifetime"


@dataclass(frozen=True, slots=True)
class Syntax:
    """A piece of a rule as it was written, and where it began."""

    shape: Shape
    at: int
    value: Any = None
    parts: tuple["Syntax", ...] = ()


WINDOWS = frozenset({Shape.LAST, Shape.AGO, Shape.SINCE, Shape.LIFETIME})
UNITS = {
    **dict.fromkeys(("minute", "minutes"), "minute"),
    **dict.fromkeys(("hour", "hours"), "hour"),
    **dict.fromkeys(("day", "days"), "day"),
    **dict.fromkeys(("week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("year", "years"), "year"),
}
AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "first", "last", "count_distinct"})
WORDS = frozenset(
    {
        *("and", "or", "not", "in", "between", "like", "ilike", "is", "null", "true", "false"),
        *("contains", "did", "then", "within", "since", "last", "ago", "lifetime", "date"),
        *("moment", "now", "today", "segment"),
    }
)
