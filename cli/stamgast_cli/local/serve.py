"""The process of the local deployment: the emulator, our patches and the front, on three ports."""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from uvicorn import Config, Server

from stamgast_cli.local import patches
from stamgast_cli.local.front import App, Front, Receive, Scope, Send
from stamgast_cli.local.places import Places, default_places
from stamgast_cli.local.routes import reader

MOST_INHERITED = 256


class Switch:
    """Gives each port its application."""

    def __init__(self, emulator: App, fronts: Mapping[int, App]) -> None:
        self._emulator = emulator
        self._fronts = fronts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the front of its port, everything else to the emulator.

        Policies that refuse plain HTTP would refuse everything here once IAM is enforced: a
        connection that never leaves this machine counts as encrypted.
        """
        app = self._emulator
        if scope["type"] == "http":
            app = self._fronts.get(scope["server"][1], app)
            scope = {**scope, "scheme": "https"}
        await app(scope, receive, send)


def composed(emulator: App, places: Places, *, ingest: int, profile: int) -> Switch:
    """Return the emulator and both fronts as one application."""
    return Switch(
        emulator,
        {
            ingest: Front(emulator, target=reader(places.routes, "ingest"), inflates=True),
            profile: Front(emulator, target=reader(places.routes, "profile"), inflates=False),
        },
    )


def main(ports: list[str]) -> None:
    """Serve until a signal; the emulator saves its state in the graceful end."""
    # What the shell of whoever started this happens to hold open is none of ours: a lock of its
    # own, say, would stay held for as long as this runs.
    os.closerange(3, MOST_INHERITED)
    emulator, ingest, profile = (int(port) for port in ports)
    places = default_places()
    if os.environ.get("GATEWAY_PORT") != str(emulator) or os.environ.get("BIND_HOST") is None:
        raise SystemExit("start me through `stamgast up`, which sets the emulator's variables")
    patches.apply()
    from ministack.app import app

    composition: Any = composed(app, places, ingest=ingest, profile=profile)  # looser types
    sockets = [socket.create_server(("127.0.0.1", port)) for port in (emulator, ingest, profile)]
    _mark(places.unclean)
    _serve(composition, sockets)
    places.unclean.unlink()


def _serve(composition: Any, sockets: list[socket.socket]) -> None:
    """Serve until a signal, which the server repeats at its end: by then it means nothing."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: None)
    config = Config(
        composition,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    Server(config).run(sockets)


def _mark(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


if __name__ == "__main__":
    main(sys.argv[1:])
