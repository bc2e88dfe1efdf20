"""What the parts of a workspace say of purposes must fit together; every fault with its place."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from stamgast.workspace.yaml_files import Fault, Place, YamlFile

CONSENT = "consent.yaml"
NAMERS = {"segments.yaml": "segments", "models.yaml": "models"}
Files = Mapping[str, YamlFile | None]


def consent_faults(files: Files) -> Iterator[Fault]:
    """Purposes that nobody declared, and covers that name what is not there."""
    file = files[CONSENT]
    purposes = _part(file, "purposes")
    if file is None or not purposes:
        return
    for namer, place, purpose in _named(files):
        if purpose not in purposes:
            yield namer.fault(place, _unknown("purpose", purpose, purposes))
    for name, told in purposes.items():
        yield from _covers(file, name, told, files)


def _covers(file: YamlFile, name: str, told: object, files: Files) -> Iterator[Fault]:
    listed = told.get("covers") if isinstance(told, dict) else None
    for number, cover in enumerate(listed if isinstance(listed, list) else ()):
        use, _, what = str(cover).partition(".")
        known = {"segments": "segments.yaml", "models": "models.yaml"}.get(use)
        if known is None or what in ("", "*"):
            continue
        names = _part(files[known], NAMERS[known])
        if what not in names:
            place = ("purposes", name, "covers", str(number))
            yield file.fault(place, _unknown(use.removesuffix("s"), what, names))


def _named(files: Files) -> Iterator[tuple[YamlFile, Place, str]]:
    """Every place outside the file of consents that names a purpose."""
    for name, part in NAMERS.items():
        file = files[name]
        for one, told in _part(file, part).items():
            purpose = told.get("purpose") if isinstance(told, dict) else None
            if file is not None and isinstance(purpose, str):
                yield file, (part, one, "purpose"), purpose
    file = files["identity.yaml"]
    identity = _part(file, "identity")
    links = identity.get("links")
    purposes = links.get("purposes") if isinstance(links, dict) else None
    for purpose in purposes if file is not None and isinstance(purposes, dict) else ():
        if file is not None:
            yield file, ("identity", "links", "purposes", str(purpose)), str(purpose)


def _part(file: YamlFile | None, name: str) -> Mapping[str, Any]:
    document = file.document if file is not None else None
    told = document.get(name) if isinstance(document, dict) else None
    return {str(key): one for key, one in told.items()} if isinstance(told, dict) else {}


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    meant = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(names) or 'none'}"
    return f"no {kind} is named '{name}'; {meant}"
