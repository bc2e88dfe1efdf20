"""Batches reach ingestion through throttling and lost connections, and only where that can help."""

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest

from stamgast_cli.delivery import ATTEMPTS, BusyError, Delivery, RefusedError

Answer = httpx.Response | Exception


class Api:
    """Gives the told answers one after another and keeps what was asked and slept."""

    def __init__(self, *answers: Answer) -> None:
        self._answers: Iterator[Answer] = iter(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def delivery(self, *, is_strict: bool = False) -> Delivery:
        client = httpx.Client(base_url="http://front", transport=httpx.MockTransport(self._answer))
        return Delivery(client, "sec_key", is_strict=is_strict, sleep=self.slept.append)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def busy(status: int = 503, retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": retry_after} if retry_after else {})


def test_a_batch_goes_gzipped_with_the_key_as_user_name() -> None:
    api = Api(httpx.Response(200))

    api.delivery().post(b'{"batch":[]}')

    request = api.requests[0]
    assert gzip.decompress(request.content) == b'{"batch":[]}'
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["authorization"].startswith("Basic ")


def test_it_waits_as_long_as_the_server_asks() -> None:
    api = Api(busy(429, "7"), busy(503, "3"), httpx.Response(200))

    api.delivery().post(b"{}")

    assert api.slept == [7, 3]


def test_a_lost_connection_is_tried_again() -> None:
    api = Api(httpx.ReadError("lost"), httpx.Response(200))

    api.delivery().post(b"{}")

    assert len(api.requests) == 2


def test_a_refusal_is_told_at_once_with_the_servers_words() -> None:
    api = Api(httpx.Response(400, json={"code": "bad_json", "message": "not JSON"}))

    with pytest.raises(RefusedError, match="bad_json"):
        api.delivery(is_strict=True).post(b"{}")

    assert api.requests[0].headers["x-strict-mode"] == "1"
    assert api.slept == []


@pytest.mark.parametrize("fault", [busy, lambda: httpx.ConnectError("down")])
def test_it_gives_up_after_a_bounded_number_of_attempts(fault: Callable[[], Answer]) -> None:
    api = Api(*(fault() for _ in range(ATTEMPTS)))

    with pytest.raises((BusyError, httpx.ConnectError)):
        api.delivery().post(b"{}")

    assert len(api.requests) == ATTEMPTS
