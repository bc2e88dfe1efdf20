"""Numbers and moments as files spell them, told by an example or a pattern."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

# An example of each form: the sign between thousands, and the one before decimals.
NUMBERS = {
    "1234.56": ("", "."),
    "1234,56": ("", ","),
    "1,234.56": (",", "."),
    "1.234,56": (".", ","),
    "1 234,56": (" ", ","),
    "1'234.56": ("'", "."),
}
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
NARROW_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'"})

Spelling = Callable[[str], object]


class UnknownFormatError(ValueError):
    """A format that is neither an example of a number nor a pattern of a moment."""


def spelling_of(form: str, time_zone: str = "UTC") -> Spelling:
    """What reads a text of this form, and returns None for a text of another.

    A form with a `%` is a pattern of `datetime.strptime` (a day alone is its first moment in the
    zone; moments come out in ISO 8601); any other is one of the examples in NUMBERS.
    """
    if "%" in form:
        return _moment(form, ZoneInfo(time_zone))
    if form not in NUMBERS:
        examples = ", ".join(repr(one) for one in NUMBERS)
        raise UnknownFormatError(f"{form!r} is neither a pattern such as %d.%m.%Y nor {examples}")
    return _number(*NUMBERS[form])


def iso_of_zone(time_zone: str) -> Spelling:
    """What reads an ISO 8601 text without an offset in the zone, and returns None for any other.

    A day alone is its first moment there; moments come out in ISO 8601, in UTC.
    """
    zone = ZoneInfo(time_zone)

    def read(text: str) -> object:
        if ISO_DAY.match(text) is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return None if at.tzinfo else _told(at, zone)

    return read


def _number(group: str, point: str) -> Spelling:
    groups = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|" if group else ""
    whole = re.compile(rf"[+-]?(?:{groups}\d+)(?:{re.escape(point)}(\d+))?")

    def read(text: str) -> object:
        plain = text.strip().translate(NARROW_SPACES)
        found = whole.fullmatch(plain)
        if found is None:
            return None
        digits = (plain.replace(group, "") if group else plain).replace(point, ".")
        return int(digits) if found.group(1) is None else float(digits)

    return read


def _moment(pattern: str, zone: ZoneInfo) -> Spelling:
    try:
        told = _parsed(datetime(2000, 2, 3, tzinfo=UTC).strftime(pattern), pattern)
    except ValueError as error:
        raise UnknownFormatError(f"{pattern!r} is no pattern of a moment") from error
    if (told.year, told.month, told.day) != (2000, 2, 3):
        raise UnknownFormatError(f"{pattern!r} names no whole day, as the pattern %d.%m.%Y does")

    def read(text: str) -> object:
        try:
            at = _parsed(text.strip(), pattern)
        except ValueError:
            return None
        return _told(at, zone)

    return read


def _told(at: datetime, zone: ZoneInfo) -> str | None:
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    try:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return None


def _parsed(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is the mapping's
