"""Archives whose bytes depend on what they hold alone: equal models are equal files.

Zip entries carry the time at which they were made, and skops names objects by where they lay in
memory; neither says anything of a model.
"""

import io
import re
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)
SCHEMA, NESTED = "schema.json", ".skops"
PLACES = re.compile(rb'("__id__": |")(\d{6,})(\.[a-z]+")?')


def canonical(archive: bytes) -> bytes:
    """The same archive with objects numbered in their order and entries without a time.

    What is no archive, such as a model of plain data, is left as it is.
    """
    if not zipfile.is_zipfile(io.BytesIO(archive)):
        return archive
    with zipfile.ZipFile(io.BytesIO(archive)) as told:
        entries = {name: told.read(name) for name in told.namelist()}
    if SCHEMA in entries:
        entries = _numbered(entries)
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(entries):
            body = canonical(entries[name]) if name.endswith(NESTED) else entries[name]
            made.writestr(zipfile.ZipInfo(name, EPOCH), body, zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def _numbered(entries: dict[str, bytes]) -> dict[str, bytes]:
    """A skops archive whose ids are the order in which its schema names them."""
    numbers: dict[bytes, bytes] = {}

    def number(found: re.Match[bytes]) -> bytes:
        before, place, ending = found[1], found[2], found[3] or b""
        if before == b'"' and not ending:
            return found[0]
        return before + numbers.setdefault(place, str(len(numbers) + 1).encode()) + ending

    schema = PLACES.sub(number, entries[SCHEMA])
    names = {name: _renamed(name, numbers) for name in entries if name != SCHEMA}
    return {SCHEMA: schema, **{names[name]: entries[name] for name in names}}


def _renamed(name: str, numbers: dict[bytes, bytes]) -> str:
    stem, dot, ending = name.partition(".")
    return numbers.get(stem.encode(), stem.encode()).decode() + dot + ending
