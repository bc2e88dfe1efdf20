"""Look-ups over HTTP as an application makes them, each timed by the clock of its client."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any
from urllib.parse import quote

import httpx
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_exponential

from stamgast_cli.deployment import Deployment

BATCH, TRIES = 100, 6
UNANSWERED = (
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)


def _is_unanswered(error: BaseException) -> bool:
    return isinstance(error, httpx.HTTPStatusError) and error.response.status_code in UNANSWERED


# A gateway gives up on functions that wait for a busy machine, and the next try finds them awake.
_again = retry(
    retry=retry_if_exception(_is_unanswered),
    wait=wait_exponential(0.5, max=4),
    stop=stop_after_attempt(TRIES),
    reraise=True,
)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of many calls."""

    milliseconds: tuple[float, ...]

    def figures(self) -> dict[str, float | int]:
        """Median, 95th and 99th percentile, the slowest, and how many."""
        cuts = quantiles(self.milliseconds, n=100, method="inclusive")
        told = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(self.milliseconds)}
        return {name: round(value, 2) for name, value in told.items()} | {
            "count": len(self.milliseconds)
        }


@dataclass(frozen=True, slots=True)
class Readers:
    """One connection to the look-up API."""

    client: httpx.Client

    def profile(self, named: str, include: str = "traits,segments,rfm,activity") -> dict[str, Any]:
        """One profile; an empty one for nobody."""
        return self._ask("GET", _path(named), params={"include": include})

    def profiles(self, named: Sequence[str], include: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Many profiles by their identifiers; nobody is left out."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(named), BATCH):
            body = {"identifiers": list(named[start : start + BATCH]), "include": list(include)}
            for one in self._ask("POST", "/v1/profiles:lookup", json=body)["results"]:
                if one["status"] == httpx.codes.OK:
                    found[one["identifier"]] = one["profile"]
        return found

    def timeline(self, named: str, limit: int = 40) -> dict[str, Any]:
        """The newest events of one person."""
        return self._ask("GET", f"{_path(named)}/timeline", params={"limit": str(limit)})

    def explained(self, named: str) -> dict[str, Any]:
        """Why the person behind an identifier is one person."""
        return self._ask("POST", "/v1/identity:explain", json={"identifier": named, "cuts": 3})

    def health(self) -> dict[str, Any]:
        """The figures of identity that the last run measured."""
        runs = self._ask("POST", "/v1/identity:health", json={})["runs"]
        return dict(runs[0]) if runs else {}

    def timed(self, named: Sequence[str]) -> Latency:
        """How long each of these look-ups takes, one after the other."""
        spent = []
        for one in named:
            began = time.perf_counter()
            self.profile(one)
            spent.append((time.perf_counter() - began) * 1000)
        return Latency(tuple(spent))

    def wait_until(
        self, expected: Mapping[str, str], seconds: float, pause: float = 0.5
    ) -> set[str]:
        """Waits until each person was last seen at or after a moment; returns who never was."""
        missing, ends = set(expected), time.monotonic() + seconds
        while missing and time.monotonic() < ends:
            found = self.profiles(sorted(missing), ["activity"])
            missing -= {
                one
                for one, profile in found.items()
                if (profile["last_seen_at"] or "") >= expected[one]
            }
            if missing:
                time.sleep(pause)
        return missing

    @_again
    def _ask(self, method: str, path: str, **told: Any) -> dict[str, Any]:
        answer = self.client.request(method, path, **told)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def _path(named: str) -> str:
    namespace, _, value = named.partition(":")
    return f"/v1/profiles/{namespace}:{quote(value, safe='')}"


@contextmanager
def readers(deployment: Deployment) -> Iterator[Readers]:
    """A connection with the deployment's reader token."""
    headers = {"Authorization": f"Bearer {deployment.reader_token}"}
    with httpx.Client(base_url=deployment.profile_url, headers=headers, timeout=60) as client:
        yield Readers(client)
