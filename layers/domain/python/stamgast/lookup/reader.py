"""Who asks: the fields, namespaces and actions of a token, and the digest it is kept under."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

EVERYTHING = "*"
COUNTABLE = "events"
"""The field by which rules may count events; it shows none, as `timeline` does."""


class Action(StrEnum):
    """What a token may do beyond reading; none may do anything that it was not granted by name."""

    CHANGE_IDENTITY = "identity.change"
    EXPLAIN_IDENTITY = "identity.explain"
    EXPLAIN_SEGMENTS = "segments.explain"
    PREVIEW_SEGMENTS = "segments.preview"
    EXPORT_SEGMENTS = "segments.export"
    CARRY_OUT_RIGHTS = "rights.carry_out"


@dataclass(frozen=True, slots=True)
class Reader:
    """What one token may see.

    `fields` are paths such as `traits.email`, `traits.*`, `segments` or `*`; `namespaces` are the
    families of identifiers it may look people up by and be told of; `may` are the actions that it
    was granted, by their names. `purposes` are those that it may read for, none meaning that it is
    bound to none; `manifest` is what the purpose of a request covers of the fields. From
    `expires_s` on (seconds since 1970) the token is none.
    """

    name: str
    fields: tuple[str, ...]
    namespaces: tuple[str, ...] = (EVERYTHING,)
    may: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    manifest: tuple[str, ...] = (EVERYTHING,)
    expires_s: int | None = None

    def may_see(self, path: str) -> bool:
        """Whether a field such as `traits.email`, or any part of a section, is in the scope."""
        return covers(self.fields, path) and covers(self.manifest, path)

    def sees_into(self, section: str) -> bool:
        """Whether some part of a section is in the scope, by its own name."""
        return all(
            covers(patterns, section) or any(one.startswith(f"{section}.") for one in patterns)
            for patterns in (self.fields, self.manifest)
        )

    def may_name(self, namespace: str) -> bool:
        """Whether this reader may look up by, and be told of, identifiers of a namespace."""
        return EVERYTHING in self.namespaces or namespace in self.namespaces

    def may_do(self, action: Action) -> bool:
        """Whether this action was granted by its name: `*` grants none."""
        return action in self.may


def covers(patterns: Iterable[str], path: str) -> bool:
    """Whether one of the patterns names the path itself, a section around it, or everything."""
    return any(_covers(pattern, path) for pattern in patterns)


def _covers(pattern: str, path: str) -> bool:
    section = pattern.removesuffix(".*")
    return pattern == EVERYTHING or path == section or path.startswith(section + ".")


def token_digest(token: str) -> str:
    """The form in which a token is kept at rest: its SHA-256 in hex (tokens are random)."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
