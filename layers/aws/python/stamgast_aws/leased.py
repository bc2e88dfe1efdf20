"""A stage of a machine of its own that commits under the run's lease, and waits for it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from stamgast_aws.run_lease import DynamoRunLease

Payload: TypeAlias = dict[str, Any]


def under_lease(
    lease: DynamoRunLease, event: Mapping[str, Any], stage: Callable[[int], Payload]
) -> Payload:
    """The payload with what the stage answers, which is given the run's number under the lease.

    `status` is `done`, or `busy` while another run holds it; `tries` counts how often it was asked.
    """
    run_id, tries = event["run_id"], int(event.get("tries", 0)) + 1
    seq = lease.acquire(run_id)
    if seq is None:
        return {**event, "status": "busy", "tries": tries}
    try:
        told = stage(seq)
    finally:
        lease.release(run_id, seq)
    return {**event, "status": "done", "tries": tries, **told}
