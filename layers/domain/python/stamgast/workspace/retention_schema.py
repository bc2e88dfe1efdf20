"""The shape of `retention.yaml`: for how many days a store or a class of properties stays."""

from typing import Annotated

from pydantic import AfterValidator, Field

from stamgast.erasure.stores import ENDS
from stamgast.workspace.consent_schema import Property
from stamgast.workspace.schema import Part

LONGEST = 36_500
OF_ORDERS = ("order_id", "revenue", "total", "value", "currency", "products")


def _may_end(path: str) -> str:
    root, _, rest = path.partition(".")
    first = rest.partition(".")[0]
    if first == "consent" and root in ("traits", "context"):
        raise ValueError(f"{path!r} says what a person agreed to, which stays with the person")
    if root == "properties" and first in OF_ORDERS:
        raise ValueError(f"{path!r} is what an order is counted by; it ends with `events`")
    return path


Days = Annotated[int, Field(ge=1, le=LONGEST)]
Ending = Annotated[Property, AfterValidator(_may_end)]


class PropertyClassPart(Part):
    """Properties that leave events and profiles so many days after the event."""

    days: Days
    paths: Annotated[list[Ending], Field(min_length=1, max_length=100)]


class RetentionPart(Part):
    """Days for each store; what is not said stays for good, or until the platform's own rule."""

    raw_events: Days | None = None
    imports: Days | None = None
    rejected_events: Annotated[int, Field(ge=1, le=ENDS["rejected/"])] | None = None
    events: Days | None = None
    history: Days | None = None
    egress_receipts: Days | None = None
    properties: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,40}$")], PropertyClassPart] = (
        Field(default_factory=dict, max_length=20)
    )


class RetentionFile(Part):
    """`retention.yaml`; what was not said is not written."""

    retention: Annotated[RetentionPart, Field(exclude_if=lambda told: told == RetentionPart())] = (
        RetentionPart()
    )


RETENTION_FILES: dict[str, type[Part]] = {"retention.yaml": RetentionFile}
