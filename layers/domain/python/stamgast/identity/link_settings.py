"""How a workspace has devices and records linked, decoded for the functions that link them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stamgast.identity.records import DEFAULT_TRAITS, RecordSettings, Similarity


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """Pairs of devices that share rare addresses: whether, from how much data, for how long.

    `least_labels` is the least number of positives, and of negatives, below which nothing is
    learnt. A link is stored from `least_probability` on and ends after `expiry_days`. An address
    that more than `address_devices` devices used in `window_days` begins no pair.
    """

    is_on: bool = False
    least_labels: int = 100
    expiry_days: int = 30
    least_probability: float = 0.2
    address_devices: int = 30
    window_days: int = 28
    history_days: int = 180
    train_every_days: int = 7


def device_settings_of(linking: Mapping[str, Any]) -> DeviceSettings:
    """A workspace compiled before there were links says nothing of them, and so has none."""
    told = dict(linking.get("devices") or {})
    return DeviceSettings(is_on=told.pop("enabled", False), **told)


def record_settings_of(linking: Mapping[str, Any]) -> RecordSettings:
    """Records are linked where the workspace has a part for them, be it empty."""
    told = linking.get("records")
    if told is None:
        return RecordSettings()
    similarities = {
        column: Similarity(tuple(one["jaro_winkler"]), tuple(one["edits"]))
        for column, one in told["comparisons"].items()
    }
    plain = (
        "comparisons_a_record",
        "least_probability",
        "expiry_days",
        "train_every_days",
        "least_labels",
    )
    return RecordSettings(
        is_on=True,
        traits={**DEFAULT_TRAITS, **{name: tuple(one) for name, one in told["traits"].items()}},
        rules=tuple(told["rules"]),
        similarities=similarities,
        leave_out=frozenset(told["leave_out"]),
        **{name: told[name] for name in plain if name in told},
    )
