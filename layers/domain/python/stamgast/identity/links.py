"""Provisional links between two identifiers, and the message that confirms or refutes one.

What settles a link is a function of the evidence alone: messages are taken in the order of their
receipt, whatever order they were processed in, so neither batches nor repeats change a verdict.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from stamgast.identity.settings import IdentitySettings, Kind

DAY_SECONDS = 86_400


class LinkKind(StrEnum):
    """What a model compared: two devices by their behaviour, or two records by their traits."""

    DEVICE = "device"
    RECORD = "record"


class LinkState(StrEnum):
    """What has become of a link."""

    STANDING = "standing"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"


SETTLED = (LinkState.CONFIRMED, LinkState.REFUTED)
LOGGED_IN: Mapping[LinkKind, frozenset[Kind]] = {
    LinkKind.DEVICE: frozenset((Kind.LINKED, Kind.PERSISTENT)),
    LinkKind.RECORD: frozenset((Kind.LINKED,)),
}
"""The kinds of identifier by which a side counts as logged in.

A record nearly always has an address of its own, so there only an act such as a log-in decides.
"""


@dataclass(frozen=True, slots=True, order=True)
class Received:
    """A message by its place in the order of receipt."""

    received_ms: int
    message_key: str


Tie: TypeAlias = tuple[str, str, Received]
"""An edge of deterministic evidence, and the first message that says so."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a link is settled, and by which message; `by` is None for an operator's cut."""

    state: LinkState
    by: Received | None


def in_order(a: str, b: str) -> tuple[str, str]:
    """The pair with its smaller key first, as links are kept."""
    return (a, b) if a < b else (b, a)


def rule_of(kind: LinkKind, version: str) -> str:
    """The rule under which a model's links stand."""
    return f"{kind.value}:{version}"


def is_calibrated(rule: str) -> bool:
    """Whether later log-ins made a probability of what the rule's model scored.

    A model of devices states nothing else. One of records does so from its first calibration on,
    whose version then follows its own behind a dot; until then a score is the model's own belief.
    """
    kind, _, version = rule.partition(":")
    return kind == LinkKind.DEVICE or "." in version


def is_logged_in(keys: Iterable[str], kind: LinkKind, settings: IdentitySettings) -> bool:
    """Whether one of these identifiers is of a kind that only a log-in makes known."""
    names = {one.name for one in settings.namespaces if one.kind in LOGGED_IN[kind]}
    return any(key.partition(":")[0] in names for key in keys)


def joined_by(ties: Iterable[Tie], start: str, is_end: Callable[[str], bool]) -> Received | None:
    """The message with which `start` first hung together with an end; None if it never does.

    Kruskal's algorithm over messages in the order of receipt: the largest message on the way whose
    largest message is the smallest.
    """
    part: dict[str, set[str]] = {start: {start}}
    for a, b, received in sorted(ties, key=lambda tie: (tie[2], tie[0], tie[1])):
        left, right = part.setdefault(a, {a}), part.setdefault(b, {b})
        if left is right:
            continue
        both = left | right
        part.update(dict.fromkeys(both, both))
        if start in both and any(is_end(key) for key in both):
            return received
    return None


def confirmed_by(ties: Collection[Tie], a: str, b: str) -> Received | None:
    """The message with which two identifiers of one person came together."""
    return joined_by(ties, a, lambda key: key == b)


def refuted_by(
    ties_a: Collection[Tie],
    ties_b: Collection[Tie],
    pair: tuple[str, str],
    is_known: Callable[[str], bool],
) -> Received | None:
    """The message with which the second side logged in; None while one of them has not."""
    sides = zip(pair, (ties_a, ties_b), strict=True)
    logins = [joined_by(ties, key, is_known) for key, ties in sides]
    first, second = logins
    return None if first is None or second is None else max(first, second)
