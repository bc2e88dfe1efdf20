"""How a workspace has devices linked, and which purposes may use what is believed of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stamgast.identity.records import RecordSettings


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


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What a workspace says of provisional links; a purpose that is not named opts in to nothing.

    `purposes` gives each purpose that opts in the probability from which on it takes a link.
    """

    devices: DeviceSettings = DeviceSettings()
    purposes: Mapping[str, float] = field(default_factory=dict)
    records: RecordSettings = field(default_factory=RecordSettings)

    def threshold(self, purpose: str | None) -> float | None:
        """The least probability for a purpose; None for one that has not opted in."""
        return None if purpose is None else self.purposes.get(purpose)
