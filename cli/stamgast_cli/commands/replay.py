"""`stamgast replay`: events that the tracking plan set aside, taken again once it lets them."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from stamgast.ingestion.envelope import encode
from stamgast.ingestion.reasons import PLAN_FAULTS
from stamgast.ingestion.replay import replayed
from stamgast.ingestion.tracking_plan import tracking_plan_of
from stamgast.raw.record import RejectedRecord
from stamgast_aws.event_queue import SqsEventQueue
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store
from stamgast_lake.archive import read_lines

EVENTS_A_CALL = 100
DATE_LENGTH = len("2026-11-22")
Source = Annotated[str | None, typer.Option("--source", help="Events of this source alone.")]
Since = Annotated[
    str | None, typer.Option("--since", help="Events that arrived from this day (UTC) on.")
]
Dry = Annotated[bool, typer.Option("--dry-run", help="Count what would be taken; take nothing.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("replay")(replay)


def replay(
    source: Source = None,
    since: Since = None,
    dry_run: Dry = False,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Take events again that the tracking plan set aside and, as it stands now, would let through.

    Example: stamgast replay --source web --since 2026-11-01 --dry-run

    They keep their source, their times and their ids, so a second replay adds nothing.
    """
    output, deployment = Output(is_json=json), find(stack)
    workspace = store(deployment).current()
    plan = tracking_plan_of(workspace.tracking_plan)
    counts: Counter[str] = Counter()
    with output.step("Reading what was set aside"):
        found = _messages(deployment, source, _day(since), counts, plan, workspace.version)
        queue = SqsEventQueue(deployment.client("sqs"), deployment.output("EventQueueUrl"))
        while part := list(islice(found, EVENTS_A_CALL)):
            if not dry_run:
                queue.put(part)
    output.facts({"set_aside": counts["seen"], "replayed": counts["taken"], "dry_run": dry_run})


def _messages(
    deployment: Deployment,
    source: str | None,
    since: str,
    counts: Counter[str],
    plan: Any,
    version: str,
) -> Iterator[str]:
    for record in _set_aside(deployment, since):
        if source is not None and record.source_id != source:
            continue
        counts["seen"] += 1
        envelope = replayed(record, plan, version)
        if envelope is not None:
            counts["taken"] += 1
            yield encode(envelope)


def _set_aside(deployment: Deployment, since: str) -> Iterator[RejectedRecord]:
    """The records that the tracking plan refused, of objects that arrived from a day on."""
    s3, bucket = deployment.client("s3"), deployment.output("LakeBucket")
    prefix = "rejected/date="
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            if found["Key"].removeprefix(prefix)[:DATE_LENGTH] < since:
                continue
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            for line in read_lines(body):
                record = RejectedRecord.from_json(line)
                if record.code in PLAN_FAULTS:
                    yield record


def _day(told: str | None) -> str:
    """The day as objects name it; every day without one."""
    from stamgast.segments.language.values import parsed_date

    if told is not None and parsed_date(told) is None:
        raise InputError(f"{told!r} is no day", hint="Write it as 2026-11-22.")
    return told or ""
