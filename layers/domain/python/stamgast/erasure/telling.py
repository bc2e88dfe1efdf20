"""Telling those who asked to be called back where their requests stand, signed and bounded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from stamgast.erasure.callbacks import Callback, body_of
from stamgast.erasure.certificate import Sign
from stamgast.erasure.request import RightsRequest, RightsStore
from stamgast.moments import iso_of

VERSION = "2.0"
# What a pass may spend on receivers that do not answer; the rest is left to the next pass.
PASS_SECONDS = 60.0
Send: TypeAlias = Callable[[str, bytes, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Telling:
    """Sends what is due and notes what came of it; `send` returns the kind of its failure.

    A try is noted after it was made: whoever is called may be called twice, and never too seldom.
    """

    requests: RightsStore
    send: Send
    sign: Sign
    seconds: Callable[[], float]

    def tell(self, requests: Sequence[RightsRequest]) -> list[RightsRequest]:
        """The requests as they stand once each of their due call-backs was tried."""
        ends = self.seconds() + PASS_SECONDS
        return [self._told(one, ends) for one in requests]

    def _told(self, request: RightsRequest, ends: float) -> RightsRequest:
        tried: list[Callback] = []
        for one in request.due_callbacks:
            if self.seconds() >= ends:
                break
            tried.append(one.after(request.state.value, self._sent(request, one)))
        if not tried:
            return request
        after = request.called(tried)
        if self.requests.replace(request, after):
            return after
        return self.requests.read(request.request_id) or request

    def _sent(self, request: RightsRequest, one: Callback) -> str:
        body = orjson.dumps(body_of(head_of(request), one.url, request.state.value))
        return self.send(one.url, body, headers_of(request.domain, self.sign(body)))


def head_of(request: RightsRequest) -> dict[str, Any]:
    """What every answer and call-back says of a request."""
    return {
        "subject_request_id": request.request_id,
        "subject_request_type": request.kind.value,
        "controller_id": request.by,
        "received_time": iso_of(request.received_ms),
        "expected_completion_time": iso_of(request.expected_ms),
        "api_version": VERSION,
    }


def headers_of(domain: str, signature: Mapping[str, str] | None) -> dict[str, str]:
    """OpenDSR's headers: the host that requests are sent to, and the signature where one is."""
    told = {"x-opendsr-processor-domain": domain} if domain else {}
    return {**told, **({"x-opendsr-signature": signature["signature"]} if signature else {})}
