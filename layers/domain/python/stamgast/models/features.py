"""The features that a model has unless it says otherwise: expressions of the language, documented.

Each is asked at the cut-off as a rule would have been at that moment, so nothing after it is seen.
"""

from collections.abc import Iterator, Mapping

ORDER = "event = 'Order Completed'"
WINDOWS = (7, 30, 90, 365)
BY_LIST = "joined_by_a_list"
"""What is asked of a leak though no model learns of it: whom links that bear no time join."""


def _defaults() -> Iterator[tuple[str, str, str]]:
    """Name, expression and meaning of each."""
    yield "days_known", "days_since(first_at)", "Days since the first event."
    yield "days_since_seen", "days_since(last_at)", "Days since the last event."
    yield "days_since_order", "days_since(orders.last_at)", "Days since the last order."
    yield "days_since_first_order", "days_since(orders.first_at)", "Days since the first order."
    yield "orders", "orders.count", "Orders ever."
    yield "revenue", "orders.revenue", "Revenue ever, in the principal currency."
    for days in WINDOWS:
        yield f"orders_{days}d", f"orders.count_{days}d", f"Orders of the last {days} days."
        yield f"revenue_{days}d", f"orders.total_{days}d", f"Revenue of the last {days} days."
        yield f"events_{days}d", f"count(last {days} days)", f"Events of the last {days} days."
    yield "mean_order", f"avg(order.revenue, {ORDER})", "Mean revenue of an order."
    yield "largest_order", f"max(order.revenue, {ORDER})", "Largest revenue of an order."
    yield (
        "rhythm_share",
        "days_since(orders.last_at) * orders.count / days_since(orders.first_at)",
        "Elapsed time since the last order, in mean intervals between orders.",
    )
    yield "pages_30d", "count(type = 'page' or type = 'screen', last 30 days)", "Pages and screens."
    yield (
        "campaigns_90d",
        "count(campaign.name is not null, last 90 days)",
        "Events of the last 90 days that a campaign brought.",
    )
    yield "sources", "count_distinct(source)", "Channels ever used."
    yield "sources_90d", "count_distinct(source, last 90 days)", "Channels of the last 90 days."
    yield "rfm_r", "rfm.r", "Recency score."
    yield "rfm_f", "rfm.f", "Frequency score."
    yield "rfm_m", "rfm.m", "Monetary score."


DEFAULT_FEATURES: Mapping[str, str] = {name: text for name, text, _ in _defaults()}
FEATURE_DOCS: Mapping[str, str] = {name: doc for name, _, doc in _defaults()}
