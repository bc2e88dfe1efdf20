"""The facts of an anchor, the contribution of one event to them, and the fold of both."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from stamgast.consent.coverage import plain_traits
from stamgast.profile.registers import Json, Register, join_traits, traits_of

if TYPE_CHECKING:  # read paths need no event, and load faster without
    from stamgast.identity.event import Event

RECENT_ORDERS = 20
MOST_COUNTERS = 256
MOST_CURRENCIES = 32
LONGEST_COUNTER = 100
LONGEST_ORDER_ID = 64
OTHERS = "$others"
NO_CURRENCY = "XXX"  # ISO 4217's code for a transaction without one


class Moment(NamedTuple):
    """When something happened, and the short id of the message that says so."""

    event_ms: int
    key: str


class ShortId(NamedTuple):
    """A message as rings know it: the client's own time, then the short id."""

    original_ms: int
    key: str


class RecentOrder(NamedTuple):
    """One completed order as a profile lists it; ordered by (event time, message)."""

    event_ms: int
    key: str
    order_id: str
    currency: str
    revenue_minor: int


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one currency: how many, for how much, the first and the last of them."""

    count: int
    revenue_minor: int
    first_ms: int
    last_ms: int

    def __add__(self, other: "Orders") -> "Orders":
        return Orders(
            self.count + other.count,
            self.revenue_minor + other.revenue_minor,
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
        )


@dataclass(frozen=True, slots=True)
class Digest:
    """What one event adds to counters and lists; `original_ms` with `key` is its place in a ring.

    `revenue_minor` is None unless the event is a completed order. `told` is what the event adds to
    the measures of live rules, under the plan whose id is `plan` (`stamgast.segments.live`).
    """

    key: str
    original_ms: int
    event_ms: int
    name: str
    currency: str | None = None
    revenue_minor: int | None = None
    order_id: str = ""
    plan: int = field(default=0, compare=False)
    told: tuple[tuple[int, str, Json], ...] = field(default=(), compare=False)

    @property
    def short_id(self) -> ShortId:
        """The id under which rings hold this event."""
        return ShortId(self.original_ms, self.key)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the events of an anchor say; the facts of a person merge those of its anchors."""

    traits: Mapping[str, Register] = field(default_factory=dict)
    first: Moment | None = None
    last: Moment | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    orders: Mapping[str, Orders] = field(default_factory=dict)
    recent_orders: tuple[RecentOrder, ...] = ()

    @property
    def values(self) -> dict[str, Json]:
        """The traits that have a value: deleted ones are left out."""
        return {name: register.value for name, register in self.told.items()}

    @property
    def told(self) -> dict[str, Register]:
        """The registers behind `values`; `consent` is what all words about consents come to."""
        plain = plain_traits(self.traits)
        return {name: register for name, register in plain.items() if register.value is not None}


NOTHING = Facts()


def counter_of(event: "Event") -> str:
    """The counter an event raises: a track event's name, else `$` and the type of call."""
    if event.type == "track" and event.name:
        return event.name[:LONGEST_COUNTER]
    return f"${event.type}"


def digest_of(event: "Event") -> Digest:
    """The compact contribution of one event to counters and lists.

    An event without a time of its own stands at its event time; it never enters a ring.
    """
    original_ms = event.event_ms if event.original_ms is None else event.original_ms
    digest = Digest(event.short_id, original_ms, event.event_ms, counter_of(event))
    if event.order is None:
        return digest
    return Digest(
        *(digest.key, digest.original_ms, digest.event_ms, digest.name),
        currency=event.order.currency,
        revenue_minor=event.order.revenue_minor,
        order_id=(event.order.order_id or "")[:LONGEST_ORDER_ID],
    )


def facts_of_digest(digest: Digest) -> Facts:
    """The facts that a digest stands for: a counter, its span, perhaps an order."""
    moment = Moment(digest.event_ms, digest.key)
    counted = {digest.name: 1}
    if digest.currency is None or digest.revenue_minor is None:
        return Facts(first=moment, last=moment, counters=counted)
    ms, currency, revenue = digest.event_ms, digest.currency, digest.revenue_minor
    return Facts(
        first=moment,
        last=moment,
        counters=counted,
        orders={currency: Orders(1, revenue, ms, ms)},
        recent_orders=(RecentOrder(ms, digest.key, digest.order_id, currency, revenue),),
    )


def facts_of(event: "Event") -> Facts:
    """Everything that one event says."""
    traits = Facts(traits=traits_of(event))
    return merge(traits, facts_of_digest(digest_of(event)))


def merge(left: Facts, right: Facts) -> Facts:
    """The facts of two disjoint sets of events: commutative and associative, not idempotent."""
    return Facts(
        traits=join_traits(left.traits, right.traits),
        first=earlier(left.first, right.first),
        last=later(left.last, right.last),
        counters=_sum_counters(left.counters, right.counters),
        orders=_sum_orders(left.orders, right.orders),
        recent_orders=newest_orders((*left.recent_orders, *right.recent_orders)),
    )


def fold(base: Facts, digests: Iterable[Digest]) -> Facts:
    """The base with the digests counted on top: what merging them one by one would give."""
    told = tuple(digests)
    return merge(base, _sum_of(told)) if told else base


def _sum_of(digests: Sequence[Digest]) -> Facts:
    """The facts of some digests in one pass; a look-up folds a full tail for each anchor."""
    moments = [Moment(digest.event_ms, digest.key) for digest in digests]
    placed = [found for digest in digests if (found := facts_of_digest(digest)).orders]
    orders: dict[str, Orders] = {}
    for one in placed:
        orders = _sum_orders(orders, one.orders)
    return Facts(
        first=min(moments, key=_moment_place),
        last=max(moments, key=_moment_place),
        counters=Counter(digest.name for digest in digests),
        orders=orders,
        recent_orders=newest_orders([one.recent_orders[0] for one in placed]),
    )


def _moment_place(moment: Moment) -> tuple[int, str]:
    """The order of `Moment` as a tuple, which compares ten times as fast."""
    return (moment.event_ms, moment.key)


def earlier(left: Moment | None, right: Moment | None) -> Moment | None:
    """The earlier of two moments, or the one there is."""
    return min(left, right) if left and right else left or right


def later(left: Moment | None, right: Moment | None) -> Moment | None:
    """The later of two moments, or the one there is."""
    return max(left, right) if left and right else left or right


def newest_orders(orders: Iterable[RecentOrder]) -> tuple[RecentOrder, ...]:
    """The newest orders by (event time, message), newest first; one for each message."""
    distinct = {order.key: order for order in sorted(orders, key=_order_place)}
    return tuple(sorted(distinct.values(), key=_order_place, reverse=True)[:RECENT_ORDERS])


def _order_place(order: RecentOrder) -> tuple[int, str, str, str, int]:
    """The order of `RecentOrder` as a tuple, which compares ten times as fast."""
    return (order.event_ms, order.key, order.order_id, order.currency, order.revenue_minor)


def fitted(facts: Facts) -> Facts:
    """The facts within the bounds of a base item, far below DynamoDB's 400 KB."""
    return replace(
        facts, counters=_bounded_counters(facts.counters), orders=_bounded_orders(facts.orders)
    )


def _bounded_counters(counters: Mapping[str, int]) -> dict[str, int]:
    """The most frequent names; the rest is summed as `$others`."""
    if len(counters) <= MOST_COUNTERS:
        return dict(counters)
    ranked = sorted(counters.items(), key=lambda item: (item[0] == OTHERS, -item[1], item[0]))
    kept = dict(ranked[: MOST_COUNTERS - 1])
    return kept | {OTHERS: sum(count for _, count in ranked[MOST_COUNTERS - 1 :])}


def _bounded_orders(orders: Mapping[str, Orders]) -> dict[str, Orders]:
    """The most frequent currencies; the rest is counted as `XXX`, without an amount."""
    if len(orders) <= MOST_CURRENCIES:
        return dict(orders)
    ranked = sorted(orders.items(), key=lambda item: (item[0] == NO_CURRENCY, -item[1].count, item))
    rest = reduce(Orders.__add__, (one for _, one in ranked[MOST_CURRENCIES - 1 :]))
    return dict(ranked[: MOST_CURRENCIES - 1]) | {NO_CURRENCY: replace(rest, revenue_minor=0)}


def _sum_counters(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    summed = dict(left)
    for name, count in right.items():
        summed[name] = summed.get(name, 0) + count
    return summed


def _sum_orders(left: Mapping[str, Orders], right: Mapping[str, Orders]) -> dict[str, Orders]:
    summed = dict(left)
    for currency, orders in right.items():
        mine = summed.get(currency)
        summed[currency] = orders if mine is None else mine + orders
    return summed
