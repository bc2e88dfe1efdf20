"""What a volume of events costs in a month, line by line, from counted work and listed prices.

The work of one event comes from the benches (write units, function times); each is a named value
that `stamgast cost` shows, so that a measured one can take its place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from stamgast_cli.bill.prices import PRICES

GIB = 1024**3
PROCESS_BATCH = 10
STATES_OF_A_RUN, STATES_OF_AN_IDLE_RUN = 10, 4
HOURS_LISTED = 26
TIMELINE_BYTES = 900
ITEM_BYTES = 2_000
ARCHIVED_SHARE = 0.2


@dataclass(frozen=True)
class Volume:
    """A month of one workspace."""

    events: int = 1_000_000
    events_per_request: int = 10
    event_bytes: int = 1_000
    lookups: int = 100_000
    profiles: int = 50_000
    runs: int = 720
    new_runs: int = 720
    months_kept: int = 12


@dataclass(frozen=True)
class Work:
    """What one unit of work takes; the defaults are the benches' figures, rounded up."""

    collect_ms: float = 15
    process_ms: float = 150
    lookup_ms: float = 12
    idle_run_ms: float = 3_000
    run_ms: float = 60_000
    write_units: float = 2.9
    read_units: float = 3.0
    lookup_read_units: float = 4.0
    tombstone_read_units: float = 2.0
    """One for each identifier that a batch names: whether it was erased."""


@dataclass(frozen=True)
class Line:
    """So many units of something at its price."""

    stage: str
    what: str
    units: float

    @property
    def usd(self) -> float:
        """Dollars in the month."""
        return self.units * PRICES[self.what]


FIXED: Mapping[str, str] = {
    "KMS key": "AWS::KMS::Key",
    "Secret": "AWS::SecretsManager::Secret",
    "Alarm": "AWS::CloudWatch::Alarm",
    "Dashboard": "AWS::CloudWatch::Dashboard",
}
# An account's first three dashboards are free for ever; no other free tier is counted.
FREE = {"Dashboard": 3}
# Lambda keeps five pollers on a queue, each asking every 20 seconds.
POLLS = 5 * 3 * 60 * 24 * 30
DRAINS = 12 * 24 * 30


def fixed_lines(types: Iterable[str]) -> list[Line]:
    """Return what a stack of resources of these types costs without one event."""
    counted = list(types)
    lines = [
        Line("fixed", what, max(0, counted.count(kind) - FREE.get(what, 0)))
        for what, kind in FIXED.items()
    ]
    return [line for line in lines if line.units]


def volume_lines(volume: Volume, work: Work) -> list[Line]:
    """Return what the volume adds, in data order."""
    requests = volume.events / volume.events_per_request
    return [
        *_ticks(),
        *_ingestion(requests, volume, work),
        *_live(requests, volume, work),
        *_authoritative(volume, work),
        *_lookup(volume, work),
        *_kept(volume),
    ]


def _ticks() -> Iterator[Line]:
    """Yield what goes on without one event."""
    yield Line("profile", "SQS request of 64 KB", POLLS)
    yield Line("identity", "Lambda request", DRAINS)
    yield Line("identity", "Lambda GB-second, arm64", _gb_seconds(DRAINS, 50, 1024))


def _ingestion(requests: float, volume: Volume, work: Work) -> Iterator[Line]:
    chunks = max(1.0, volume.events_per_request * volume.event_bytes * 0.3 / 65_536)
    yield Line("ingestion", "CloudFront HTTPS request", requests)
    yield Line("ingestion", "REST API request", requests)
    yield Line("ingestion", "Lambda request", requests)
    yield Line("ingestion", "Lambda GB-second, arm64", _gb_seconds(requests, work.collect_ms, 1769))
    yield Line("ingestion", "SQS request of 64 KB", requests * (chunks + 0.2))
    yield Line("ingestion", "DynamoDB write unit", requests * 0.1)
    yield Line("ingestion", "Log GB taken in", requests * 400 / GIB)


def _live(requests: float, volume: Volume, work: Work) -> Iterator[Line]:
    invocations = requests / PROCESS_BATCH
    gigabytes = volume.events * volume.event_bytes / GIB
    yield Line("raw", "Firehose GB", gigabytes)
    yield Line("raw", "S3 PUT", min(invocations, 720 * 60))
    yield Line("profile", "Lambda request", invocations)
    milliseconds = work.process_ms * max(1, volume.events_per_request / 10)
    yield Line("profile", "Lambda GB-second, arm64", _gb_seconds(invocations, milliseconds, 1769))
    yield Line("profile", "DynamoDB write unit", volume.events * work.write_units)
    yield Line("profile", "DynamoDB read unit", volume.events * work.read_units)
    yield Line("erasure", "DynamoDB read unit", volume.events * work.tombstone_read_units)
    yield Line("profile", "KMS request", invocations)
    yield Line("identity", "EventBridge event", volume.profiles)


def _authoritative(volume: Volume, work: Work) -> Iterator[Line]:
    new = min(volume.runs, volume.new_runs)
    states = new * STATES_OF_A_RUN + (volume.runs - new) * STATES_OF_AN_IDLE_RUN
    seconds = _gb_seconds(new, work.run_ms, 3008)
    seconds += _gb_seconds(volume.runs - new, work.idle_run_ms, 3008)
    yield Line("authoritative", "Step Functions transition", states)
    yield Line("authoritative", "Lambda GB-second, arm64", seconds)
    yield Line("authoritative", "S3 LIST", volume.runs * HOURS_LISTED)
    yield Line("authoritative", "S3 PUT", new * 60)
    yield Line("authoritative", "S3 GET", new * 600)


def _lookup(volume: Volume, work: Work) -> Iterator[Line]:
    yield Line("lookup", "HTTP API request", volume.lookups)
    yield Line("lookup", "Lambda request", volume.lookups)
    yield Line(
        "lookup", "Lambda GB-second, arm64", _gb_seconds(volume.lookups, work.lookup_ms, 1024)
    )
    yield Line("lookup", "DynamoDB read unit", volume.lookups * work.lookup_read_units)
    yield Line("lookup", "DynamoDB write unit", volume.lookups)  # the salt of the audit log's line
    yield Line("lookup", "Log GB taken in", volume.lookups * 400 / GIB)
    # A record put by itself is billed as 5 KB (Firehose, pricing of Direct PUT).
    yield Line("lookup", "Firehose GB", volume.lookups * 5 * 1024 / GIB)


def _kept(volume: Volume) -> Iterator[Line]:
    archived = volume.events * volume.months_kept * volume.event_bytes * ARCHIVED_SHARE * 2 / GIB
    items = (volume.profiles * ITEM_BYTES + 3 * volume.events * TIMELINE_BYTES) / GIB
    yield Line("raw", "S3 GB-month", archived)
    yield Line("profile", "DynamoDB GB-month", items)


def _gb_seconds(times: float, milliseconds: float, memory_mb: int) -> float:
    return times * milliseconds / 1000 * memory_mb / 1024
