"""The front puts an API at the root of a port and inflates gzip as a REST API does, no more."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from stamgast_cli.local.front import BODY_LIMIT, Front, Message, Receive, Scope, Send

TARGET = "/restapis/abc/live/_user_request_"


class Recorder:
    """An application that keeps what it was asked and answers 200."""

    def __init__(self) -> None:
        self.scope: Scope = {}
        self.body = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def ask(
    front: Front, *, path: str = "/v1/batch", body: list[bytes] | None = None, **headers: str
) -> tuple[int, bytes]:
    """Return the status and body of one request whose body comes in these pieces."""
    pieces = body or [b""]
    received: Iterator[Message] = iter(
        {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1}
        for place, piece in enumerate(pieces)
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(received, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }
    asyncio.run(front(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"]) if sent else (0, b"")


def headers_of(recorder: Recorder) -> dict[bytes, bytes]:
    return dict(recorder.scope["headers"])


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def front(recorder: Recorder) -> Front:
    return Front(recorder, target=lambda: TARGET, inflates=True)


def test_a_request_at_the_root_reaches_the_stage_with_path_and_host_kept(
    front: Front, recorder: Recorder
) -> None:
    assert ask(front, path="/v1/t", host="127.0.0.1:8080", body=[b"{}"]) == (200, b"done")

    assert recorder.scope["path"] == f"{TARGET}/v1/t"
    assert recorder.scope["raw_path"] == f"{TARGET}/v1/t".encode()
    assert headers_of(recorder)[b"host"] == b"127.0.0.1:8080"


def test_a_gzipped_body_that_came_in_chunks_arrives_inflated_and_whole(
    front: Front, recorder: Recorder
) -> None:
    zipped = gzip.compress(b'{"batch": []}')

    ask(front, body=[zipped[:7], zipped[7:]], content_encoding="gzip", transfer_encoding="chunked")

    assert recorder.body == b'{"batch": []}'
    assert headers_of(recorder) == {b"content-length": b"13", b"x-forwarded-proto": b"http"}


def test_an_api_that_does_not_inflate_gets_the_bytes_as_they_came(recorder: Recorder) -> None:
    front = Front(recorder, target=lambda: TARGET, inflates=False)
    zipped = gzip.compress(b"{}")

    ask(front, body=[zipped], content_encoding="gzip")

    assert recorder.body == zipped
    assert headers_of(recorder)[b"content-encoding"] == b"gzip"


def test_a_gzip_bomb_is_refused_before_it_is_whole(front: Front, recorder: Recorder) -> None:
    bomb = gzip.compress(b"\0" * (BODY_LIMIT + 1))

    status, body = ask(front, body=[bomb], content_encoding="gzip")

    assert (status, json.loads(body)["code"]) == (413, "request_too_large")
    assert not recorder.scope


def test_a_plain_body_over_the_gateways_limit_is_refused(front: Front) -> None:
    status, _ = ask(front, body=[b"x" * (BODY_LIMIT // 2 + 1)] * 2)

    assert status == 413


@pytest.mark.parametrize(
    "body", [b"plain text", gzip.compress(b"x" * 99)[:-9]], ids=["plain", "cut short"]
)
def test_a_body_that_only_claims_to_be_gzip_is_refused(front: Front, body: bytes) -> None:
    status, told = ask(front, body=[body], content_encoding="gzip")

    assert (status, json.loads(told)["code"]) == (400, "bad_encoding")


def test_before_the_first_deploy_the_front_says_what_to_do(recorder: Recorder) -> None:
    front = Front(recorder, target=lambda: None, inflates=True)

    status, body = ask(front, body=[b"{}"])

    assert status == 503
    assert "stamgast up" in json.loads(body)["message"]
