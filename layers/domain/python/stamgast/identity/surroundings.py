"""Where and with what a device was seen: never finer than a truncated address and an agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.addresses import truncated
from stamgast.raw.record import RawRecord

LONGEST = 256


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The truncated address (/24, or /48 in IPv6), the agent, the locale and the time zone."""

    ip: str | None = None
    user_agent: str | None = None
    locale: str | None = None
    time_zone: str | None = None


NOWHERE = Surroundings()


def surroundings_of(record: RawRecord, context: Mapping[str, Any]) -> Surroundings:
    """What the context says, else what the request came with.

    A request under a secret key comes from the customer's own server, whose address and agent say
    nothing of the person's device.
    """
    is_device = record.assurance is not Assurance.VERIFIED
    return Surroundings(
        ip=truncated(context.get("ip")) or (truncated(record.ip) if is_device else None),
        user_agent=_text(context.get("userAgent"))
        or (_text(record.user_agent) if is_device else None),
        locale=_text(context.get("locale")),
        time_zone=_text(context.get("timezone")),
    )


def _text(value: object) -> str | None:
    return value[:LONGEST] if isinstance(value, str) and value else None
