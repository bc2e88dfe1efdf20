"""What makes an event acceptable; a fault is a value, and ids come back as texts."""

from typing import Any

from stamgast.ingestion.bounds import Bounds
from stamgast.ingestion.reasons import EVENT_FAULTS
from stamgast.ingestion.verdicts import Fault

TYPES = frozenset(("identify", "track", "page", "screen", "group", "alias"))
TEXTS = ("userId", "anonymousId", "previousId", "groupId")
MAPPINGS = ("context", "properties", "traits", "integrations")

LARGEST = 10**300

Event = dict[str, Any]


def fault(code: str, path: str = "") -> Fault:
    """A fault with the text of its code."""
    return Fault(code, path, EVENT_FAULTS[code])


def fault_of(event: Event, notes: list[str], bounds: Bounds) -> Fault | None:
    """Why this event cannot be taken, or None; numeric ids in it become texts, with a note."""
    kind = event.get("type")
    if kind.__class__ is not str or kind not in TYPES:
        return fault("type_unknown", "type")
    get = event.get
    for name in TEXTS:
        value = get(name)
        if value is not None and not (
            value.__class__ is str and len(value) <= bounds.id_characters
        ):
            found = _mend_id(event, name, notes, bounds.id_characters)
            if found is not None:
                return found
    for name in MAPPINGS:
        value = get(name)
        if value is not None and value.__class__ is not dict:
            return fault("not_a_mapping", name)
    if not event.get("userId") and not event.get("anonymousId"):
        return fault("id_missing", "userId")
    return None if kind == "identify" else _fault_of_type(event, kind, notes)


def message_id_of(event: Event, notes: list[str], bounds: Bounds) -> str | Fault | None:
    """The client's own message id as a text, None without one, or the fault in it."""
    told = event.get("messageId")
    if told is None or told == "":
        return None
    if told.__class__ is not str:
        found = _mend_id(event, "messageId", notes, bounds.message_id_characters)
        told = event["messageId"]
        if found is not None:
            return found
    if len(told) > bounds.message_id_characters:
        return fault("message_id_too_long", "messageId")
    return str(told)


def _fault_of_type(event: Event, kind: str, notes: list[str]) -> Fault | None:
    if kind == "track":
        return _fault_of_name(event, notes)
    if kind == "group" and not event.get("groupId"):
        return fault("group_id_missing", "groupId")
    if kind == "alias" and not _names_two(event):
        return fault("previous_id_missing", "previousId")
    return None


def _names_two(event: Event) -> bool:
    return bool(event.get("previousId") or (event.get("userId") and event.get("anonymousId")))


def _fault_of_name(event: Event, notes: list[str]) -> Fault | None:
    name = event.get("event")
    if name.__class__ is str and name:
        return None
    text = text_of(name)
    if not text:
        return fault("event_missing", "event")
    event["event"] = text
    notes.append("number_to_text:event")
    return None


def _mend_id(event: Event, name: str, notes: list[str], longest: int) -> Fault | None:
    text = text_of(event[name])
    if text is None:
        return fault("id_not_text", name)
    if len(text) > longest:
        return fault("message_id_too_long" if name == "messageId" else "id_too_long", name)
    if text != event[name]:
        event[name] = text
        notes.append(f"number_to_text:{name}")
    return None


def text_of(told: object) -> str | None:
    """The text of a text or a number (12.0 is "12"); None for anything else.

    Numbers beyond 10^300 are None as well: Python bounds the digits that it writes.
    """
    if isinstance(told, str):
        return told
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < LARGEST:
        return None
    return str(int(told)) if isinstance(told, float) and told.is_integer() else str(told)
