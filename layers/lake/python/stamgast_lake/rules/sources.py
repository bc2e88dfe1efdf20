"""Where the SQL reading finds columns and fields: the relations `rule_person` and `rule_event`.

`rule_person`: person_id, first_at, last_at, orders, revenue_minor, currency, orders_first_at,
orders_last_at, traits (JSON, each value with its provenance), consent (JSON), computed (JSON), and
of RFM segment, r, f, m, frequency, monetary_minor, rfm_currency, last_order_on.

`rule_event`: person_id, message_key, event_at, event, type, source_id, order_id, revenue_minor,
currency, products, properties, campaign, page, context (all JSON), principal.
"""

from collections.abc import Mapping

from stamgast.identity.orders import WITH_THREE, WITHOUT_MINOR
from stamgast.segments.language.columns import Path
from stamgast_lake.rules.literals import quoted


def major(minor: str, currency: str) -> str:
    """An amount of minor units in major units of its currency."""
    return (
        f"(cast({minor} as double) / case when {currency} in ({_codes(WITHOUT_MINOR)}) then 1"
        f" when {currency} in ({_codes(WITH_THREE)}) then 1000 else 100 end)"
    )


def _codes(listed: str) -> str:
    return ", ".join(quoted(code) for code in listed.split())


PERSON_SQL: Mapping[Path, str] = {
    ("person_id",): "person_id",
    ("first_at",): "first_at",
    ("last_at",): "last_at",
    ("orders", "count"): "cast(coalesce(orders, 0) as double)",
    ("orders", "revenue"): f"coalesce({major('revenue_minor', 'currency')}, 0)",
    ("orders", "currency"): "currency",
    ("orders", "first_at"): "orders_first_at",
    ("orders", "last_at"): "orders_last_at",
    ("rfm", "segment"): "segment",
    ("rfm", "r"): "cast(r as double)",
    ("rfm", "f"): "cast(f as double)",
    ("rfm", "m"): "cast(m as double)",
    ("rfm", "frequency"): "cast(frequency as double)",
    ("rfm", "monetary"): major("monetary_minor", "rfm_currency"),
    ("rfm", "last_order_on"): "last_order_on",
}
# Under these names the values stand once they are computed, which is once a person.
NAMES: Mapping[Path, str] = {path: "_".join(path) for path in PERSON_SQL}
PERSON_COLUMNS = tuple(f"{sql} as {NAMES[path]}" for path, sql in PERSON_SQL.items())
EVENT_SQL: Mapping[Path, str] = {
    ("event",): "event",
    ("type",): "type",
    ("event_at",): "event_at",
    ("source",): "source_id",
    ("order", "id"): "order_id",
    ("order", "revenue"): major("revenue_minor", "currency"),
    ("order", "currency"): "case when revenue_minor is not null then currency end",
    ("products", "product_id"): "list_transform(products, lambda line: line.product_id)",
    ("products", "category"): "list_transform(products, lambda line: line.category)",
}


def place_in(path: Path) -> tuple[str, str]:
    """The JSON column that an open path lies in, and the place in it, as a JSON path."""
    root, *steps = path
    if root == "traits":
        steps = [steps[0], "value", *steps[1:]]
    return root, "$" + "".join(f".{_step(step)}" for step in steps)


def _step(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
