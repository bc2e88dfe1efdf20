"""Which identifiers a text or a number spells, in any of the workspace's namespaces."""

from base64 import b64decode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from stamgast.identity.identifiers import Identifier, normalise
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings

LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Naming:
    """Reads values as identifiers; `region` (ISO 3166) reads phone numbers without a country."""

    settings: IdentitySettings
    keyring: Keyring
    region: str | None = None

    def keys_of(self, value: object) -> set[str]:
        """The keys of what a value spells, one for each namespace that takes it."""
        return set(self.spelled(value))

    def spelled(self, value: object) -> dict[str, str]:
        """What a value spells: keys, each with the normalised value."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return {}
        if isinstance(value, str) and len(value) > LONGEST:
            return {}
        told = (normalise(one, value, self.settings, self.region) for one in self._namespaces())
        return {
            self.keyring.identifier_key(one.namespace, one.value): one.value
            for one in told
            if isinstance(one, Identifier)
        }

    def names(self, value: Any, keys: Collection[str]) -> bool:
        """Whether a document holds a value that spells one of the identifiers of these keys."""
        return any(not self.keys_of(leaf).isdisjoint(keys) for leaf in leaves(value))

    def without(self, value: Any, keys: Collection[str]) -> Any:
        """A document without the values that spell these identifiers."""
        if isinstance(value, dict):
            is_coded = value.get("encoding") == "base64"
            return {
                name: self.without(inner, keys)
                for name, inner in value.items()
                if not self._spells(inner, keys) and not (is_coded and self._codes(inner, keys))
            }
        if isinstance(value, list):
            return [self.without(inner, keys) for inner in value if not self._spells(inner, keys)]
        return value

    def _namespaces(self) -> Any:
        return self.settings.namespaces

    def _spells(self, value: object, keys: Collection[str]) -> bool:
        return not self.keys_of(value).isdisjoint(keys)

    def _codes(self, value: object, keys: Collection[str]) -> bool:
        return any(self._spells(text, keys) for text in decoded(value))


@dataclass(frozen=True, slots=True)
class Spelling:
    """Knows which values spell one of the identifiers of some keys."""

    naming: Naming
    keys: Collection[str]

    def is_cell(self, value: str) -> bool:
        """Whether a value spells one of them, in any namespace."""
        return not self.naming.keys_of(value).isdisjoint(self.keys)


def leaves(value: Any) -> Iterator[object]:
    """The texts and numbers of a document, those in base64 also as what they spell."""
    if isinstance(value, dict):
        is_coded = value.get("encoding") == "base64"
        for inner in value.values():
            yield from leaves(inner)
            if is_coded:
                yield from decoded(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str | int | float):
        yield value


def decoded(value: object) -> Iterator[str]:
    """The text that a base64 text spells, if it is one."""
    if isinstance(value, str):
        try:
            yield b64decode(value, validate=True).decode("utf-8")
        except ValueError:
            return
