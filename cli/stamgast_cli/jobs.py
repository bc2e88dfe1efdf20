"""What the API works on for longer than one answer: asked about until it is over."""

import time
from typing import Any

from stamgast_cli.commands.asking import ask
from stamgast_cli.deployment import Deployment

OVER = ("done", "failed")
LOOK_AGAIN_SECONDS, MOST_UNANSWERED = 2.0, 5


def look(
    deployment: Deployment, token: str | None, method: str, path: str, **told: Any
) -> dict[str, Any]:
    """As `ask`, of what may be asked twice: a busy stack that gives no answer is asked again."""
    from httpx import TransportError
    from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

    again = retry(
        retry=retry_if_exception_type(TransportError),
        stop=stop_after_attempt(MOST_UNANSWERED),
        wait=wait_fixed(LOOK_AGAIN_SECONDS),
        reraise=True,
    )
    return again(ask)(deployment, token, method, path, **told)


def finished(deployment: Deployment, token: str | None, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it is over; the API itself calls one over of which nothing is heard."""
    while job["state"] not in OVER:
        time.sleep(LOOK_AGAIN_SECONDS)
        job = look(deployment, token, "GET", f"/v1/segments/jobs/{job['job']}")
    return job
