"""Which identifiers a workspace knows, how strong each is, and what never identifies anybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from stamgast.consent.purposes import UNDECLARED, Purposes
from stamgast.identity.assurance import Assurance


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


class Provider(StrEnum):
    """Mailbox providers that ignore a part of an address."""

    GMAIL = "gmail"
    OUTLOOK = "outlook"
    ICLOUD = "icloud"


@dataclass(frozen=True, slots=True)
class Namespace:
    """One family of identifiers; `paths` say where in an event's body its values stand.

    `value_limit` is the number of persons that one value may serve, `most` how many values of it a
    person may have (None: as many as the person limit allows). A value must match `allow` whole and
    no pattern of `block`; an event less assured than `least_assurance` names none. `providers` are
    those by whose rules addresses are read. `external_types` are the types of `context.externalIds`
    that mean this namespace, besides its own name.
    """

    name: str
    kind: Kind
    priority: int
    value_limit: int
    paths: tuple[tuple[str, ...], ...]
    form: Form = Form.TEXT
    fold_case: bool = False
    most: int | None = None
    allow: str | None = None
    block: tuple[str, ...] = ()
    least_assurance: Assurance = Assurance.ANONYMOUS
    providers: tuple[Provider, ...] = ()
    external_types: tuple[str, ...] = ()


CEILING = 5_300
"""What the defaults let claims fill before a server joins it: half of 200 for each of 51 named
identifiers, beside 200 verified ones. At 50 to 70 bytes each an item stays below its 400 KB.
"""


class Limits(NamedTuple):
    """How large a person may be: identifiers in all and of a namespace, and merges.

    A merge joins two that a persistent or linked identifier names each. The ceiling is for live
    persons, whom claims have filled between runs: it keeps an item small.
    """

    person: int
    merges: int
    most: Mapping[str, int]
    naming: frozenset[str]
    ceiling: int = CEILING


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

BLOCKED_PATTERNS = (
    r"[0\-_. ()/+]+",
    r"[!-/:-@\[-`{-~ \ufffc\ufffd]+",  # signs alone, and characters that were lost on the way
    r"#(?:n/a|ref!|null!|value!|num!|div/0!|name\?)",  # what a spreadsheet says of a broken cell
    r"[f\-]{32,}",
    r"[x\-]{3,}",
    r"\$\{.*\}",
    r"\{\{.*\}\}",
    r"%%.*%%",
    r"%[a-z._]+%",
    r"[<\[](?:null|none|nil|nan|undefined|unknown|empty)[>\]]",
    r"\[object .*\]",
    r"(?:no|do-not|donot)[-_.]?reply@.*",
    r"(?:test|null|none|undefined|unknown|anonymous|guest|nobody|noemail)@.*",
)


# From Segment's list of default externalIds types.
USUAL_TYPES = {
    "android.id": "device_id",
    "android.idfa": "device_id",
    "ios.id": "device_id",
    "ios.idfa": "device_id",
    "cross_domain_id": "anonymous_id",
    "customer_id": "user_id",
    "phone_number": "phone",
}


@dataclass(frozen=True)
class IdentitySettings:
    """The static configuration of identity; everything that decides an event's anchor is here."""

    namespaces: tuple[Namespace, ...]
    person_limit: int = 200
    merge_limit: int = 50
    ceiling: int = CEILING
    blocked_values: frozenset[str] = BLOCKED_VALUES
    blocked_patterns: tuple[str, ...] = BLOCKED_PATTERNS
    default_region: str | None = None
    regions: dict[str, str] = field(default_factory=dict)
    consents: Purposes = UNDECLARED

    @cached_property
    def limits(self) -> Limits:
        """How large a person may be."""
        most = {n.name: n.most for n in self.namespaces if n.most is not None}
        return Limits(self.person_limit, self.merge_limit, most, self.naming, self.ceiling)

    @cached_property
    def external(self) -> dict[str, Namespace]:
        """The namespaces by the types under which `context.externalIds` names them."""
        told = {kind: n for n in self.namespaces for kind in n.external_types}
        return {**_usual(self.by_name), **told, **self.by_name}

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


def _usual(by_name: Mapping[str, Namespace]) -> dict[str, Namespace]:
    """The types of Segment's spec that mean a namespace of another name."""
    return {kind: by_name[name] for kind, name in USUAL_TYPES.items() if name in by_name}


def paths(*dotted: str) -> tuple[tuple[str, ...], ...]:
    """`traits.email` becomes ("traits", "email")."""
    return tuple(tuple(path.split(".")) for path in dotted)


DEFAULT_NAMESPACES = (
    Namespace("user_id", Kind.LINKED, 0, 20, paths("userId"), most=10),
    Namespace(
        "loyalty_card",
        Kind.LINKED,
        1,
        5,
        paths("traits.loyalty_card", "context.traits.loyalty_card", "properties.loyalty_card"),
        most=20,
    ),
    Namespace(
        "email",
        Kind.PERSISTENT,
        2,
        5,
        paths("traits.email", "context.traits.email", "properties.email"),
        Form.EMAIL,
        fold_case=True,
        most=20,
    ),
    Namespace(
        "phone",
        Kind.PERSISTENT,
        3,
        5,
        paths("traits.phone", "context.traits.phone", "properties.phone"),
        Form.PHONE,
        most=20,
    ),
    Namespace("payment_token", Kind.LINKED, 4, 5, paths("properties.payment_token")),
    Namespace("device_id", Kind.EPHEMERAL, 5, 3, paths("context.device.id")),
    Namespace("anonymous_id", Kind.EPHEMERAL, 6, 3, paths("anonymousId")),
)

DEFAULT = IdentitySettings(DEFAULT_NAMESPACES)
