"""Which API of the emulator each port of the front serves, told by a small file."""

import json
from collections.abc import Callable
from pathlib import Path


def rest_target(api_id: str, stage: str) -> str:
    """Return the emulator's path of a REST API's stage."""
    return f"/restapis/{api_id}/{stage}/_user_request_"


def http_target(api_id: str) -> str:
    """Return the emulator's path of an HTTP API's default stage."""
    return f"/_aws/execute-api/{api_id}/$default"


def write_routes(path: Path, *, ingest: str, profile: str) -> None:
    """Tell the front where requests go; it notices without a restart."""
    path.write_text(json.dumps({"ingest": ingest, "profile": profile}), encoding="utf-8")


def reader(path: Path, name: str) -> Callable[[], str | None]:
    """Return a function that tells the current target of a route, None before the first deploy."""
    seen: tuple[int, str | None] = (-1, None)

    def current() -> str | None:
        nonlocal seen
        changed = path.stat().st_mtime_ns if path.exists() else 0
        if changed != seen[0]:
            told = json.loads(path.read_text(encoding="utf-8")) if changed else {}
            seen = (changed, told.get(name))
        return seen[1]

    return current
