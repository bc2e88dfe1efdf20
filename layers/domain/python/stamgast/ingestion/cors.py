"""Cross-origin headers (WHATWG Fetch, section 3.2), the same on every answer, errors included."""

from dataclasses import replace

from stamgast.ingestion.request import Answer, Request

MAX_AGE_SECONDS = 86_400
DEFAULT_HEADERS = "authorization, content-type, content-encoding, x-retry-count, x-strict-mode"


def with_cors(answer: Answer, request: Request) -> Answer:
    """The answer with the origin and the requested headers echoed.

    Credentials are allowed because beacons always send them; no cookie is read here.
    """
    origin = request.headers.get("origin")
    asked = request.headers.get("access-control-request-headers")
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Access-Control-Allow-Origin": _printable(origin) or "*",
        "Access-Control-Allow-Headers": _printable(asked) or DEFAULT_HEADERS,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Expose-Headers": "Retry-After",
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
        "Vary": "Origin, Access-Control-Request-Headers",
    }
    if origin:
        headers["Access-Control-Allow-Credentials"] = "true"
    return replace(answer, headers={**headers, **answer.headers})


def _printable(told: str | None) -> str | None:
    return told if told and told.isascii() and told.isprintable() and len(told) < 4096 else None
