"""Look-ups over HTTP as an application makes them, each timed by the clock of its client."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any
from urllib.parse import quote

import httpx

from stamgast_cli.deployment import Deployment

BATCH = 100
UNANSWERED = (
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
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
        namespace, _, value = named.partition(":")
        path = f"/v1/profiles/{namespace}:{quote(value, safe='')}"
        answer = self.client.get(path, params={"include": include})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def profiles(self, named: Sequence[str], include: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Many profiles by their identifiers; nobody is left out."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(named), BATCH):
            body = {"identifiers": list(named[start : start + BATCH]), "include": list(include)}
            answer = self.client.post("/v1/profiles:lookup", json=body).raise_for_status()
            for one in answer.json()["results"]:
                if one["status"] == httpx.codes.OK:
                    found[one["identifier"]] = one["profile"]
        return found

    def _shown(self, named: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What look-ups show by now; nothing while the gateway has no answer."""
        try:
            return self.profiles(named, ["activity"])
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in UNANSWERED:
                raise
            return {}

    def timeline(self, named: str, limit: int = 40) -> dict[str, Any]:
        """The newest events of one person."""
        namespace, _, value = named.partition(":")
        path = f"/v1/profiles/{namespace}:{quote(value, safe='')}/timeline"
        told: dict[str, Any] = (
            self.client.get(path, params={"limit": str(limit)}).raise_for_status().json()
        )
        return told

    def explained(self, named: str) -> dict[str, Any]:
        """Why the person behind an identifier is one person."""
        body = {"identifier": named, "cuts": 3}
        answer = self.client.post("/v1/identity:explain", json=body).raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def health(self) -> dict[str, Any]:
        """The figures of identity that the last run measured."""
        runs = self.client.post("/v1/identity:health", json={}).raise_for_status().json()["runs"]
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
        """Waits until each person was last seen at or after a moment; returns who never was.

        A gateway that gives up on a busy machine (502 to 504) is asked again until then.
        """
        missing, ends = set(expected), time.monotonic() + seconds
        while missing and time.monotonic() < ends:
            found = self._shown(sorted(missing))
            missing -= {
                one
                for one, profile in found.items()
                if (profile["last_seen_at"] or "") >= expected[one]
            }
            if missing:
                time.sleep(pause)
        return missing


@contextmanager
def readers(deployment: Deployment) -> Iterator[Readers]:
    """A connection with the deployment's reader token."""
    headers = {"Authorization": f"Bearer {deployment.reader_token}"}
    with httpx.Client(base_url=deployment.profile_url, headers=headers, timeout=60) as client:
        yield Readers(client)
