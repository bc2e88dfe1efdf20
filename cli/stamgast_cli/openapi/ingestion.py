"""The description of the ingestion API."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stamgast.ingestion.bounds import DEFAULT
from stamgast.ingestion.reasons import REQUEST_FAULTS
from stamgast.ingestion.routes import Kind, Route, served
from stamgast_cli.openapi.parts import Json, answer, content, heading, parameter, schemas

IDS = "userId or anonymousId is required; numbers become texts."


class Loose(BaseModel):
    """A form that may carry more than is named here."""

    model_config = ConfigDict(extra="allow")


class EventBody(Loose):
    """One call of a client, as Segment's spec has it; what is not named here is kept as it is."""

    userId: str | int | None = Field(None, description=IDS)  # noqa: N815  the wire's name
    anonymousId: str | int | None = Field(None, description=IDS)  # noqa: N815
    previousId: str | int | None = None  # noqa: N815
    groupId: str | int | None = None  # noqa: N815
    event: str | None = None
    messageId: str | None = Field(  # noqa: N815
        None, max_length=DEFAULT.message_id_characters, description="One effect for each."
    )
    timestamp: str | float | None = None
    originalTimestamp: str | float | None = None  # noqa: N815
    sentAt: str | float | None = None  # noqa: N815
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    writeKey: str | None = None  # noqa: N815


class TypedEvent(EventBody):
    """One event of a batch."""

    type: str


class BatchBody(Loose):
    """Many events; batch-level context and integrations go into each of them."""

    batch: list[TypedEvent] = Field(max_length=DEFAULT.events)
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    sentAt: str | None = None  # noqa: N815
    writeKey: str | None = None  # noqa: N815


class Taken(BaseModel):
    """The whole request is durable."""

    success: bool = True


class Verdict(BaseModel):
    """What strict mode says of one event."""

    index: int
    accepted: bool
    code: str = Field("", description="Of a refused event alone, like the two after it.")
    path: str | None = None
    message: str = ""


class Refused(BaseModel):
    """Why a request was refused."""

    code: str
    message: str
    verdicts: list[Verdict] = Field([], description="In strict mode alone, one for each event.")


class Fetched(Loose):
    """What a browser or mobile client reads first, as its vendor shapes it."""


KEY_FAULTS = ("unauthorized", "keys_unavailable")
WRITE_KEY = parameter("writeKey", "The write key, where neither Basic nor the body has it.")
STRICT = parameter(
    "X-Strict-Mode", "`1`: all events or none, with a verdict for each.", place="header"
)
DATA = parameter("data", "The event as base64.")
DURABLE_PICTURE: Json = {
    "description": "Durable; one transparent pixel. Whoever accepts pictures gets it for refusals.",
    "content": {"image/gif": {}},
}


def ingestion_document() -> Json:
    """OpenAPI 3.1 of the ingestion API, from its routes, bounds and faults."""
    paths: dict[str, Json] = {}
    for (method, path), route in sorted(served().items()):
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, route)
    return heading(
        "Stamgast: ingestion",
        "Takes what unmodified Segment-compatible clients send. Each path is also served without "
        f"`/v1`. A request has at most {DEFAULT.request_bytes:,} bytes inflated and "
        f"{DEFAULT.events:,} events of at most {DEFAULT.event_bytes:,} bytes; gzip goes with any "
        "content type.",
    ) | {
        "paths": paths,
        "security": [{"basic": []}, {}],
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "Key as user name."}
            },
            "schemas": schemas(
                (EventBody, TypedEvent, BatchBody, Taken, Verdict, Refused, Fetched)
            ),
        },
    }


def _operation(method: str, path: str, route: Route) -> Json:
    operation: Json = {
        "operationId": f"{method.lower()}{path.replace('/', '_').strip('_{}')}",
        "summary": f"{route.kind.value.replace('_', ' ')} {route.type or ''}".strip(),
        "tags": [route.kind.value],
        "parameters": _parameters(path, route),
        "responses": _responses(route),
    }
    if method == "POST" and route.kind is not Kind.IGNORED:
        model = EventBody if route.kind is Kind.EVENT else BatchBody
        operation["requestBody"] = {"required": True, "content": content(model)}
    return operation


def _parameters(path: str, route: Route) -> list[Json]:
    if "{writeKey}" in path:
        return [parameter("writeKey", "A public write key.", place="path")]
    if route.kind is Kind.PIXEL:
        return [DATA, WRITE_KEY]
    return [WRITE_KEY, STRICT] if route.kind in (Kind.EVENT, Kind.BATCH, Kind.IMPORT) else []


def _responses(route: Route) -> Json:
    """What a path answers; every refusal of the gateway has the same form."""
    if route.kind in (Kind.SETTINGS, Kind.SOURCE_CONFIG):
        told = answer("What the client fetches before it sends.", Fetched)
        return {"200": told} | _refusals(KEY_FAULTS)
    taken = DURABLE_PICTURE if route.kind is Kind.PIXEL else answer("Durable.", Taken)
    return {"200": taken} | _refusals(REQUEST_FAULTS)


def _refusals(codes: Iterable[str]) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        status, text = REQUEST_FAULTS[code]
        by_status.setdefault(status, []).append(f"`{code}`: {text}")
    return {
        str(status): answer("; ".join(texts), Refused)
        for status, texts in sorted(by_status.items())
    }
