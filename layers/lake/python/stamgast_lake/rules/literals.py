"""Values of the language as literals of SQL, and JSON values read as types."""

from datetime import date
from typing import Any

from stamgast.moments import iso_of
from stamgast.segments.language.tree import Type
from stamgast.segments.language.values import DATE_FORM, MOMENT_FORM

NULLS = {
    Type.BOOLEAN: "boolean",
    Type.NUMBER: "double",
    Type.TEXT: "varchar",
    Type.DATE: "date",
    Type.MOMENT: "timestamptz",
    Type.LIST: "varchar[]",
    Type.ANY: "json",
}


def quoted(text: str) -> str:
    """A text between quotes."""
    return "'" + text.replace("'", "''") + "'"


def moment_sql(ms: int) -> str:
    """An instant."""
    return f"cast('{iso_of(ms)}' as timestamptz)"


def literal_sql(kind: Type, value: Any) -> str:
    """A value of the language; a number goes by its shortest text, which both sides read alike."""
    if value is None:
        return f"cast(null as {NULLS[kind]})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f"cast('{value.isoformat()}' as date)"
    if kind is Type.MOMENT:
        return moment_sql(int(value))
    if kind is Type.NUMBER:
        return f"cast('{value!r}' as double)"
    return quoted(value)


def read_json(kind: Type, json: str, zone: str) -> str:
    """A JSON value as a type; null for a value of another type.

    The JSON text of a value tells its type: only a number casts, only a text begins with a quote.
    """
    raw = f"cast({json} as varchar)"
    match kind:
        case Type.NUMBER:
            return finite(f"try_cast({raw} as double)")
        case Type.BOOLEAN:
            return f"case {raw} when 'true' then true when 'false' then false end"
        case Type.LIST:
            elements = f"cast(json_extract({json}, '$[*]') as varchar[])"
            return f"case when starts_with({raw}, '[') then {elements} end"
        case Type.ANY:
            return f"case when {raw} <> 'null' then {json} end"
    text = f"case when starts_with({raw}, '\"') then {_unquoted(raw, json)} end"
    if kind is Type.TEXT:
        return text
    return read_date(text, zone) if kind is Type.DATE else read_moment(text, zone)


def read_quotation(json: str) -> str:
    """The JSON text of a text; null for a value of another type."""
    raw = f"cast({json} as varchar)"
    return f"case when starts_with({raw}, '\"') then {raw} end"


def quotation(text: str) -> str | None:
    """A text as the engine writes it into JSON; None for one that needs escapes there."""
    is_plain = not any(one in '"\\' or one < " " for one in text)
    return f'"{text}"' if is_plain else None


def _unquoted(raw: str, json: str) -> str:
    """The text between the quotes of JSON; only one with escapes is parsed again."""
    parsed, cut = f"json_extract_string({json}, '$')", f"substr({raw}, 2, length({raw}) - 2)"
    return f"case when contains({raw}, '\\') then {parsed} else {cut} end"


def finite(number: str) -> str:
    """The number, or null for one that is infinite or none at all."""
    return f"case when isfinite({number}) then {number} end"


def read_date(text: str, zone: str) -> str:
    """The day that a date's or a moment's text tells, in the zone."""
    day = f"try_cast({text} as date)"
    moment = f"cast({_instant(text)} at time zone {quoted(zone)} as date)"
    return (
        f"case when regexp_full_match({text}, {quoted(DATE_FORM)}) then {day}"
        f" when regexp_full_match({text}, {quoted(MOMENT_FORM)}) then {moment} end"
    )


def read_moment(text: str, zone: str) -> str:
    """The instant that a text tells; of a date its start in the zone."""
    return (
        f"case when regexp_full_match({text}, {quoted(DATE_FORM)})"
        f" then {start_sql(f'try_cast({text} as date)', zone)}"
        f" when regexp_full_match({text}, {quoted(MOMENT_FORM)}) then {_instant(text)} end"
    )


def start_sql(day: str, zone: str) -> str:
    """The first instant of a day in the zone."""
    return f"(cast({day} as timestamp) at time zone {quoted(zone)})"


def _instant(text: str) -> str:
    """To the millisecond; further digits are cut off."""
    cut = f"regexp_replace({text}, '(\\.[0-9]{{3}})[0-9]+', '\\1')"
    return f"try_cast({cut} as timestamptz)"
