"""Sends call-backs over HTTPS to public addresses alone, each pinned to what was checked."""

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from http.client import HTTPException
from threading import Timer
from typing import TypeAlias

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as StepTimeoutError

from stamgast.erasure.callbacks import HTTPS_PORT, Target, is_loopback, is_public, target_of

STEP_SECONDS = 4.0
# A receiver that answers drop by drop keeps within the time of each step, not within this.
WHOLE_SECONDS = 10.0
TAKEN = range(200, 300)
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
Connect: TypeAlias = Callable[[Target, str], HTTPConnection]


class HttpsCallbacks:
    """The way of a call-back: the name is resolved once, and only that address is spoken to.

    So a name that leads elsewhere at its second resolution leads nowhere. A redirect is a
    failure, and what is answered is not read.
    """

    def __init__(
        self,
        *,
        may_be_local: bool,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._may_be_local = may_be_local
        self._resolve, self._connect = resolve or resolved, connect or connected

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        """Posts a body; the kind of its failure, empty when it was taken."""
        target = target_of(url, may_be_local=self._may_be_local)
        if target is None:
            return "address_not_allowed"
        try:
            addresses = self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            return "name_not_found"
        if not addresses or not all(self._is_allowed(one, target) for one in addresses):
            return "address_not_allowed"
        return _posted(self._connect(target, addresses[0]), target, body, headers)

    def _is_allowed(self, address: str, target: Target) -> bool:
        if self._may_be_local and is_loopback(address):
            return True
        return is_public(address) and not target.is_local


def resolved(host: str, port: int) -> list[str]:
    """Every address of a name."""
    told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in told]


def _posted(
    connection: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str]
) -> str:
    timer = Timer(WHOLE_SECONDS, _shut, [connection])
    timer.start()
    try:
        with closing(connection):
            host = {"host": _host(target), "content-type": "application/json"}
            connection.request(
                "POST", target.path, body, {**headers, **host}, preload_content=False
            )
            status = connection.getresponse().status
    except (TimeoutError, StepTimeoutError):
        return "timed_out"
    except (HTTPError, HTTPException, OSError):
        return "not_reached"
    finally:
        timer.cancel()
    return "" if status in TAKEN else f"answered_{status}"


def connected(target: Target, address: str) -> HTTPConnection:
    """A connection to the address that was checked, which has to prove the name that was meant."""
    if target.is_local:
        return HTTPConnection(address, target.port, timeout=STEP_SECONDS)
    return HTTPSConnection(
        address,
        target.port,
        timeout=STEP_SECONDS,
        cert_reqs="CERT_REQUIRED",
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _host(target: Target) -> str:
    name = f"[{target.host}]" if ":" in target.host else target.host
    return name if target.port == HTTPS_PORT else f"{name}:{target.port}"


def _shut(connection: HTTPConnection) -> None:
    """Ends whatever waits on the connection; an encrypted socket is shut below its encryption."""
    if isinstance(connection.sock, socket.socket):
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
