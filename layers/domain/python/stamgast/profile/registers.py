"""Trait registers: the latest, best known value of each trait, in any order of arrival."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from stamgast.consent.words import MOST_WORDS, is_word
from stamgast.identity.assurance import Assurance

if TYPE_CHECKING:  # read paths need no event, and load faster without
    from stamgast.identity.event import Event

MOST_TRAITS = 256
LONGEST_NAME_BYTES = 255
LARGEST_VALUE_BYTES = 1024

Json: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Register:
    """One trait's value with what decides its rank; a value of None deletes, and stays.

    `key` is the short id of the message that said it.
    """

    value: Json
    assurance: Assurance
    event_ms: int
    key: str

    @property
    def rank(self) -> tuple[int, int, str]:
        """(assurance, event time, message): a claim never displaces a verified value."""
        return (self.assurance, self.event_ms, self.key)

    @property
    def order(self) -> tuple[int, int, str, bytes]:
        """The rank, then the value's canonical JSON: total even for conflicting copies."""
        return (*self.rank, canonical(self.value))


Traits: TypeAlias = Mapping[str, Register]


def canonical(value: Json) -> bytes:
    """JSON with sorted keys and no white space: equal bytes for equal values."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def traits_of(event: "Event") -> dict[str, Register]:
    """The registers that one event writes, each within its bounds."""
    told = {
        name: Register(bounded(value), event.assurance, event.event_ms, event.short_id)
        for name, value in event.traits.items()
        if len(name.encode()) <= LONGEST_NAME_BYTES
    }
    return dict(largest(told.items()))


def bounded(value: Json) -> Json:
    """The value, or `{"oversize_bytes": n}` in its place; the raw archive keeps the whole."""
    size = len(canonical(value))
    return value if size <= LARGEST_VALUE_BYTES else {"oversize_bytes": size}


def join_traits(left: Traits, right: Traits) -> dict[str, Register]:
    """The higher register of each name: commutative, associative and idempotent."""
    joined = dict(left)
    for name, register in right.items():
        mine = joined.get(name)
        if mine is None or mine.order < register.order:
            joined[name] = register
    return dict(largest(joined.items()))


def largest(traits: Iterable[tuple[str, Register]]) -> list[tuple[str, Register]]:
    """The registers of highest rank; ranks only grow, so what is out stays out.

    Words about consents have room of their own: no trait can push a refusal out.
    """
    listed = list(traits)
    if len(listed) <= min(MOST_TRAITS, MOST_WORDS):
        return listed
    words = [item for item in listed if is_word(item[0])]
    plain = [item for item in listed if not is_word(item[0])]
    return [*_highest(plain, MOST_TRAITS), *_highest(words, MOST_WORDS)]


def _highest(listed: list[tuple[str, Register]], most: int) -> list[tuple[str, Register]]:
    if len(listed) <= most:
        return listed
    return nlargest(most, listed, key=lambda item: (item[1].rank, item[0]))
