"""The tracking plan at work: what becomes of a track call that breaks what its source promised.

Compiled once from a workspace's document; one event costs a look into a dictionary, and a check
for each planned property. The lake's report counts the same faults in SQL
(`stamgast_lake.reports.quality`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import orjson

from stamgast.ingestion.bounds import DEFAULT, Bounds
from stamgast.ingestion.quarantine import reject
from stamgast.ingestion.reasons import PLAN_FAULTS
from stamgast.ingestion.verdicts import Accepted, Envelope, Fault, Rejected

UNPLANNED, REFUSED = "plan_event_unplanned", "plan_event_refused"
MISSING, TYPE = "plan_property_missing", "plan_property_type"
VALUE, UNDECLARED = "plan_property_value", "plan_property_undeclared"
MOST_NOTES = 10
LONGEST_PATH = 200


class Action(IntEnum):
    """What becomes of an event; the strictest that applies wins."""

    ALLOW = 0
    FLAG = 1
    QUARANTINE = 2


Found = tuple[Action, str, str]
"""What a fault asks for, its code and its path."""


@dataclass(frozen=True, slots=True)
class _Property:
    """What a property must be."""

    path: str
    is_required: bool
    is_of_type: Callable[[Any], bool] | None
    values: frozenset[str] | None

    def fault(self, value: Any) -> str | None:
        """The code of what is wrong with a value; null counts as missing."""
        if value is None:
            return MISSING if self.is_required else None
        if self.is_of_type is not None and not self.is_of_type(value):
            return TYPE
        if self.values is not None and not (isinstance(value, str) and value in self.values):
            return VALUE
        return None


@dataclass(frozen=True, slots=True)
class _Event:
    """What is planned of one event."""

    action: Action
    on_fault: Action
    undeclared: Action
    properties: Mapping[str, _Property]

    def faults(self, said: Mapping[str, Any]) -> Iterator[Found]:
        """Every fault of an event's properties that asks for anything."""
        if self.action:
            yield self.action, REFUSED, "event"
        if self.on_fault:
            for name, planned in self.properties.items():
                code = planned.fault(said.get(name))
                if code is not None:
                    yield self.on_fault, code, planned.path
        if self.undeclared:
            for name in said:
                if name not in self.properties:
                    yield self.undeclared, UNDECLARED, f"properties.{name}"[:LONGEST_PATH]


@dataclass(frozen=True, slots=True)
class TrackingPlan:
    """A workspace's plan, compiled."""

    unplanned: Action
    events: Mapping[str, _Event]

    @property
    def is_idle(self) -> bool:
        """Whether nothing in it could ever flag or quarantine an event."""
        return not self.unplanned and not any(
            one.action or one.on_fault or one.undeclared for one in self.events.values()
        )

    def judge(self, event: Mapping[str, Any]) -> list[Found]:
        """The faults of an event as it was read, in the order of the plan."""
        if event.get("type") != "track":
            return []
        planned = self.events.get(event.get("event", ""))
        if planned is None:
            return [(self.unplanned, UNPLANNED, "event")] if self.unplanned else []
        said = event.get("properties")
        return list(planned.faults(said if isinstance(said, dict) else {}))


def tracking_plan_of(told: Mapping[str, Any]) -> TrackingPlan:
    """The plan that a compiled workspace tells; one of an earlier version may tell less."""
    default = told.get("undeclared") or "allow"
    events = {name: _event(one, default) for name, one in told.get("events", {}).items()}
    return TrackingPlan(_action(told.get("unplanned", "allow")), events)


def planned(envelope: Envelope, plan: TrackingPlan, bounds: Bounds = DEFAULT) -> Envelope:
    """The envelope with what the plan refuses among the rejected, and notes on what it flags."""
    if plan.is_idle or not envelope.accepted:
        return envelope
    kept: list[Accepted] = []
    refused: list[Rejected] = []
    for accepted in envelope.accepted:
        found = _faults_of(accepted, plan)
        worst = max(found, key=lambda one: one[0], default=None)
        if worst is None or worst[0] is Action.ALLOW:
            kept.append(accepted)
        elif worst[0] is Action.FLAG:
            kept.append(accepted._replace(notes=(*accepted.notes, *notes_of(found))))
        else:
            refused.append(_refused(accepted, worst, bounds))
    return replace(envelope, accepted=tuple(kept), rejected=(*envelope.rejected, *refused))


def notes_of(found: list[Found]) -> list[str]:
    """The notes that a flagged event carries: `plan_property_missing:properties.revenue`."""
    return [f"{code}:{path}" for action, code, path in found if action][:MOST_NOTES]


def _faults_of(accepted: Accepted, plan: TrackingPlan) -> list[Found]:
    return plan.judge(orjson.loads(accepted.body)) if accepted.type == "track" else []


def _refused(accepted: Accepted, worst: Found, bounds: Bounds) -> Rejected:
    _, code, path = worst
    event = orjson.loads(accepted.body)
    found = Fault(code, path, PLAN_FAULTS[code])
    # Kept whole, for only a whole text can be replayed.
    whole = replace(bounds, original_bytes=bounds.event_bytes)
    rejected = reject(event, accepted.position, found, accepted.body, whole)
    return replace(rejected, message_id=accepted.message_id, stamps=stamps_of(accepted))


def stamps_of(accepted: Accepted) -> dict[str, Any]:
    """What was made of an event when it was taken in, which its text alone does not tell."""
    return {
        "type": accepted.type,
        "original_ms": accepted.original_ms,
        "sent_ms": accepted.sent_ms,
        "event_ms": accepted.event_ms,
        "notes": list(accepted.notes),
    }


def _event(told: Mapping[str, Any], undeclared: str) -> _Event:
    return _Event(
        _action(told["action"]),
        _action(told["on_fault"]),
        _action(told.get("undeclared") or undeclared),
        {name: _property(name, one) for name, one in told["properties"].items()},
    )


def _property(name: str, told: Mapping[str, Any]) -> _Property:
    values = told["values"]
    return _Property(
        f"properties.{name}"[:LONGEST_PATH],
        told["required"],
        CHECKS[told["type"]],
        None if values is None else frozenset(values),
    )


def _action(told: str) -> Action:
    return Action[told.upper()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    """A date or a moment in ISO 8601, as rules read either."""
    # Imported on use: only a plan that names dates needs the language's values.
    from stamgast.segments.language.values import parsed_date, parsed_moment

    is_text = isinstance(value, str)
    return is_text and (parsed_date(value) is not None or parsed_moment(value) is not None)


CHECKS: Mapping[str, Callable[[Any], bool] | None] = {
    "text": lambda value: isinstance(value, str),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "date": _is_time,
    "moment": _is_time,
    "any": None,
}
