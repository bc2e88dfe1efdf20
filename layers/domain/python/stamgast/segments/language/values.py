"""What a value of a document means as each type, written once for every reading in Python.

Anything that is not plainly of the wanted type is None, which is null.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import copysign, isfinite, trunc
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.moments import ms_of
from stamgast.segments.language.days import day_of, start_of

DATE_FORM = r"[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
TIME_FORM = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
OFFSET_FORM = r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
MOMENT_FORM = f"{DATE_FORM}[T ]{TIME_FORM}{OFFSET_FORM}"
_DATE = re.compile(DATE_FORM)
_MOMENT = re.compile(MOMENT_FORM)
_BEYOND_MS = re.compile(r"(\.[0-9]{3})[0-9]+")
MICRO = 1_000_000
LARGEST_SUMMED = 1e12
LARGEST_EXACT = 2**53


def number_of(value: Any) -> float | None:
    """The number that a JSON number is; booleans are none, nor is what a double cannot hold."""
    kind = type(value)
    if kind is float:
        return float(value) if isfinite(value) else None
    if kind is int:
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def text_of(value: Any) -> str | None:
    """The text that a JSON text is."""
    return value if type(value) is str else None


def boolean_of(value: Any) -> bool | None:
    """The boolean that a JSON boolean is."""
    return value if type(value) is bool else None


def list_of(value: Any) -> Any:
    """The list that a JSON list is."""
    return value if isinstance(value, list | tuple) else None


def any_of(value: Any) -> Any:
    """A value of a document, whatever it is."""
    return value


def date_of(value: Any, zone: ZoneInfo) -> date | None:
    """The day that a date's or a moment's text tells, in the zone."""
    if type(value) is not str:
        return None
    if _DATE.fullmatch(value):
        return parsed_date(value)
    moment = parsed_moment(value)
    return None if moment is None else day_of(moment, zone)


def moment_of(value: Any, zone: ZoneInfo) -> int | None:
    """The moment that a text tells, in milliseconds; of a date its start in the zone."""
    if type(value) is not str:
        return None
    if _DATE.fullmatch(value):
        day = parsed_date(value)
        return None if day is None else start_of(day, zone)
    return parsed_moment(value)


def parsed_date(text: str) -> date | None:
    """A date such as 2026-11-22; None for any other text."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parsed_moment(text: str) -> int | None:
    """An ISO 8601 moment in milliseconds, further digits cut off; without an offset it is UTC."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        told = datetime.fromisoformat(_BEYOND_MS.sub(r"\1", text))
    except ValueError:
        return None
    return ms_of(told if told.tzinfo else told.replace(tzinfo=UTC))


def at(document: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path of a document; None where a step is missing or no object."""
    for step in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(step)
    return document


def finite(number: float) -> float | None:
    """The number, or None for one that is infinite or none at all."""
    return number if isfinite(number) else None


def folded(text: str) -> str:
    """The text in lower case, each character by itself: no locale, no context."""
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


def micros_of(number: float) -> int | None:
    """Millionths, halves away from zero, as sums add them up; None beyond 10^12."""
    if not abs(number) <= LARGEST_SUMMED:
        return None
    return trunc(number * MICRO + copysign(0.5, number))


def number_of_micros(micros: int) -> float:
    """The number nearest to so many millionths."""
    if -LARGEST_EXACT < micros < LARGEST_EXACT:
        return micros / MICRO
    whole, rest = divmod(abs(micros), MICRO)
    return copysign(float(whole) + rest / MICRO, micros)


def pattern_of(like: str) -> re.Pattern[str]:
    """The regular expression of a LIKE pattern."""
    made, is_escaped = [], False
    for letter in like:
        if is_escaped or letter not in "%_\\":
            made.append(re.escape(letter))
            is_escaped = False
        elif letter == "\\":
            is_escaped = True
        else:
            made.append(".*" if letter == "%" else ".")
    return re.compile("".join(made), re.DOTALL)
