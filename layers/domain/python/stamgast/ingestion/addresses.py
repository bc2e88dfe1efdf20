"""IP addresses are kept without the part that tells one household from another."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

KEPT_BITS = {4: 24, 6: 48}
TOLD = re.compile(rb'("ip"\s*:\s*")([^"\\]*)(?=")')


def truncated(address: object) -> str | None:
    """The network of an address; None for none, and for 0.0.0.0, which clients send to hide it."""
    told = _read(address)
    if told is None or told.is_unspecified or told.is_loopback:
        return None
    return str(ip_network(f"{told}/{KEPT_BITS[told.version]}", strict=False).network_address)


def shorten(event: dict[str, Any]) -> None:
    """Truncates what an event says of the device's address, in place.

    What is no one address (a list of hops, say) is taken out: nobody knows where to cut it.
    """
    context = event.get("context")
    if not isinstance(context, dict) or context.get("ip") is None:
        return
    kept = _kept(context["ip"])
    if kept is None:
        del context["ip"]
    else:
        context["ip"] = kept


def shortened(event: dict[str, Any], text: bytes) -> bytes:
    """The text of an event, whole or broken, with such addresses truncated."""
    context = event.get("context")
    told = context.get("ip") if isinstance(context, dict) else None
    if isinstance(told, str) and told:
        text = text.replace(told.encode("utf-8", "surrogatepass"), (_kept(told) or "").encode())
    return TOLD.sub(
        lambda found: found[1] + (_kept(found[2].decode("utf-8", "replace")) or "").encode(), text
    )


def _kept(address: object) -> str | None:
    told = _read(address)
    if told is not None and (told.is_unspecified or told.is_loopback):
        return str(told)
    return truncated(address)


def _read(address: object) -> IPv4Address | IPv6Address | None:
    if not isinstance(address, str):
        return None
    try:
        told = ip_address(address.strip())
    except ValueError:
        return None
    mapped = told.ipv4_mapped if isinstance(told, IPv6Address) else None
    return mapped or told
