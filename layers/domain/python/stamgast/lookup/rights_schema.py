"""The JSON of requests of persons, after OpenDSR 2.0: what a body may hold.

What a request says has to be what the specification has; what it leaves out is taken as the least
that it can mean, for an erasure that is refused over a formality harms the person (0293).
"""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    UUID4,
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from stamgast.lookup.faults import Fault
from stamgast.moments import parse_iso

MOST_IDENTITIES = 200
MOST_REQUESTS = 100
MOST_FAULTS = 20
# What OpenDSR calls the identities for which a workspace has names of its own.
NAMESPACES = {"controller_customer_id": "user_id"}
# OpenGDPR (0.1, 1.0), OpenDSR, and the form of it that names identities by their types (3.0).
VERSIONS = re.compile(r"0\.1|[123](\.\d{1,3}){0,2}")
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))?", re.ASCII
)
VALUE, FORMAT = (
    "must be a text of at most 1200 characters",
    "must be raw; a hash leads to nobody here",
)
FIXES = {
    "subject_request_id": "must be a UUID of version 4 that you make for this request",
    "subject_request_type": "must be erasure, access or portability",
    "subject_identities": f"must be a list of 1 to {MOST_IDENTITIES} identities",
    "identity_type": "must be one of those that GET /v3/discovery lists",
    **dict.fromkeys(("identity_value", "value"), VALUE),
    **dict.fromkeys(("identity_format", "encoding"), FORMAT),
    "regulation": "must be gdpr or ccpa, in the words of OpenDSR 2.0; left out it is gdpr",
    "submitted_time": "must be a moment after RFC 3339, such as 2026-11-22T09:30:00Z; "
    "left out it is now",
    "api_version": "must be 1.0, 2.0 or 3.0 as a text; left out it is 2.0",
    "status_callback_urls": "must be a list of at most five addresses of at most 1000 characters",
    "requests": f"must be a list of 1 to {MOST_REQUESTS} requests",
    "reason": "must be a text of 3 to 500 characters",
}


def _known_version(told: str) -> str:
    if VERSIONS.fullmatch(told) is None:
        raise ValueError("unknown")
    return told


def _moment(told: str) -> str:
    if RFC_3339.fullmatch(told) is None:
        raise ValueError("no moment")
    try:
        parse_iso(told.upper())
    except OverflowError as error:
        raise ValueError("beyond the years") from error
    return told.upper()


def _lowered(told: Any) -> Any:
    return told.lower() if isinstance(told, str) else told


def _listed(told: Any) -> Any:
    """Identities by their types, as requests of version 3.0 have them, in a list."""
    if not isinstance(told, dict):
        return told
    return [
        {**one, "identity_type": name} if isinstance(one, dict) else one
        for name, one in told.items()
    ]


class Form(BaseModel):
    """A body whose unknown fields are ignored, as OpenDSR asks."""

    model_config = ConfigDict(extra="ignore", frozen=True, validate_by_name=True)


class Identity(Form):
    """One identifier of the person; only raw values are taken."""

    identity_type: Annotated[str, Field(max_length=100, examples=["email"])]
    identity_value: Annotated[
        str,
        Field(
            max_length=1200,
            examples=["ada@example.org"],
            validation_alias=AliasChoices("identity_value", "value"),
        ),
    ]
    identity_format: Annotated[
        Literal["raw"], Field(validation_alias=AliasChoices("identity_format", "encoding"))
    ] = "raw"


Identities = Annotated[
    list[Identity], Field(min_length=1, max_length=MOST_IDENTITIES), BeforeValidator(_listed)
]


class SubjectRequest(Form):
    """One request of one person; the deadline runs from `submitted_time`."""

    subject_request_id: UUID4
    subject_request_type: Literal["erasure", "access", "portability"]
    subject_identities: Identities
    regulation: Annotated[Literal["gdpr", "ccpa"], BeforeValidator(_lowered)] = "gdpr"
    submitted_time: Annotated[
        str, AfterValidator(_moment), Field(max_length=40, examples=["2026-11-22T09:30:00Z"])
    ] = ""
    api_version: Annotated[str, AfterValidator(_known_version), Field(max_length=10)] = "2.0"
    status_callback_urls: Annotated[
        list[Annotated[str, Field(max_length=1000)]], Field(max_length=5)
    ] = []

    def submitted_ms(self, now_ms: int) -> int:
        """When the person asked, in ms since 1970; the moment of receipt where that is not told."""
        return parse_iso(self.submitted_time) if self.submitted_time else now_ms


class Batch(Form):
    """Several requests at once: carried out together."""

    requests: Annotated[list[SubjectRequest], Field(min_length=1, max_length=MOST_REQUESTS)]


class Batched(Form):
    """Whether a body holds several requests."""

    requests: Any = None


class PlanBody(Form):
    """Whom a plan is about."""

    subject_identities: Identities


class SettleBody(Form):
    """Which erasure is closed, and why; the reason stands in the certificate and names nobody."""

    subject_request_id: UUID
    reason: Annotated[str, Field(min_length=3, max_length=500)]


def settle_body(text: str) -> SettleBody | Fault:
    """What is to be closed; or what is wrong with the body."""
    try:
        return SettleBody.model_validate_json(text)
    except ValidationError as error:
        return told(error)


def rights_body(text: str) -> list[SubjectRequest] | Fault:
    """The requests of a body, one or a batch; or what is wrong with it."""
    try:
        if Batched.model_validate_json(text).requests is not None:
            return Batch.model_validate_json(text).requests
        return [SubjectRequest.model_validate_json(text)]
    except ValidationError as error:
        return told(error)


def plan_body(text: str) -> list[Identity] | Fault:
    """Whom a plan is about; or what is wrong with the body."""
    try:
        return PlanBody.model_validate_json(text).subject_identities
    except ValidationError as error:
        return told(error)


def told(error: ValidationError) -> Fault:
    """Each fault with its place and what to do; never a value, which may be personal."""
    faults = [_fault(one) for one in error.errors(include_input=False, include_url=False)]
    return wrong("bad_body", *dict.fromkeys(faults[:MOST_FAULTS]))


def wrong(code: str, *faults: str) -> Fault:
    """A refused body in OpenDSR's form: the first fault as its message, all of them as `errors`."""
    errors = [{"domain": "Validation", "reason": code, "message": one} for one in faults]
    return Fault(400, code, faults[0], more={"errors": errors})


def _fault(one: Any) -> str:
    names = [part for part in one["loc"] if isinstance(part, str)]
    place = ".".join(str(part) for part in one["loc"]) or "body"
    if one["type"] == "missing" or not names:
        return f"{place}: {one['msg']}"
    return f"{place}: {FIXES.get(names[-1], one['msg'])}."
