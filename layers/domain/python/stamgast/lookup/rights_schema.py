"""The JSON of requests of persons, after OpenDSR 2.0: what a body may hold."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_IDENTITIES = 200
MOST_REQUESTS = 100
# What OpenDSR calls the identities for which a workspace has names of its own.
NAMESPACES = {"controller_customer_id": "user_id"}


class Form(BaseModel):
    """A body whose unknown fields are ignored, as OpenDSR asks."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Identity(Form):
    """One identifier of the person; only raw values are taken."""

    identity_type: Annotated[str, Field(max_length=100, examples=["email"])]
    identity_value: Annotated[str, Field(max_length=1200, examples=["ada@example.org"])]
    identity_format: Literal["raw"] = "raw"


class SubjectRequest(Form):
    """One request of one person."""

    subject_request_id: UUID
    subject_request_type: Literal["erasure", "access", "portability"]
    subject_identities: Annotated[list[Identity], Field(min_length=1, max_length=MOST_IDENTITIES)]
    regulation: Annotated[str, Field(max_length=40, examples=["gdpr"])] = "gdpr"
    api_version: Annotated[str, Field(max_length=10)] = "2.0"
    status_callback_urls: Annotated[
        list[Annotated[str, Field(max_length=1000)]], Field(max_length=5)
    ] = []


class Batch(Form):
    """Several requests at once: carried out together."""

    requests: Annotated[list[SubjectRequest], Field(min_length=1, max_length=MOST_REQUESTS)]


class PlanBody(Form):
    """Whom a plan is about."""

    subject_identities: Annotated[list[Identity], Field(min_length=1, max_length=MOST_IDENTITIES)]


class SettleBody(Form):
    """Which erasure is closed, and why; the reason stands in the certificate and names nobody."""

    subject_request_id: UUID
    reason: Annotated[str, Field(min_length=3, max_length=500)]


def settle_body(text: str) -> SettleBody | str:
    """What is to be closed; what is wrong with the body as text."""
    try:
        return SettleBody.model_validate_json(text)
    except ValidationError as error:
        return told(error)


def rights_body(text: str) -> list[SubjectRequest] | str:
    """The requests of a body, one or a batch; what is wrong with it as text."""
    try:
        if '"requests"' in text:
            return Batch.model_validate_json(text).requests
        return [SubjectRequest.model_validate_json(text)]
    except ValidationError as error:
        return told(error)


def plan_body(text: str) -> list[Identity] | str:
    """Whom a plan is about; what is wrong with the body as text."""
    try:
        return PlanBody.model_validate_json(text).subject_identities
    except ValidationError as error:
        return told(error)


def told(error: ValidationError) -> str:
    """The first fault with its place; never a value, which may be personal."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{place}: {first['msg']}"
