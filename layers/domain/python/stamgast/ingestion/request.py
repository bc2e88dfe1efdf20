"""What a front hands over, and what goes back: HTTP without a server or a cloud in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from stamgast.ingestion.reasons import REQUEST_FAULTS


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole request was refused, by a code of `reasons`; `details` go into the answer."""

    code: str
    retry_after_seconds: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of this code."""
        return REQUEST_FAULTS[self.code][0]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case, `body` is as far inflated as it came
    (a refusal when the gateway's text of it is none).

    `ip` is the truncated address of the sender, `host` and `scheme` are those it asked.
    """

    method: str
    path: str
    request_id: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Refusal = field(default=b"", repr=False)
    ip: str | None = None
    host: str = "localhost"
    scheme: str = "https"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body (JSON, or the picture of a pixel) and headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


SUCCESS = Answer(200, b'{"success": true}')


def answer_of(refusal: Refusal) -> Answer:
    """`{"code": ..., "message": ...}`: a client that misses one of them resends for ever."""
    status, message = REQUEST_FAULTS[refusal.code]
    seconds = refusal.retry_after_seconds
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    told = {"code": refusal.code, "message": message, **refusal.details}
    return Answer(status, orjson.dumps(told), headers)
