"""Events of an API Gateway HTTP API (payload format 2.0) as look-ups, and their answers."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any

import orjson

from stamgast.lookup.routes import Request, Response

HEADERS = {"content-type": "application/json", "cache-control": "no-store"}


def lookup_request_of(event: Mapping[str, Any]) -> Request:
    """The look-up that an event asks for.

    The gateway hands the path over percent-decoded and the local emulator encoded: both forms of
    an identifier are read alike further on.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=event["requestContext"]["http"]["method"],
        path=event["rawPath"],
        query=event.get("queryStringParameters") or {},
        token=token_of(headers.get("authorization", "")),
        body=_body(event),
    )


def gateway_answer(response: Response) -> dict[str, Any]:
    """What the function gives back to the gateway."""
    return {
        "statusCode": response.status,
        "headers": {**HEADERS, **response.headers},
        "body": orjson.dumps(response.body).decode(),
        "isBase64Encoded": False,
    }


def token_of(authorisation: str) -> str | None:
    """The Bearer token, or the user name of Basic authentication (RFC 7617)."""
    scheme, _, rest = authorisation.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(rest.strip(), validate=True).decode().partition(":")[0] or None
    except (NotBase64, UnicodeDecodeError):
        return None


def _body(event: Mapping[str, Any]) -> str:
    """The body as text; bytes that are no text become a body that no form fits."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body)
    try:
        return b64decode(body, validate=True).decode()
    except (NotBase64, UnicodeDecodeError):
        return ""
