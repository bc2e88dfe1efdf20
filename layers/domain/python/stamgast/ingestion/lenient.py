"""JSON as sloppy clients write it, read so that one odd value costs only itself.

NaN and infinities become null, integers beyond 64 bits texts, lone surrogates and bytes that are
no UTF-8 replacement characters, each with a note; of two equal keys the last one counts (RFC 8259
leaves that open). orjson reads what is plain JSON; only the rest comes the slow way.
"""

import json
from dataclasses import dataclass
from typing import Any

import orjson

from stamgast.ingestion.accept import Noted, Unreadable
from stamgast.ingestion.spans import elements, members

BOM = b"\xef\xbb\xbf"
SMALLEST_INT, LARGEST_INT = -(2**63), 2**64 - 1
REPLACEMENT = "\ufffd"
DEEPEST = 200
DIGITS = bytes(ord("0") if chr(code) in "0123456789" else ord("x") for code in range(256))
NINETEEN = b"0" * 19
BEFORE_NUMBER = (b"", b" ", b"\t", b"\r", b"\n", b":", b",", b"[", b"-")
IN_FLOAT = (b".", b"e", b"E")
PRINTED_BITS = 8_192


@dataclass(frozen=True, slots=True)
class _Odd:
    """A value that JSON or 64 bits do not know: what it becomes, and the note about it."""

    becomes: object
    note: str


class _Doubled(dict[str, Any]):
    """An object in which a key stood twice."""


def read(text: bytes) -> object | None:
    """The JSON value of a text; None when nothing in it can be read (or when it is null).

    In a batch that needed leniency each event is `Noted`, or `Unreadable` if it alone failed.
    """
    try:
        return _strictly(text)
    except ValueError:
        return _read_sloppy(text.removeprefix(BOM))


def _strictly(text: bytes) -> object:
    if may_hold_huge_integer(text):
        raise ValueError("orjson would round an integer to a float")
    value: object = orjson.loads(text)
    return value


def may_hold_huge_integer(text: bytes) -> bool:
    """Whether an integer of 19 digits or more stands in the text (or in a text within it).

    Two passes in C over the text; a regular expression takes ten times as long.
    """
    shape = text.translate(DIGITS)
    begin = shape.find(NINETEEN)
    while begin >= 0:
        end = shape.find(b"x", begin)
        end = len(text) if end < 0 else end
        if text[begin - 1 : begin] in BEFORE_NUMBER and text[end : end + 1] not in IN_FLOAT:
            return True
        begin = shape.find(NINETEEN, end)
    return False


def _read_sloppy(text: bytes) -> object | None:
    value = read_leniently(text)
    if _plain(value).__class__ in (dict, Unreadable) and text.lstrip().startswith(b"{"):
        value = _by_parts(text) or value
    return None if isinstance(value, Unreadable) else value


def read_leniently(text: bytes) -> object:
    """One JSON value, wrapped in `Noted` if something was mended, `Unreadable` if all failed."""
    try:
        return _strictly(text)
    except ValueError:
        pass
    notes: list[str] = []
    try:
        told = _decode(text, notes)
        value = _mend(json.loads(told, **_HOOKS), notes, "", DEEPEST)
    except (ValueError, RecursionError):
        return Unreadable(text)
    return Noted(value, tuple(dict.fromkeys(notes))) if notes else value


def mend(value: object) -> tuple[object, tuple[str, ...]]:
    """A parsed value with nothing in it that JSON cannot say, and notes on what was mended.

    Raises RecursionError for one nested deeper than 200 levels.
    """
    notes: list[str] = []
    return _mend(value, notes, "", DEEPEST), tuple(dict.fromkeys(notes))


def _by_parts(text: bytes) -> dict[str, object] | None:
    """The members of a batch read one by one, and its events likewise; None without a batch.

    What was mended in a member, or that nothing in it could be read, is noted on every event.
    """
    spans = members(text)
    batch = spans.pop(b"batch", None)
    if batch is None or not text.startswith(b"[", batch[0]):
        return None
    found: dict[str, object] = {}
    notes: list[str] = []
    for name, (begin, end) in spans.items():
        step = name[:40].decode("ascii", "replace")
        value = read_leniently(text[begin:end])
        if isinstance(value, Unreadable):
            notes.append(f"unreadable:batch.{step}")
            continue
        notes += [f"{note}@batch.{step}" for note in _notes(value)]
        found[name.decode("utf-8", "replace")] = _plain(value)
    events = [read_leniently(text[begin:end]) for begin, end in elements(text, *batch)]
    return {**found, "batch": [_with_notes(event, tuple(notes)) for event in events]}


def _with_notes(event: object, notes: tuple[str, ...]) -> object:
    if not notes or isinstance(event, Unreadable):
        return event
    return Noted(_plain(event), _notes(event) + notes)


def _notes(value: object) -> tuple[str, ...]:
    return value.notes if isinstance(value, Noted) else ()


def _plain(value: object) -> object:
    return value.event if isinstance(value, Noted) else value


def _decode(text: bytes, notes: list[str]) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        notes.append("bad_utf8")
        return text.decode("utf-8", "replace")


def _integer(digits: str) -> object:
    if len(digits) <= 20 and SMALLEST_INT <= (value := int(digits)) <= LARGEST_INT:
        return value
    return _Odd(digits, "huge_integer")


def _float(digits: str) -> object:
    value = float(digits)
    return value if abs(value) != float("inf") else _Odd(None, "not_finite")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    return told if len(told) == len(pairs) else _Doubled(told)


_HOOKS: dict[str, Any] = {
    "parse_constant": lambda _: _Odd(None, "not_finite"),
    "parse_int": _integer,
    "parse_float": _float,
    "object_pairs_hook": _object,
    "strict": False,
}


def _mend(value: object, notes: list[str], path: str, levels: int) -> object:
    if levels < 0:
        raise RecursionError("nested too deep to be mended")
    if isinstance(value, dict):
        if isinstance(value, _Doubled):
            notes.append(f"doubled_key:{path}")
        return {
            _text(str(name), notes, path): _mend(one, notes, _under(path, str(name)), levels - 1)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_mend(one, notes, path, levels - 1) for one in value]
    return _mend_scalar(value, notes, path)


def _mend_scalar(value: object, notes: list[str], path: str) -> object:
    if isinstance(value, int) and not SMALLEST_INT <= value <= LARGEST_INT:
        value = _Odd(_digits(value), "huge_integer")
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        value = _Odd(None, "not_finite")
    if isinstance(value, _Odd):
        notes.append(f"{value.note}:{path}")
        return value.becomes
    return _text(value, notes, path) if isinstance(value, str) else value


def _digits(value: int) -> str:
    """Decimal digits; hexadecimal ones where Python bounds the time of the conversion."""
    return str(value) if value.bit_length() < PRINTED_BITS else hex(value)


def _text(text: str, notes: list[str], path: str) -> str:
    if text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text):
        return text
    notes.append(f"lone_surrogate:{path}")
    return "".join(REPLACEMENT if "\ud800" <= sign <= "\udfff" else sign for sign in text)


def _under(path: str, name: str) -> str:
    """The path of a member, cut short and in plain ASCII: names in events may be anything."""
    step = name[:40].encode("ascii", "replace").decode()
    return f"{path}.{step}"[:120] if path else step
