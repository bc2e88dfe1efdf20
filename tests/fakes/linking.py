"""What a compiled workspace says of links, from the settings that a test has."""

from dataclasses import asdict
from typing import Any

from stamgast.identity.link_settings import DeviceSettings


def linking_of(devices: DeviceSettings) -> dict[str, Any]:
    """The documents that decode to these settings, records off."""
    told = asdict(devices)
    return {"devices": {"enabled": told.pop("is_on"), **told}, "records": None}
