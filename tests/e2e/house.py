"""One running deployment as its tests use it: send, look up, run, read what lies in the lake."""

import gzip
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from stamgast_cli.commands.running import follow, start
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.local.places import Places
from stamgast_cli.local.up import Connection
from stamgast_cli.output import Output

T = TypeVar("T")
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class House:
    """A deployment and how clients reach it."""

    places: Places
    connection: Connection

    @property
    def deployment(self) -> Deployment:
        """The deployment as the verbs see it."""
        return find(None, self.places)

    def send(self, *events: dict[str, Any], **told: Any) -> httpx.Response:
        """Post a batch with the server's key."""
        key = told.pop("key", self.connection.server_write_key)
        body = gzip.compress(json.dumps({"batch": events}).encode())
        return httpx.post(
            f"{self.connection.ingest_url}/v1/batch",
            content=body,
            headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
            auth=httpx.BasicAuth(key, ""),
            timeout=60,
            **told,
        )

    def profile(self, identifier: str) -> dict[str, Any] | None:
        """Return the profile behind an identifier, or None."""
        answer = httpx.post(
            f"{self.connection.profile_url}/v1/profiles:lookup",
            json={
                "identifiers": [identifier],
                "include": ["traits", "segments", "rfm", "activity", "identifiers"],
            },
            headers={"Authorization": f"Bearer {self.connection.reader_token}"},
            timeout=60,
        )
        answer.raise_for_status()
        result = answer.json()["results"][0]
        found: dict[str, Any] | None = result.get("profile")
        return found

    def timeline(self, identifier: str) -> list[dict[str, Any]]:
        """Return the newest events of a person; none while nobody is known by the identifier."""
        answer = httpx.get(
            f"{self.connection.profile_url}/v1/profiles/{identifier}/timeline",
            headers={"Authorization": f"Bearer {self.connection.reader_token}"},
            timeout=60,
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        answer.raise_for_status()
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def run(self) -> dict[str, Any]:
        """Run the authoritative loop to its end."""
        return follow(self.deployment, start(self.deployment), Output(is_json=True))

    def archived(self, prefix: str = "raw/") -> Iterator[dict[str, Any]]:
        """Yield every archived record."""
        client, bucket = self.deployment.client("s3"), self.deployment.output("LakeBucket")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                body = client.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
                text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
                yield from (json.loads(line) for line in text.splitlines() if line)


def eventually(ask: Callable[[], T], is_right: Callable[[T], bool] = bool) -> T:
    """Ask until the answer is right; return the last answer when patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_right(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def name(prefix: str) -> str:
    """Return an id that no other test uses."""
    return f"{prefix}-{secrets.token_hex(6)}"


def now() -> str:
    """Return this moment as clients write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order(user: str, revenue: float, **told: Any) -> dict[str, Any]:
    """Return a purchase."""
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": name("order"),
        "userId": user,
        "timestamp": now(),
        "properties": {"order_id": name("o"), "revenue": revenue, "currency": "EUR"},
        **told,
    }
