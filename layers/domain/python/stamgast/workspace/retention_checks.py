"""What ends has to end everywhere: faults of `retention.yaml` that its shape cannot tell."""

from collections.abc import Iterator, Mapping
from typing import Any

from stamgast.workspace.yaml_files import Fault, YamlFile

RETENTION, EVENTS = "retention.yaml", "events"
ARCHIVES = {"raw_events": "events as they came", "imports": "dropped files whole"}


def retention_faults(file: YamlFile, compiled: Mapping[str, Any]) -> Iterator[Fault]:
    """Archives that outlast what they hold, and identifiers in a class of properties.

    `compiled` is what the files told, as far as they had their form.
    """
    told = compiled.get("retention", {})
    yield from _outlasting(file, told)
    identifying = {
        path.lower(): name
        for name, one in compiled.get("identity", {}).get("namespaces", {}).items()
        for path in one["paths"]
    }
    for name, one in told.get("properties", {}).items():
        for number, path in enumerate(one["paths"]):
            for known in identifying:
                if known == path.lower() or known.startswith(f"{path.lower()}."):
                    place = ("retention", "properties", name, "paths", str(number))
                    yield file.fault(place, _identifies(path, identifying[known]))


def _outlasting(file: YamlFile, told: Mapping[str, Any]) -> Iterator[Fault]:
    ends = {f"properties.{name}": one["days"] for name, one in told.get("properties", {}).items()}
    ends |= {EVENTS: told[EVENTS]} if told.get(EVENTS) else {}
    if not ends:
        return
    what, least = min(ends.items(), key=lambda one: (one[1], one[0]))
    for archive, holds in ARCHIVES.items():
        days = told.get(archive)
        if days is None or days > least:
            said = "is not said" if days is None else f"is {days}"
            yield file.fault(
                ("retention", *((archive,) if days is not None else ())),
                f"{archive} {said}, but `{what}` ends after {least} days, and it keeps {holds};"
                f" write `{archive}: {least}` or less",
            )


def _identifies(path: str, namespace: str) -> str:
    return (
        f"{path!r} tells an identifier ({namespace}), which stays as long as its person;"
        " take it out of the class, or out of the namespace's paths"
    )
