"""The shape of `segments.yaml`, `traits.yaml` and `tracking_plan.yaml`; rules are texts here."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    values: Annotated[list[str], Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _values_are_texts(self) -> Self:
        if self.values is not None and self.type not in ("text", "any"):
            raise ValueError(f"`values` are texts, so the type is text and not {self.type}")
        return self


class EventPlan(Part):
    """What becomes of an event of this name, if it breaks its plan, if it says more than that."""

    action: Action = "allow"
    on_fault: Action = "flag"
    undeclared: Action | None = None
    description: str = ""
    owner: str | None = None
    properties: dict[str, PropertyPlan] = Field(default_factory=dict, max_length=200)


class TrackingPlanPart(Part):
    """Track calls by name, and what becomes of names and properties that are not planned."""

    unplanned: Action = "allow"
    undeclared: Action = "allow"
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
