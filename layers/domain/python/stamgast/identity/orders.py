"""The order that an `Order Completed` event tells, in minor units of its currency.

The event and its properties follow Segment's e-commerce spec (version 2).
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from stamgast.identity.event import Order, Product

COMPLETED = "Order Completed"
AMOUNTS = ("revenue", "total", "value")
MOST_PRODUCTS = 500
LARGEST_MINOR = 10**15
WITHOUT_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
# Named once: these are asked of every line of every basket.
NUMBERS, NO_TEXTS = (float, str, int), (bool, dict, list)


def order_of(body: Mapping[str, Any], default_currency: str = "USD") -> Order | None:
    """The completed order in an event's body; None for any other event or an unusable amount."""
    if body.get("event") != COMPLETED or body.get("type") != "track":
        return None
    told = body.get("properties")
    if not isinstance(told, dict):
        return None
    currency = _currency(told.get("currency"), default_currency)
    amounts = [told.get(name) for name in AMOUNTS]
    revenue = next((m for a in amounts if (m := minor_of(a, currency)) is not None), None)
    if revenue is None:
        return None
    return Order(_text(told.get("order_id")), revenue, currency, _products(told, currency))


def unread_amount(body: Mapping[str, Any]) -> str | None:
    """The property of a completed order that holds an amount which cannot be read, if none can."""
    told = body.get("properties")
    is_order = body.get("event") == COMPLETED and body.get("type") == "track"
    if not is_order or not isinstance(told, dict) or order_of(body) is not None:
        return None
    return next((name for name in AMOUNTS if told.get(name) is not None), None)


def exponent_of(currency: str) -> int:
    """The number of decimals of a currency (ISO 4217)."""
    return 0 if currency in WITHOUT_MINOR else 3 if currency in WITH_THREE else 2


def minor_of(amount: object, currency: str) -> int | None:
    """An amount in minor units, half to even; None for what is not a finite, sane number."""
    if isinstance(amount, NUMBERS) and not isinstance(amount, bool):
        return _minor_of(amount, currency)
    return None


@lru_cache(maxsize=16_384)
def _minor_of(amount: float | str, currency: str) -> int | None:
    """Prices repeat; equal numbers of different types have equal minor units."""
    try:
        exact = Decimal(str(amount).strip()).scaleb(exponent_of(currency))
        minor = int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return minor if abs(minor) <= LARGEST_MINOR else None


def _currency(told: object, default: str) -> str:
    if isinstance(told, str) and len(told) == 3 and told.isascii() and told.isalpha():
        return told.upper()
    return default


def _text(told: object) -> str | None:
    if isinstance(told, str):
        return told[:256] or None
    return None if told is None or isinstance(told, NO_TEXTS) else str(told)[:256]


def _products(told: Mapping[str, Any], currency: str) -> tuple[Product, ...]:
    lines = told.get("products")
    if not isinstance(lines, list):
        return ()
    return tuple(
        _product(line, currency) for line in lines[:MOST_PRODUCTS] if isinstance(line, dict)
    )


def _product(line: Mapping[str, Any], currency: str) -> Product:
    return Product(
        product_id=_text(line.get("product_id")),
        category=_text(line.get("category")),
        price_minor=minor_of(line.get("price"), currency),
        quantity=_quantity(line.get("quantity")),
        discount_minor=minor_of(line.get("discount"), currency) or 0,
    )


def _quantity(told: object) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        return 1
    return told if abs(told) < 10**9 else 1
