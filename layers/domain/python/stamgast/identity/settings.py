"""Which identifiers a workspace knows, how strong each is, and what never identifies anybody."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """How an identifier belongs to a person."""

    PERSISTENT = "persistent"
    LINKED = "linked"
    EPHEMERAL = "ephemeral"


class Form(StrEnum):
    """How the values of a namespace are normalised."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Namespace:
    """One family of identifiers; `paths` say where in an event's body its values stand.

    `value_limit` is the number of persons that one value may serve.
    """

    name: str
    kind: Kind
    priority: int
    value_limit: int
    paths: tuple[tuple[str, ...], ...]
    form: Form = Form.TEXT
    fold_case: bool = False


BLOCKED_VALUES = frozenset(
    {
        "-1",
        "0",
        "null",
        "(null)",
        "none",
        "(none)",
        "nil",
        "nan",
        "void",
        "undefined",
        "unknown",
        "anonymous",
        "anon",
        "guest",
        "test",
        "true",
        "false",
        "n/a",
        "na",
        "not set",
        "(not set)",
        "not_set",
        "[object object]",
        "{}",
        "[]",
        "test@test.com",
        "none@none.com",
        "no@email.com",
    }
)

BLOCKED_PATTERNS = (r"[0\-_. ]+", r"[xX\-]{3,}", r"\$\{.*\}", r"\{\{.*\}\}", r"%%.*%%")


@dataclass(frozen=True)
class IdentitySettings:
    """The static configuration of identity; everything that decides an event's anchor is here."""

    namespaces: tuple[Namespace, ...]
    person_limit: int = 200
    blocked_values: frozenset[str] = BLOCKED_VALUES
    blocked_patterns: tuple[str, ...] = BLOCKED_PATTERNS
    default_region: str | None = None
    regions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def naming(self) -> frozenset[str]:
        """The namespaces whose values stay with a person, persistent or linked."""
        return frozenset(n.name for n in self.namespaces if n.kind is not Kind.EPHEMERAL)

    @cached_property
    def by_name(self) -> dict[str, Namespace]:
        """The namespaces by their names."""
        return {namespace.name: namespace for namespace in self.namespaces}

    def region_of(self, source_id: str) -> str | None:
        """The region (ISO 3166) in which a source's local phone numbers are read."""
        return self.regions.get(source_id, self.default_region)


def paths(*dotted: str) -> tuple[tuple[str, ...], ...]:
    """`traits.email` becomes ("traits", "email")."""
    return tuple(tuple(path.split(".")) for path in dotted)


DEFAULT_NAMESPACES = (
    Namespace("user_id", Kind.LINKED, 0, 20, paths("userId")),
    Namespace(
        "loyalty_card",
        Kind.LINKED,
        1,
        5,
        paths("traits.loyalty_card", "context.traits.loyalty_card", "properties.loyalty_card"),
    ),
    Namespace(
        "email",
        Kind.PERSISTENT,
        2,
        5,
        paths("traits.email", "context.traits.email", "properties.email"),
        Form.EMAIL,
        fold_case=True,
    ),
    Namespace(
        "phone",
        Kind.PERSISTENT,
        3,
        5,
        paths("traits.phone", "context.traits.phone", "properties.phone"),
        Form.PHONE,
    ),
    Namespace("payment_token", Kind.LINKED, 4, 5, paths("properties.payment_token")),
    Namespace("device_id", Kind.EPHEMERAL, 5, 3, paths("context.device.id")),
    Namespace("anonymous_id", Kind.EPHEMERAL, 6, 3, paths("anonymousId")),
)

DEFAULT = IdentitySettings(DEFAULT_NAMESPACES)
