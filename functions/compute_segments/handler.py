"""`compute_segments`: works off previews and exports of segments, part by part."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from stamgast.lookup.segments.jobs import State
from stamgast_aws.clients import client
from stamgast_aws.line_log import LineLog
from stamgast_aws.live_persons import DynamoLivePersons
from stamgast_aws.run_wiring import RunSettings, lake_access
from stamgast_aws.segment_jobs import DynamoSegmentJobs, LambdaWorker
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import deployed_lake
from stamgast_lake.segment_work import SegmentWork

READS_AT_ONCE = 8
# What a part of an export takes at most; with less time left the next invocation begins it.
LEAST_LEFT_MS = 6 * 60_000
AFTER_ITS_END_MS = 5_000


class Context(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may go on."""
        ...


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment; the worker is this very function, which it calls to go on."""

    profiles_table: str
    worker_function: str


@cache
def settings() -> Settings:
    """The settings, read on the first job."""
    return read_settings(Settings)


@cache
def worker() -> LambdaWorker:
    """What begins the next invocation."""
    return LambdaWorker(client("lambda"), settings().worker_function)


def work(context: Context) -> SegmentWork:
    """The adapters of one invocation."""
    dynamodb = client("dynamodb")
    threads = ThreadPoolExecutor(READS_AT_ONCE)
    return SegmentWork(
        lake=deployed_lake(**lake_access(settings())),
        persons=DynamoLivePersons(dynamodb, settings().profiles_table, threads, time.sleep),
        jobs=DynamoSegmentJobs(dynamodb, settings().control_table),
        now_ms=now_ms,
        is_time_left=lambda: context.get_remaining_time_in_millis() > LEAST_LEFT_MS,
    )


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Works on one job; where time runs out, another invocation goes on with it."""
    log = LineLog()
    until_ms = now_ms() + context.get_remaining_time_in_millis() + AFTER_ITS_END_MS
    job = work(context).do(event["job"], until_ms)
    if job is None:
        log.info("job is another's or over", job=event["job"])
        return {"state": "none"}
    if job.state is State.WAITING:
        worker().begin(job.job_id)
    log.info("job left", job=job.job_id, kind=job.kind.value, state=job.state.value, part=job.part)
    return {"state": job.state.value}
