"""An API of the emulator at the root of a port of its own, as CloudFront or a domain does in AWS.

A REST API of AWS lies under its stage's path and inflates gzipped bodies before the function sees
them; the emulator has the path and lacks the inflation. An HTTP API lies at the root already and
does not inflate.
"""

import json
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# API Gateway takes no larger payload, inflated or not.
BODY_LIMIT = 10 * 1024 * 1024
HOP = {b"connection", b"content-length", b"keep-alive", b"te", b"trailer", b"transfer-encoding"}
# The scheme that clients came by; settings documents send them back by the same one.
CAME_BY = (b"x-forwarded-proto", b"http")


class BodyTooLargeError(ValueError):
    """The body, or what it inflates to, is over the gateway's limit."""


class BodyUnreadableError(ValueError):
    """The body says that it is gzip and is not."""


class ClientGoneError(Exception):
    """The client left before its request was whole."""


class Front:
    """Hands requests at its root to one API of the emulator."""

    def __init__(self, app: App, *, target: Callable[[], str | None], inflates: bool) -> None:
        self._app = app
        self._target = target
        self._inflates = inflates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        target = self._target()
        if target is None:
            await _refuse(send, 503, "not_deployed", "no API is deployed yet: run `stamgast up`")
            return
        try:
            body, headers = self._read(await _body(receive), scope["headers"])
        except BodyTooLargeError:
            await _refuse(send, 413, "request_too_large", "the body is over 10 MB")
        except BodyUnreadableError:
            await _refuse(send, 400, "bad_encoding", "the body is not the gzip that it claims")
        except ClientGoneError:
            return
        else:
            await self._app(_moved(scope, target, headers), _replay(body), send)

    def _read(self, body: bytes, headers: Headers) -> tuple[bytes, Headers]:
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in HOP]
        if self._inflates and _is_gzip(kept):
            body = _inflate(body)
            kept = [(name, value) for name, value in kept if name != b"content-encoding"]
        length = [(b"content-length", str(len(body)).encode())] if body else []
        kept = [header for header in kept if header[0] != CAME_BY[0]]
        return body, [*kept, CAME_BY, *length]


def _is_gzip(headers: Headers) -> bool:
    codings = b",".join(value for name, value in headers if name == b"content-encoding")
    return codings.strip().lower() in (b"gzip", b"x-gzip")


def _inflate(body: bytes) -> bytes:
    """Return the inflated body; a bomb costs no more than the limit."""
    reader = zlib.decompressobj(wbits=31)
    try:
        told = reader.decompress(body, BODY_LIMIT + 1)
    except zlib.error as error:
        raise BodyUnreadableError from error
    if len(told) > BODY_LIMIT:
        raise BodyTooLargeError
    if not reader.eof:
        raise BodyUnreadableError
    return told


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise BodyTooLargeError
        if not message.get("more_body", False):
            return b"".join(parts)


def _moved(scope: Scope, target: str, headers: Headers) -> Scope:
    raw = scope.get("raw_path") or scope["path"].encode()
    return {
        **scope,
        "path": target + scope["path"],
        "raw_path": target.encode() + raw,
        "headers": headers,
    }


def _replay(body: bytes) -> Receive:
    messages: Iterable[Message] = iter([{"type": "http.request", "body": body}])

    async def receive() -> Message:
        return next(iter(messages), {"type": "http.disconnect"})

    return receive


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"code": code, "message": message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"access-control-allow-origin", b"*"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
