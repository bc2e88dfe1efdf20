"""What stays of a text of another person's message that names an erased one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import orjson

from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import SHORT
from stamgast.erasure.subject import Subject
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings


@dataclass(frozen=True)
class Redaction:
    """Takes the identifiers of some persons out of JSON texts, in whatever spelling they stand."""

    subjects: tuple[Subject, ...]
    settings: IdentitySettings
    keyring: Keyring

    def of_json(self, text: str) -> str:
        """The document without values that spell the identifiers, and texts without mentions."""
        naming = Naming(self.settings, self.keyring)
        left = naming.without(orjson.loads(text), self.keys)
        return self.of_text(orjson.dumps(left).decode())

    def of_text(self, text: str) -> str:
        """The text without mentions of the identifiers that are long enough to be known."""
        return self._mentions.sub("", text) if self._mentions else text

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of all these persons."""
        return frozenset().union(*(one.keys for one in self.subjects))

    @cached_property
    def _mentions(self) -> "re.Pattern[str] | None":
        found = sorted({v for v in self._values() if len(v) >= SHORT}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, found)), re.IGNORECASE) if found else None

    def _values(self) -> Iterable[str]:
        for subject in self.subjects:
            for value in subject.values.values():
                yield value
                yield orjson.dumps(value)[1:-1].decode()
