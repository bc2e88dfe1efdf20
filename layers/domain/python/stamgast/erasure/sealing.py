"""What of somebody else spells an erased identifier and yet names them: it gives way to a seal.

An id of a message, or an identifier in another namespace (a user id that is an address), cannot be
left out: the message would be another one, its person somebody else. A seal keeps the keys alone.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stamgast.identity.identifiers import Identifier
from stamgast.identity.interpret import MOST_EXTERNAL, identified
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings, Namespace

Place = tuple[dict[str, Any], str, Namespace]


class Telling(Protocol):
    """What knows whether a text tells of the erased."""

    def is_cell(self, value: str) -> bool:
        """Whether the text, which is a whole value, tells of them."""
        ...


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals what tells of some persons; `erased` are their own keys, which go unsealed."""

    needles: Telling
    settings: IdentitySettings
    keyring: Keyring
    erased: Collection[str]

    def value(self, key: str, value: str) -> str:
        """The value of somebody else's identifier as it may stay."""
        is_theirs = key not in self.erased and self.needles.is_cell(value)
        return self.keyring.sealed_value(key.partition(":")[0], value) if is_theirs else value

    def message_id(self, source_id: str, message_id: str) -> str:
        """The id of somebody else's message as it may stay."""
        is_theirs = self.needles.is_cell(message_id)
        return self.keyring.sealed_message(source_id, message_id) if is_theirs else message_id

    def body(self, body: dict[str, Any], region: str | None = None) -> dict[str, Any]:
        """The same document, with a seal at each place whose identifier may not stay as it is."""
        for holder, name, namespace in list(self._places(body)):
            told = identified(namespace, holder.get(name), self.settings, self.keyring, region)
            if isinstance(told, Identifier):
                key = self.keyring.identifier_key(namespace.name, told.value)
                if (sealed := self.value(key, told.value)) != told.value:
                    holder[name] = sealed
        return body

    def _places(self, body: dict[str, Any]) -> Iterator[Place]:
        for namespace in self.settings.namespaces:
            for *way, name in namespace.paths:
                if (holder := _holder(body, way)) is not None:
                    yield holder, name, namespace
        by_name = self.settings.by_name
        if body.get("type") == "alias" and (previous := by_name.get("user_id")):
            yield body, "previousId", by_name.get("anonymous_id", previous)
        for place in (body, body.get("context")):
            listed = place.get("externalIds") if isinstance(place, dict) else None
            for entry in listed[:MOST_EXTERNAL] if isinstance(listed, list) else ():
                if isinstance(entry, dict) and (named := self._external(entry)):
                    yield entry, "id", named

    def _external(self, entry: Mapping[str, Any]) -> Namespace | None:
        is_plain = entry.get("encoding", "none") in ("none", None)
        return self.settings.external.get(str(entry.get("type"))) if is_plain else None


def _holder(body: dict[str, Any], way: list[str]) -> dict[str, Any] | None:
    value: Any = body
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None
