"""How many events a second a source may send, over all the processes that take them."""

from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from stamgast.ingestion.write_key import Source

SYNC_MS = 1_000
BURST_SECONDS = 10
LONGEST_WAIT_SECONDS = 60
MOST_SOURCES = 10_000


class RateLedgerError(Exception):
    """The shared count did not answer."""


class RateLedger(Protocol):
    """Counts the events that sources ask to send in one second, over all processes."""

    def add(self, source_id: str, second: int, events: int) -> int:
        """The larger of this second's count after adding and the last second's, now complete.

        Raises RateLedgerError when it cannot be had.
        """


@dataclass(slots=True)
class _Bucket:
    """Tokens of one source in this process; a batch larger than what is left runs into debt."""

    tokens: float
    rate: float
    filled_ms: int
    synced_ms: int
    asked: int = 0


@dataclass(slots=True)
class RateLimiter:
    """A token bucket for each source, whose share of the limit is settled about once a second.

    A process that was asked to take `own` of the `total` events of the last second may take the
    larger of what the others leave and its proportion of the limit in the next. Without the
    ledger it goes by its own count alone: taking events matters more than a limit.
    """

    ledger: RateLedger
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def wait_seconds(self, source: Source, events: int, now_ms: int) -> int | None:
        """None if these events are taken now, else after how many whole seconds to try again."""
        limit = source.events_per_second
        if not limit:
            return None
        bucket = self._bucket(source.source_id, limit, now_ms)
        self._settle(bucket, source.source_id, limit, now_ms)
        self._fill(bucket, now_ms)
        bucket.asked += events
        if bucket.tokens <= 0:
            return min(LONGEST_WAIT_SECONDS, max(1, ceil((1 - bucket.tokens) / bucket.rate)))
        bucket.tokens -= events
        return None

    def _bucket(self, source_id: str, limit: int, now_ms: int) -> _Bucket:
        found = self._buckets.get(source_id)
        if found is None:
            if len(self._buckets) >= MOST_SOURCES:
                self._buckets.clear()
            found = _Bucket(limit * BURST_SECONDS, limit, now_ms, now_ms)
            self._buckets[source_id] = found
        return found

    def _fill(self, bucket: _Bucket, now_ms: int) -> None:
        seconds = max(0, now_ms - bucket.filled_ms) / 1000
        most = bucket.rate * BURST_SECONDS
        bucket.tokens = min(most, bucket.tokens + seconds * bucket.rate)
        bucket.filled_ms = now_ms

    def _settle(self, bucket: _Bucket, source_id: str, limit: int, now_ms: int) -> None:
        if now_ms - bucket.synced_ms < SYNC_MS:
            return
        self._fill(bucket, now_ms)
        own, bucket.asked, bucket.synced_ms = bucket.asked, 0, now_ms
        if not own:
            bucket.rate = limit
            return
        try:
            total = self.ledger.add(source_id, now_ms // 1000, own)
        except RateLedgerError:
            total = own
        bucket.rate = share_of(limit, own, total)


def share_of(limit: int, own: int, total: int) -> float:
    """What a process asked for `own` of `total` may take a second: positive, at most the limit."""
    total = max(own, total)
    return min(limit, max(limit - (total - own), limit * own / total))
