"""Jobs of the API about segments: waited for until they are over."""

import time
from typing import Any

from stamgast_cli.commands.asking import ask
from stamgast_cli.deployment import Deployment

OVER = ("done", "failed")
LOOK_AGAIN_SECONDS = 2.0


def finished(deployment: Deployment, token: str | None, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it is over; the API itself calls one over of which nothing is heard."""
    while job["state"] not in OVER:
        time.sleep(LOOK_AGAIN_SECONDS)
        job = ask(deployment, token, "GET", f"/v1/segments/jobs/{job['job']}")
    return job
