"""Changed code straight into the functions that run: no synthesis, no deployment."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stamgast_cli.deployment import session
from stamgast_cli.errors import NotRunningError
from stamgast_cli.local.emulator import Emulator
from stamgast_cli.local.places import Places

PREFIX = "stamgast-local-"
# What CloudFormation makes of `Layers/<Name>` in the platform stack: that name and 8 hex digits.
LAYER_NAME = re.compile(r"-Layers(?P<name>[A-Z][A-Za-z]*?)[0-9A-F]{8}-")
LEFT_OUT = {"__pycache__"}
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Reloaded:
    """Which layers and functions were given new code."""

    layers: tuple[str, ...]
    functions: tuple[str, ...]


def reload(running: Emulator, places: Places) -> Reloaded:
    """Give each deployed function, and each of our own layers, the code that lies on the disk.

    What has not changed since the last reload is left alone. Templates and permissions stay as
    they were deployed.
    """
    client = session(running.endpoint_url).client("lambda", endpoint_url=running.endpoint_url)
    functions = list(_functions(client))
    if not functions:
        raise NotRunningError("nothing is deployed to reload", hint="Run `stamgast up` first.")
    known = _known(places)
    layers, newest = _layers(client, places, functions, known)
    changed = [one for one in functions if _renew(client, places, one, known, newest)]
    places.reloaded.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return Reloaded(layers, tuple(one["FunctionName"].removeprefix(PREFIX) for one in changed))


def _functions(client: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("list_functions").paginate():
        for told in page["Functions"]:
            if told["FunctionName"].startswith(PREFIX):
                yield told


def _layers(
    client: Any, places: Places, functions: list[dict[str, Any]], known: dict[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Publish what has changed; the newest version of each layer by the layer's own name."""
    newest: dict[str, str] = {}
    renewed: list[str] = []
    names = {_layer_of(layer["Arn"]) for told in functions for layer in told.get("Layers", ())}
    for name in sorted(names):
        found = LAYER_NAME.search(name)
        folder = places.root / "layers" / found["name"].lower() if found else None
        if found is None or folder is None or not folder.is_dir():
            continue
        code = _zipped(folder)
        digest = hashlib.sha256(code).hexdigest()
        if known.get(name) != digest or f"{name} version" not in known:
            answer = client.publish_layer_version(LayerName=name, Content={"ZipFile": code})
            known |= {name: digest, f"{name} version": answer["LayerVersionArn"]}
            renewed.append(found["name"].lower())
        newest[name] = known[f"{name} version"]
    return tuple(renewed), newest


def _renew(
    client: Any,
    places: Places,
    told: dict[str, Any],
    known: dict[str, str],
    newest: dict[str, str],
) -> bool:
    name = told["FunctionName"]
    had = [layer["Arn"] for layer in told.get("Layers", ())]
    layers = [newest.get(_layer_of(arn), arn) for arn in had]
    if layers != had:
        client.update_function_configuration(FunctionName=name, Layers=layers)
    code = _zipped(places.root / "functions" / name.removeprefix(PREFIX).replace("-", "_"))
    digest = hashlib.sha256(code).hexdigest()
    is_new = known.get(name) != digest
    if is_new:
        client.update_function_code(FunctionName=name, ZipFile=code)
        known[name] = digest
    return is_new or layers != had


def _layer_of(arn: str) -> str:
    return arn.split(":")[6]


def _known(places: Places) -> dict[str, str]:
    if not places.reloaded.exists():
        return {}
    told: dict[str, str] = json.loads(places.reloaded.read_text(encoding="utf-8"))
    return told


def _zipped(folder: Path) -> bytes:
    """The folder's sources as a zip that depends on their names and contents alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and not LEFT_OUT & set(path.parts):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), LONG_AGO)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
