"""Times as clients spell them, and the correction of their clocks."""

import math
from contextlib import suppress

from stamgast.moments import parse_iso

EARLIEST_MS = -62_135_596_800_000
LATEST_MS = 253_402_300_799_999
MILLISECONDS_FROM = 10**11
OLDEST_MS = 20 * 366 * 86_400_000
DIGITS_OF_A_DAY = len("20260103")


def read_ms(told: object) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 text or a number of seconds or milliseconds.

    None for anything else. Numbers from 10^11 on are milliseconds (as seconds: the year 5138).
    """
    if isinstance(told, str):
        ms = _of_text(told)
        return ms if ms is not None and EARLIEST_MS <= ms <= LATEST_MS else None
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    ms = int(told if abs(told) >= MILLISECONDS_FROM else told * 1000)
    return ms if EARLIEST_MS <= ms <= LATEST_MS else None


def _of_text(told: str) -> int | None:
    """ISO 8601 first, but of digits alone no more than a day.

    By any sign between day and hour some milliseconds since 1970 would be a moment before 1900.
    """
    if not (told.strip().isdecimal() and len(told.strip()) > DIGITS_OF_A_DAY):
        with suppress(ValueError, OverflowError):
            return parse_iso(told)
    try:
        return read_ms(float(told))
    except ValueError:
        return None


def event_ms_of(received_ms: int, sent_ms: int | None, original_ms: int) -> int:
    """receivedAt - (sentAt - originalTimestamp); without sentAt the original time as it is."""
    return original_ms if sent_ms is None else received_ms - (sent_ms - original_ms)


def clamp(event_ms: int, received_ms: int) -> int:
    """The time itself inside the window [receipt - 20 years, receipt], else the receipt's.

    Outside it the client's clock says nothing, so its nearer edge would be no better a guess.
    """
    return event_ms if received_ms - OLDEST_MS <= event_ms <= received_ms else received_ms
