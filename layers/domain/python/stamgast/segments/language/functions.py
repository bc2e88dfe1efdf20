"""The functions that rules may call, with the types they take and give."""

from collections.abc import Mapping
from dataclasses import dataclass

from stamgast.segments.language.tree import Type


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes, what it gives, and what it says of it; null in gives null out."""

    takes: tuple[Type, ...]
    gives: Type
    doc: str


FUNCTIONS: Mapping[str, Signature] = {
    "lower": Signature((Type.TEXT,), Type.TEXT, "The text in lower case, letter by letter."),
    "length": Signature((Type.TEXT,), Type.NUMBER, "How many characters a text has."),
    "size": Signature((Type.LIST,), Type.NUMBER, "How many elements a list has."),
    "abs": Signature((Type.NUMBER,), Type.NUMBER, "The number without its sign."),
    "floor": Signature((Type.NUMBER,), Type.NUMBER, "The next whole number below."),
    "date": Signature((Type.DATE,), Type.DATE, "The day, in the workspace's time zone."),
    "days_since": Signature((Type.DATE,), Type.NUMBER, "Days from that day to today."),
    "year": Signature((Type.DATE,), Type.NUMBER, "The year of the day."),
    "month": Signature((Type.DATE,), Type.NUMBER, "The month of the day, 1 to 12."),
    "day": Signature((Type.DATE,), Type.NUMBER, "The day of the month, 1 to 31."),
}
COALESCE = "coalesce"
