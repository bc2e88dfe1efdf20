"""What a workspace never stores: taken out of events, or replaced by a keyed hash, before raw."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from stamgast.ingestion.verdicts import Accepted, Envelope, Rejected

HASHED = "hashed:"
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
Path = tuple[str, ...]
Change = Callable[[object], object]
GONE = object()


@dataclass(frozen=True, slots=True)
class NeverStored:
    """The marked properties; `keyed` gives the hash of a text under the workspace's secret.

    Names are compared without case, for clients differ in it. A trait is taken out of
    `context.traits` too, where some clients put it. What stands in a list is looked for in each of
    its elements.
    """

    drop: tuple[Path, ...] = ()
    hash: tuple[Path, ...] = ()
    keyed: Callable[[str], str] = str

    @property
    def is_idle(self) -> bool:
        """Whether nothing is marked."""
        return not (self.drop or self.hash)

    def out_of(self, envelope: Envelope) -> Envelope:
        """The envelope without what is marked, in accepted and in rejected events."""
        if self.is_idle:
            return envelope
        return replace(
            envelope,
            accepted=tuple(map(self._accepted, envelope.accepted)),
            rejected=tuple(map(self._rejected, envelope.rejected)),
        )

    def _accepted(self, accepted: Accepted) -> Accepted:
        event = orjson.loads(accepted.body)
        return accepted._replace(body=orjson.dumps(event)) if self._change(event) else accepted

    def _rejected(self, rejected: Rejected) -> Rejected:
        """Of a text that is no JSON nothing is kept if a marked name stands anywhere in it."""
        named = {path: t for path, t in rejected.identifiers.items() if not self._names(path)}
        try:
            event = orjson.loads(rejected.original)
        except orjson.JSONDecodeError:
            kept = "" if self._named_in(rejected.original) else rejected.original
            return replace(rejected, original=kept, identifiers=named)
        text = orjson.dumps(event).decode() if self._change(event) else rejected.original
        length = len(text.encode()) if text != rejected.original else rejected.length
        return replace(rejected, original=text, length=length, identifiers=named)

    def _names(self, path: str) -> bool:
        marked = {tuple(map(str.lower, one)) for one in (*_places(self.drop), *_places(self.hash))}
        return tuple(path.lower().split(".")) in marked

    def _named_in(self, text: str) -> bool:
        plain = ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text.replace("\0", ""))
        low = plain.lower()
        return any(path[-1].lower() in low for path in (*self.drop, *self.hash))

    def _change(self, event: object) -> bool:
        """Takes out and replaces in place; whether anything was there."""
        changed = [_apply(event, path, lambda _: GONE) for path in _places(self.drop)]
        changed += [_apply(event, path, self._hashed) for path in _places(self.hash)]
        return any(changed)

    def _hashed(self, value: object) -> object:
        """One that is a hash already stays as it is: a replay is no second hashing."""
        if value is None or (isinstance(value, str) and value.startswith(HASHED)):
            return value
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return self.keyed(text)


NOTHING_MARKED = NeverStored()


def never_stored_of(told: Mapping[str, Any], keyed: Callable[[str, str], str]) -> NeverStored:
    """What the compiled workspace marks; `keyed` hashes a value of a namespace."""
    drop, hashed = (tuple(tuple(p.split(".")) for p in told.get(n, ())) for n in ("drop", "hash"))
    return NeverStored(drop, hashed, lambda text: keyed(HASHED.removesuffix(":"), text))


def _places(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        yield path
        if path[0] == "traits":
            yield ("context", *path)


def without(value: object, path: Path) -> bool:
    """Takes what a path names out of a document in place; whether it was there."""
    return _apply(value, path, lambda _: GONE)


def _apply(value: object, path: Path, change: Change) -> bool:
    if isinstance(value, list):
        return sum(_apply(one, path, change) for one in value) > 0
    if not isinstance(value, dict):
        return False
    step, rest = path[0].lower(), path[1:]
    names = [name for name in value if name.lower() == step]
    if rest:
        return sum(_apply(value[name], rest, change) for name in names) > 0
    for name in names:
        after = change(value[name])
        if after is GONE:
            del value[name]
        else:
            value[name] = after
    return bool(names)
