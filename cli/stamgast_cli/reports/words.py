"""How reports spell amounts, shares, bands of numbers and names."""

from collections.abc import Mapping
from typing import Any

from stamgast.identity.orders import exponent_of

LARGE = 10_000
KINDS = {
    "trait": "",
    "computed": "",
    "orders": "",
    "rfm": "RFM",
    "lifecycle": "lifecycle",
    "identifier": "identifier",
    "segment": "segment",
    "channel": "channel",
}


def money(minor: int | None, currency: str | None) -> str:
    """An amount in its currency, from minor units; a large one in whole units."""
    if minor is None or currency is None:
        return "–"
    places = exponent_of(currency)
    if abs(minor) >= LARGE * 10**places:
        return f"{minor / 10**places:,.0f} {currency}"
    return f"{minor / 10**places:,.{places}f} {currency}"


def share(value: float | None) -> str:
    """A share in per cent."""
    return "–" if value is None else f"{value:.1%}".replace("%", " %")


def count(value: float | None, *, is_suppressed: bool = False, least: int = 0) -> str:
    """A count; what was withheld says so."""
    if value is None:
        return f"< {least}" if is_suppressed else "–"
    return f"{value:,}"


def title_of(row: Mapping[str, Any]) -> str:
    """What a row of a comparison is about."""
    kind = KINDS.get(row["kind"], "")
    name = row["name"].replace("_", " ") if row["kind"] in KINDS else row["name"]
    return f"{kind} {name}".strip()


def band_of(row: Mapping[str, Any]) -> str:
    """The value of a row, or its band of numbers."""
    above, up_to = row["above"], row["up_to"]
    if above is not None and up_to is not None:
        return f"above {number(above)} up to {number(up_to)}"
    if above is not None:
        return f"above {number(above)}"
    if up_to is not None:
        return f"up to {number(up_to)}"
    value = str(row["value"] or "")
    return value.replace("_", " ") if row["kind"] in ("rfm", "lifecycle") else value


def number(value: float) -> str:
    """A number to two decimals, a small one to three digits."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"
