"""What `stamgast doctor` looks at: the account's quotas, then one event from end to end."""

import gzip
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from stamgast_cli.deployment import Deployment

NEW_ACCOUNT_CONCURRENCY = 10
WANTED_CONCURRENCY = 100
NEW_ACCOUNT_MEMORY_MB = 3008
SEEN_WITHIN_SECONDS = 60


class Verdict(Enum):
    """How a check ended."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One check: what was found and what to do."""

    check: str
    verdict: Verdict
    found: str


def quotas(deployment: Deployment) -> Iterator[Finding]:
    """Check what a new account is short of."""
    client = deployment.client("lambda")
    try:
        settings = client.get_account_settings()
        functions = client.list_functions()["Functions"]
    except (ClientError, BotoCoreError) as error:
        yield Finding("Lambda's quotas", Verdict.WARNING, f"not readable: {error}")
        return
    yield _concurrency(int(settings["AccountLimit"]["ConcurrentExecutions"]))
    yield _memory(max((int(one["MemorySize"]) for one in functions), default=0))


def _concurrency(limit: int) -> Finding:
    check = "Lambda concurrency of the account"
    if limit <= NEW_ACCOUNT_CONCURRENCY:
        advice = "a new account's: ask for 1,000 in Service Quotas before real traffic"
        return Finding(check, Verdict.BAD, f"{limit}, {advice}")
    if limit < WANTED_CONCURRENCY:
        return Finding(check, Verdict.WARNING, f"{limit}: enough for tests alone")
    return Finding(check, Verdict.GOOD, str(limit))


def _memory(largest: int) -> Finding:
    check = "Lambda memory"
    found = f"the largest function has {largest} MB; a new account allows {NEW_ACCOUNT_MEMORY_MB}"
    is_fine = largest <= NEW_ACCOUNT_MEMORY_MB
    return Finding(check, Verdict.GOOD if is_fine else Verdict.WARNING, found)


def dead_letters(deployment: Deployment) -> Finding:
    """Check that nothing was given up."""
    told = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.output("DeadLetterQueueUrl"),
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    count = int(told["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        return Finding("dead letters", Verdict.BAD, f"{count}: read why, then `stamgast redrive`")
    return Finding("dead letters", Verdict.GOOD, "none")


def end_to_end(deployment: Deployment, write_key: str | None, token: str | None) -> Finding:
    """Send one gzipped event and look its person up; it leaves one anonymous profile behind."""
    check = "a gzipped event, end to end"
    if not write_key or not token:
        return Finding(check, Verdict.WARNING, "skipped: say --write-key and --token")
    visitor = f"doctor-{secrets.token_hex(8)}"
    began = time.monotonic()
    answer = _send(deployment, write_key, visitor)
    if answer.status_code != httpx.codes.OK:
        return Finding(check, Verdict.BAD, f"ingestion answered {answer.status_code}")
    while time.monotonic() - began < SEEN_WITHIN_SECONDS:
        if _is_known(deployment, token, visitor):
            found = f"in the profile after {time.monotonic() - began:.1f} s"
            return Finding(check, Verdict.GOOD, found)
        time.sleep(0.25)
    return Finding(check, Verdict.BAD, f"not in a profile after {SEEN_WITHIN_SECONDS} s")


def _send(deployment: Deployment, write_key: str, visitor: str) -> httpx.Response:
    event = {
        "type": "track",
        "event": "Doctor Called",
        "anonymousId": visitor,
        "messageId": f"doctor-{secrets.token_hex(16)}",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return httpx.post(
        f"{deployment.ingest_url}/v1/batch",
        content=gzip.compress(json.dumps({"batch": [event]}).encode()),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        auth=httpx.BasicAuth(write_key, ""),
        timeout=30,
    )


def _is_known(deployment: Deployment, token: str, visitor: str) -> bool:
    answer = httpx.post(
        f"{deployment.profile_url}/v1/profiles:lookup",
        json={"identifiers": [f"anonymous_id:{visitor}"]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    return answer.is_success and answer.json()["results"][0]["status"] == httpx.codes.OK


UNPROVEN_LOCALLY = (
    "API Gateway's throttling, WAF and custom domain: no emulator enforces them",
    "expiry of items and objects (TTL, lifecycle rules): dropped from templates here",
    "CloudWatch metrics, alarms and the dashboard: logs are written, metrics not extracted",
    "Firehose's buffering and GZIP: one object a record here; both forms are read",
    "the third-party layers: workers use this environment's packages, `make layers` builds them",
    "Athena's own dialect on the tables: DuckDB answers here",
    "arm64, cold starts, and every price",
)
UNPROVEN_IN_AWS = (
    "a restore: see docs/operations/restore.md for the drill",
    "your own traffic's peak: the check above sent one event",
    "alarms' addressees: nobody was called",
)


def unproven(deployment: Deployment) -> tuple[str, ...]:
    """Return what these checks say nothing about."""
    return UNPROVEN_LOCALLY if deployment.is_local else UNPROVEN_IN_AWS
