"""Moments as milliseconds since 1970 in UTC, and their ISO 8601 spelling."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# By how much the clock of somebody who asks about a moment may be ahead of ours.
CLOCKS_DIFFER = timedelta(minutes=1)


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware moment, rounded down."""
    since = moment - EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def moment_of(ms: int) -> datetime:
    """The aware UTC moment that lies this many milliseconds after 1970."""
    return EPOCH + ms * MILLISECOND


def iso_of(ms: int) -> str:
    """ISO 8601 in UTC with milliseconds: 2026-11-22T03:17:14.123Z."""
    return moment_of(ms).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_iso(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 text; one without an offset is taken as UTC.

    Raises ValueError for text in another form and OverflowError beyond the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return ms_of(moment)
