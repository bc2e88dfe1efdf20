"""One event as every stage after raw sees it: times, identifiers as keys, traits, order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from stamgast.identity.assurance import Assurance
from stamgast.identity.identifiers import Refusal
from stamgast.identity.keys import SHORT_ID_LENGTH as SHORT_ID_LENGTH
from stamgast.identity.settings import Kind
from stamgast.raw.gaps import NO_GAPS

AHEAD_MS = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """One identifier as an event names it: its key, and the normalised value behind the key."""

    key: str
    namespace: str
    kind: Kind
    priority: int
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Product:
    """A line of an order; `price_minor` is the price of one piece in minor units."""

    product_id: str | None
    category: str | None
    price_minor: int | None
    quantity: int
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """A completed order; revenue in minor units of its currency (ISO 4217)."""

    order_id: str | None
    revenue_minor: int
    currency: str
    products: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """An interpreted event; `identifiers` are sorted by (priority, key), the first is its anchor.

    `original_ms` is the client's own time; None when the event carries none. `name` is the track
    event's name, a page's or screen's name, or None. `decided` are the two identifiers of an
    operator's cut or lift, which has no anchor and links nothing. `gaps` are the places of
    identifiers that an erasure took out.
    """

    message_key: str
    message_id: str
    receipt_id: str
    payload_hash: str
    source_id: str
    type: str
    name: str | None
    received_ms: int
    original_ms: int | None
    event_ms: int
    assurance: Assurance
    identifiers: tuple[Seen, ...]
    refusals: tuple[Refusal, ...]
    traits: Mapping[str, Any]
    properties: Mapping[str, Any]
    context: Mapping[str, Any]
    order: Order | None = None
    decided: tuple[Seen, ...] = ()
    gaps: frozenset[int] = NO_GAPS

    @property
    def placed(self) -> Iterator[tuple[int, Seen]]:
        """Each identifier with its position in the message, that of an erased one left free."""
        free = (place for place in count() if place not in self.gaps)
        return zip(free, self.identifiers)  # noqa: B905 - places never end

    @property
    def anchor(self) -> str | None:
        """The key of the highest-priority identifier; None when every value was refused."""
        return self.identifiers[0].key if self.identifiers else None

    @property
    def short_id(self) -> str:
        """The part of the message's key that rings keep."""
        return self.message_key[:SHORT_ID_LENGTH]

    @property
    def has_own_time(self) -> bool:
        """Whether the client's time can place the event: present, at most five minutes ahead."""
        return self.original_ms is not None and self.original_ms <= self.received_ms + AHEAD_MS
