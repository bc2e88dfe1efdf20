"""The last weeks, sent live by the unmodified `segment-analytics-python` over HTTP."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from segment.analytics.client import Client

from stamgast_cli.demo.purchases import products_of
from stamgast_cli.demo.story import Act

BATCH, SENDERS = 100, 2
DUPLICATES, CONFLICTS, NAMELESS = 20, 5, 10
Told = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Sent:
    """How many events were handed to the client, by what should become of them."""

    events: int = 0
    duplicates: int = 0
    conflicts: int = 0
    bad: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.events + self.duplicates + self.conflicts + self.bad


class LostEventsError(RuntimeError):
    """The client gave up on events; the demo's figures would not add up."""


@dataclass(slots=True)
class Sender:
    """Segment's client with our host and key, and nothing else changed."""

    host: str
    write_key: str
    _lost: list[Exception] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, acts: Sequence[Act], moved: Callable[[int], None] = lambda _: None) -> Sent:
        """Sends the events in the order of their times."""
        products = products_of(act.basket.basket_id for act in acts if act.basket)
        with _Session(self) as clients:
            for act in acts:
                say(next(clients), act, products)
                moved(1)
        return Sent(events=len(acts))

    def send_trouble(self, acts: Sequence[Act]) -> Sent:
        """Sends some again as they were, some again but changed, and some without a name."""
        baskets = [act for act in acts if act.basket]
        products = products_of(act.basket.basket_id for act in baskets if act.basket)
        again, changed = baskets[:DUPLICATES], baskets[-CONFLICTS:]
        with _Session(self) as clients:
            for act in again:
                say(next(clients), act, products)
            for act in changed:
                say(next(clients), act, products, revenue=act.basket.revenue_minor / 100 + 1)  # type: ignore[union-attr]
            for number, act in enumerate(baskets[:NAMELESS]):
                next(clients).track(
                    act.user_id, "", anonymous_id="nobody", message_id=f"bad-{number}"
                )
        return Sent(0, len(again), len(changed), min(NAMELESS, len(baskets)))

    def send_now(self, act: Act) -> None:
        """Sends one event at once and returns when it was acknowledged."""
        client = Client(self.write_key, host=self.host, sync_mode=True, gzip=True)
        say(client, act, {})

    def failed(self, error: Exception, _batch: object) -> None:
        """The client's callback for what it gave up on."""
        with self._lock:
            self._lost.append(error)

    def check(self) -> None:
        """Raises LostEventsError when the client gave up on anything."""
        if self._lost:
            raise LostEventsError(f"{len(self._lost)} batches were not taken: {self._lost[0]}")


class _Session:
    """Clients that take turns, from the first event to the last one's acknowledgement.

    One client with several threads would do, but version 2.3 forgets all of its threads but the
    last: they are never ended, and a thread alive at the end of the process keeps DuckDB's types
    from being freed, which its binding then tells on standard error.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._clients = [
            Client(
                sender.write_key,
                host=sender.host,
                on_error=sender.failed,
                gzip=True,
                max_queue_size=1_000_000,
                upload_size=BATCH,
            )
            for _ in range(SENDERS)
        ]

    def __enter__(self) -> Iterator[Any]:
        return cycle(self._clients)

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.shutdown()
        self._sender.check()


def say(client: Any, act: Act, products: Told, **changed: Any) -> None:
    """One call of the client's own interface."""
    known = {
        "user_id": act.user_id,
        "anonymous_id": act.anonymous_id,
        "timestamp": act.at,
        "message_id": act.message_id,
        "context": {"channel": act.channel, **_device(act)},
    }
    if act.call == "page":
        client.page(name="Shop", properties=_place(act), **known)
    elif act.call == "view":
        client.track(event="Product Viewed", properties=_place(act), **known)
    elif act.call == "identify":
        client.identify(traits=_named(act) | dict(act.traits), **known)
    else:
        client.track(event="Order Completed", properties=_order(act, products) | changed, **known)


def _place(act: Act) -> dict[str, Any]:
    return {"path": "/shop", "channel": act.channel}


def _device(act: Act) -> dict[str, Any]:
    return {"device": {"id": act.device_id}} if act.device_id else {}


def _named(act: Act) -> dict[str, Any]:
    told = {"loyalty_card": act.loyalty_card, "email": act.email, "phone": act.phone}
    return {name: value for name, value in told.items() if value}


def _order(act: Act, products: Told) -> dict[str, Any]:
    assert act.basket is not None
    return {
        "order_id": act.basket.basket_id,
        "revenue": act.basket.revenue_minor / 100,
        "discount": act.basket.discount_minor / 100,
        "currency": "USD",
        "store_id": act.basket.store_id,
        "channel": act.channel,
        "products": products[act.basket.basket_id],
        **_named(act),
    }
