"""The shape of `segments.yaml`, `traits.yaml` and `tracking_plan.yaml`; rules are texts here."""

from typing import Annotated, Literal

from pydantic import Field

from stamgast.workspace.schema import Part

MOST_SEGMENTS = 500
MOST_COMPUTED = 200
MOST_EVENTS = 1_000
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,60}$")]
Action = Literal["allow", "flag", "quarantine"]


class SegmentPart(Part):
    """One segment: its rule, and what it is for."""

    rule: str
    title: str | None = None
    description: str = ""
    purpose: Name | None = None
    owner: str | None = None


class ComputedPart(Part):
    """One computed trait: how it is made, of what, of which events, in which window."""

    making: Literal[
        "expression",
        "count",
        "sum",
        "average",
        "minimum",
        "maximum",
        "first",
        "last",
        "most_frequent",
        "unique_list",
        "unique_count",
        "days_since",
        "usual_interval",
        "share",
    ]
    value: str | None = None
    where: str | None = None
    matching: str | None = None
    window: str = "lifetime"
    limit: Annotated[int, Field(gt=0, le=100)] = 20
    description: str = ""


class PropertyPlan(Part):
    """What a property of an event must be; without `values` anything of its type."""

    type: Literal["text", "number", "boolean", "date", "moment", "list", "object", "any"] = "any"
    required: bool = False
    values: list[str] | None = None


class EventPlan(Part):
    """What becomes of an event of this type: if it keeps to its properties, and if it does not."""

    action: Action = "allow"
    on_fault: Action = "flag"
    description: str = ""
    owner: str | None = None
    properties: dict[str, PropertyPlan] = Field(default_factory=dict, max_length=200)


class TrackingPlanPart(Part):
    """Events by name, and what becomes of a name that is not planned."""

    unplanned: Action = "allow"
    events: dict[str, EventPlan] = Field(default_factory=dict, max_length=MOST_EVENTS)


class SegmentsFile(Part):
    """`segments.yaml`"""

    segments: dict[Name, SegmentPart] = Field(default_factory=dict, max_length=MOST_SEGMENTS)


class TraitsFile(Part):
    """`traits.yaml`"""

    traits: dict[Name, ComputedPart] = Field(default_factory=dict, max_length=MOST_COMPUTED)


class TrackingPlanFile(Part):
    """`tracking_plan.yaml`"""

    tracking_plan: TrackingPlanPart = TrackingPlanPart()


SEGMENT_FILES: dict[str, type[Part]] = {
    "traits.yaml": TraitsFile,
    "segments.yaml": SegmentsFile,
    "tracking_plan.yaml": TrackingPlanFile,
}
