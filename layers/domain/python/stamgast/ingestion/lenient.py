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
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _read_sloppy(text.removeprefix(BOM))
    return value


def _read_sloppy(text: bytes) -> object | None:
    value = read_leniently(text)
    if _plain(value).__class__ in (dict, Unreadable) and text.lstrip().startswith(b"{"):
        value = _by_parts(text) or value
    return None if isinstance(value, Unreadable) else value


def read_leniently(text: bytes) -> object:
    """One JSON value, wrapped in `Noted` if something was mended, `Unreadable` if all failed."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
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
        value = _Odd(hex(value), "huge_integer")
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        value = _Odd(None, "not_finite")
    if isinstance(value, _Odd):
        notes.append(f"{value.note}:{path}")
        return value.becomes
    return _text(value, notes, path) if isinstance(value, str) else value


def _text(text: str, notes: list[str], path: str) -> str:
    if text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text):
        return text
    notes.append(f"lone_surrogate:{path}")
    return "".join(REPLACEMENT if "\ud800" <= sign <= "\udfff" else sign for sign in text)


def _under(path: str, name: str) -> str:
    """The path of a member, cut short and in plain ASCII: names in events may be anything."""
    step = name[:40].encode("ascii", "replace").decode()
    return f"{path}.{step}"[:120] if path else step
