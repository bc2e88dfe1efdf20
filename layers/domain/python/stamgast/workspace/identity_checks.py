"""Mistakes of `identity.yaml` that its form does not show: what would identify nobody, or twice."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stamgast.workspace.yaml_files import Fault, YamlFile

ORDINARY = ("ada.lovelace@example.org", "+31612345678", "customer-4711", "8c2f6a04-5be1-4d6e")
STEP = re.compile(r"[A-Za-z_$][\w$-]*")


def identity_faults(file: YamlFile) -> Iterator[Fault]:
    """Every such mistake; a part that has no readable form is told of elsewhere."""
    identity = _mapping(_mapping(file.document).get("identity"))
    yield from _paths(file, _mapping(identity.get("namespaces")))
    yield from _providers(file, _mapping(identity.get("namespaces")))
    yield from _patterns(file, identity.get("blocked_patterns"))


def _paths(file: YamlFile, namespaces: Mapping[str, Any]) -> Iterator[Fault]:
    """A path leads to one namespace: else one value would be two identifiers of one event."""
    owner: dict[str, str] = {}
    for name, told in namespaces.items():
        paths = _mapping(told).get("paths")
        for number, path in enumerate(paths if isinstance(paths, list) else ()):
            place = ("identity", "namespaces", str(name), "paths", str(number))
            if not isinstance(path, str):
                continue
            if not all(STEP.fullmatch(step) for step in path.split(".")):
                yield file.fault(place, f"{path!r} is no path such as traits.email")
            elif path in owner:
                yield file.fault(place, f"{path} gives its value to {owner[path]} already")
            owner.setdefault(path, str(name))


def _providers(file: YamlFile, namespaces: Mapping[str, Any]) -> Iterator[Fault]:
    """What providers ignore in an address is asked for in vain of what is no address."""
    for name, told in namespaces.items():
        one = _mapping(told)
        if one.get("providers") and one.get("form") != "email":
            place = ("identity", "namespaces", str(name), "providers")
            yield file.fault(place, "these are rules for addresses: it needs `form: email`")


def _patterns(file: YamlFile, patterns: object) -> Iterator[Fault]:
    """A pattern that takes ordinary values would leave everybody unrecognised."""
    for number, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
        place = ("identity", "blocked_patterns", str(number))
        blocked = next((value for value in ORDINARY if _matches(pattern, value)), None)
        if blocked is not None:
            yield file.fault(place, f"it would block ordinary values, such as {blocked}")


def _matches(pattern: object, value: str) -> bool:
    try:
        return isinstance(pattern, str) and re.fullmatch(pattern, value) is not None
    except re.error:
        return False


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
