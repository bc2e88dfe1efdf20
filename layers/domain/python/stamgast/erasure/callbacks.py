"""Call-backs of a request: whom to tell of its status, how often, and where nobody is told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

# Stands in the place of an address that told of somebody who was erased.
ERASED = "erased"
# One try a pass, a pass a night: a receiver that is gone for a week is told nothing any more.
MOST_TRIES = 8
HTTPS_PORT, HTTP_PORT = 443, 80
# What the registries give out (RFC 4291), less what carries an IPv4 address inside.
GLOBAL_UNICAST = IPv6Network("2000::/3")
TUNNELS = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))


@dataclass(frozen=True, slots=True)
class Callback:
    """One address with what it was told last, and how the telling of `status` goes.

    `failure` is the kind of the last failed try, never a text that came from outside.
    """

    url: str
    told: str = ""
    status: str = ""
    tries: int = 0
    failure: str = ""

    def is_due(self, status: str) -> bool:
        """Whether this status has to be told, and may still be tried."""
        if self.told == status or self.url == ERASED:
            return False
        return self.status != status or self.tries < MOST_TRIES

    def after(self, status: str, failure: str) -> "Callback":
        """The call-back after one more try; an empty failure is a delivery."""
        tries = self.tries + 1 if self.status == status else 1
        told = self.told if failure else status
        return replace(self, told=told, status=status, tries=tries, failure=failure)

    def shown(self) -> dict[str, Any]:
        """How it goes, for the status of a request."""
        return {
            "status_callback_url": self.url,
            "told": self.told or None,
            "tries": self.tries,
            "failure": self.failure or None,
        }


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call-back goes; `is_local` marks the plain HTTP of this machine."""

    host: str
    port: int
    path: str
    is_local: bool = False


def target_of(url: str, *, may_be_local: bool = False) -> Target | None:
    """The target of an address that may be called; None for any other.

    That is https with a host and without a user name; on a laptop also this machine's own http.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc or port == 0:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "https":
        return Target(host, port or HTTPS_PORT, path)
    is_local = may_be_local and parts.scheme == "http" and is_loopback(host)
    return Target(host, port or HTTP_PORT, path, is_local=True) if is_local else None


def is_public(address: str) -> bool:
    """Whether an address lies in the open Internet, and leads to no inner one by a tunnel."""
    read = _read(address)
    if isinstance(read, IPv4Address):
        return read.is_global and not read.is_multicast
    if read is None or read not in GLOBAL_UNICAST or any(read in one for one in TUNNELS):
        return False
    return read.is_global and not read.is_multicast


def is_loopback(address: str) -> bool:
    """Whether an address, or the name `localhost`, is this machine alone."""
    read = _read(address)
    return address == "localhost" or (read is not None and read.is_loopback)


def body_of(head: Mapping[str, Any], url: str, status: str) -> dict[str, Any]:
    """What a call-back says, as OpenDSR has it: no results, which are fetched with a token."""
    names = ("controller_id", "subject_request_id", "expected_completion_time", "api_version")
    told = {name: head[name] for name in names}
    return {**told, "status_callback_url": url, "request_status": status}


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None
