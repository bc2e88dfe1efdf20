"""The JSON that requests of persons are answered with, after OpenDSR 2.0, for its description."""

from typing import Any, Literal

from pydantic import BaseModel

from stamgast.lookup.schema import Problem


class SupportedIdentity(BaseModel):
    """A kind of identifier by which persons are named."""

    identity_type: str
    identity_format: Literal["raw"]


class Discovery(BaseModel):
    """What is taken, and the public key of signatures (base64 of its DER; empty without one)."""

    api_version: str
    supported_identities: list[SupportedIdentity]
    supported_subject_request_types: list[str]
    processor_certificate: str


class Head(BaseModel):
    """What every answer says of a request."""

    subject_request_id: str
    subject_request_type: Literal["erasure", "access", "portability"]
    controller_id: str
    received_time: str
    expected_completion_time: str
    api_version: str


class RightsCreated(Head):
    """A request that was taken; `encoded_request` is the body as it came, in base64."""

    encoded_request: str


class RightsCreatedBatch(BaseModel):
    """Several requests that were taken together."""

    requests: list[RightsCreated]


class CallbackStatus(BaseModel):
    """How a call-back goes: what was told last, the tries of the present status, the failure."""

    status_callback_url: str
    told: str | None
    tries: int
    failure: str | None


class RightsStatus(Head):
    """Where a request stands; what is missing is not known yet, or not of this type."""

    request_status: Literal["pending", "in_progress", "completed", "cancelled"]
    clock: Literal["running", "close", "overdue", "met"]
    callbacks: list[CallbackStatus] = []
    results_url: str | None = None
    page_url: str | None = None
    results_count: int | None = None
    counts: dict[str, int] | None = None
    found: int | None = None
    stores: dict[str, int] | None = None
    batch: int | None = None
    recomputes: bool | None = None
    unreachable_since: str | None = None
    is_proven: bool | None = None
    certificate: dict[str, Any] | None = None


class RightsListing(BaseModel):
    """All requests in which something is left to be done, to be proven or to be told."""

    requests: list[RightsStatus]


class RightsPlan(BaseModel):
    """How much of a person each store holds."""

    identifiers: int
    persons: int
    others_touched: int
    found: int
    stores: dict[str, int]


class RightsCounting(BaseModel):
    """The plan is being counted; the same call tells it once that is done."""

    state: Literal["counting"]


class RightsBegun(BaseModel):
    """The work has begun behind the answer."""

    begun: Literal[True]


class RightsAgain(BaseModel):
    """The erasures that were begun anew; none where nothing of the erased is there again."""

    requests: list[Head]
    salts: int


class RightsComparing(BaseModel):
    """Tombstones are being compared; the same call tells how far, and its outcome at the end."""

    state: Literal["comparing"]
    compared: int
    of: int


class RightsFaultDetail(BaseModel):
    """One fault of a body: the field with its place, and what to do."""

    domain: Literal["Validation"]
    reason: str
    message: str


class RightsFault(BaseModel):
    """OpenDSR's form of a fault; `errors` are all that are wrong with a body."""

    code: int
    message: str
    errors: list[RightsFaultDetail] = []


class RightsProblem(Problem):
    """A refusal, in this product's form and in OpenDSR's."""

    error: RightsFault
