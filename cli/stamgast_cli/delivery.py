"""Batches over HTTP: gzipped, and sent again for as long as that can help."""

import gzip
import time
from collections.abc import Callable

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from stamgast_cli.errors import StamgastError

ATTEMPTS = 8
WAIT = wait_random_exponential(multiplier=0.2, max=20)


class RefusedError(StamgastError):
    """The API refused a batch for a reason that sending again does not change."""


class BusyError(StamgastError):
    """The API asks to try later."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(
            f"ingestion answered {status} at every one of {ATTEMPTS} attempts",
            hint="Send the file again later: what was taken will be a duplicate, nothing is lost.",
        )
        self.retry_after = retry_after


class Delivery:
    """Posts batches to one ingestion API with one write key."""

    def __init__(
        self,
        client: httpx.Client,
        write_key: str,
        *,
        is_strict: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._auth = httpx.BasicAuth(write_key, "")
        self._headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if is_strict:
            self._headers["X-Strict-Mode"] = "1"
        self._retrying = Retrying(
            retry=retry_if_exception_type((BusyError, httpx.TransportError)),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_wait,
            reraise=True,
            sleep=sleep,
        )

    def post(self, body: bytes) -> None:
        """Deliver one batch; raises RefusedError, BusyError or httpx.TransportError at last."""
        self._retrying(self._once, gzip.compress(body, compresslevel=5, mtime=0))

    def _once(self, body: bytes) -> None:
        answer = self._client.post(
            "/v1/batch", content=body, headers=self._headers, auth=self._auth
        )
        if answer.status_code == httpx.codes.OK:
            return
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            told = answer.headers.get("Retry-After", "")
            raise BusyError(answer.status_code, float(told) if told.isdigit() else None)
        raise RefusedError(
            f"ingestion refused a batch ({answer.status_code}): {answer.text[:2000]}"
        )


def _wait(state: RetryCallState) -> float:
    """Return the seconds that the server asked for, else a random and growing time."""
    fault = state.outcome.exception() if state.outcome else None
    if isinstance(fault, BusyError) and fault.retry_after is not None:
        return fault.retry_after
    return WAIT(state)
