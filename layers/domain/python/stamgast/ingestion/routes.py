"""Every path that the stage serves, at the root of its host."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from stamgast.ingestion.request import Refusal
from stamgast.ingestion.validate import TYPES


class Kind(StrEnum):
    """What a path is for."""

    EVENT = "event"
    BATCH = "batch"
    IMPORT = "import"
    PIXEL = "pixel"
    IGNORED = "ignored"
    SETTINGS = "settings"
    SOURCE_CONFIG = "source_config"
    PREFLIGHT = "preflight"


@dataclass(frozen=True, slots=True)
class Route:
    """A path's kind; `type` is the type of its one event, `write_key` a key named in the path."""

    kind: Kind
    type: str | None = None
    write_key: str | None = None


SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}


@cache
def _posted() -> dict[str, Route]:
    single = {name: Route(Kind.EVENT, name) for name in TYPES}
    single |= {letter: Route(Kind.EVENT, name) for letter, name in SHORT.items()}
    return single | {
        "b": Route(Kind.BATCH),
        "batch": Route(Kind.BATCH),
        "beacon/v1/batch": Route(Kind.BATCH),
        "beacon/batch": Route(Kind.BATCH),
        "import": Route(Kind.IMPORT),
        "m": Route(Kind.IGNORED),
    }


@cache
def _fetched() -> dict[str, Route]:
    pixels = {f"pixel/{name}": Route(Kind.PIXEL, name) for name in TYPES}
    return pixels | {"sourceConfig": Route(Kind.SOURCE_CONFIG)}


def served() -> dict[tuple[str, str], Route]:
    """Every (method, path) with its route, as the API's description lists them."""
    posted = {
        ("POST", f"/v1/{name}"): route for name, route in _posted().items() if "/" not in name
    }
    fetched = {("GET", f"/v1/{name}"): route for name, route in _fetched().items() if "/" in name}
    return (
        posted
        | fetched
        | {
            ("POST", "/beacon/v1/batch"): Route(Kind.BATCH),
            ("GET", "/sourceConfig/"): Route(Kind.SOURCE_CONFIG),
            ("GET", "/v1/projects/{writeKey}/settings"): Route(Kind.SETTINGS),
        }
    )


def route_of(method: str, path: str) -> Route | Refusal:
    """The route of a request, or why there is none; `/v1` in front may be left out."""
    if method == "OPTIONS":
        return Route(Kind.PREFLIGHT)
    name = path.strip("/")
    name = name.removeprefix("v1/")
    parts = name.split("/")
    if len(parts) == 3 and (parts[0], parts[2]) == ("projects", "settings"):
        found, expected = Route(Kind.SETTINGS, write_key=parts[1]), "GET"
    elif name in _posted():
        found, expected = _posted()[name], "POST"
    elif name in _fetched():
        found, expected = _fetched()[name], "GET"
    else:
        return Refusal("not_found")
    return found if method == expected else Refusal("method_not_allowed")
