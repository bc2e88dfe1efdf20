"""What people of a panel bought, as rows of the panel: a line of an order each, on its day.

Such a row has a `product`; `cut_on` is the day in the workspace's time zone, and there is no label.
Its price is what was paid for one, its discount what the whole line was reduced by, both in minor
units of the order's currency.
"""

from zoneinfo import ZoneInfo

from stamgast.models.declaration import Kind

OF_LINES = frozenset({Kind.RECOMMENDATION, Kind.DISCOUNT})
LINES = """cast(null as varchar) as product, cast(null as varchar) as category,
    cast(null as varchar) as order_id, cast(null as bigint) as quantity,
    cast(null as bigint) as price_minor, cast(null as bigint) as discount_minor,
    cast(null as varchar) as currency"""
BOUGHT = """
    insert into panel by name
    select person_id, cast(event_at at time zone '{zone}' as date) as cut_on,
        line.product_id as product, line.category as category,
        coalesce(order_id, message_key) as order_id, coalesce(line.quantity, 1) as quantity,
        line.price_minor as price_minor, line.discount_minor as discount_minor, currency
    from (
        select person_id, event_at, order_id, message_key, currency, unnest(products) as line
        from person_event
        where revenue_minor is not null
            and person_id in (select person_id from panel)
    )
    where line.product_id is not null
"""


def lines(zone: ZoneInfo) -> str:
    """The statement that adds the lines to table `panel`."""
    return BOUGHT.format(zone=zone.key)
