"""Facts as the lake keeps them: canonical JSON, each trait with its message and source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from hashlib import sha256
from typing import Any

import orjson

from stamgast.profile.base_codec import facts_document, facts_of_document
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.profile.registers import canonical


@dataclass(frozen=True, slots=True)
class Source:
    """The message that said a trait's value, and the source it came from."""

    message_key: str
    source_id: str


@dataclass(frozen=True, slots=True)
class Sourced:
    """Facts, and where each of their traits comes from."""

    facts: Facts = NOTHING
    sources: Mapping[str, Source] = field(default_factory=dict)


def merge_all(parts: Iterable[Sourced]) -> Sourced:
    """The facts of several anchors as those of one person."""
    return reduce(_merged, parts, Sourced())


def _merged(left: Sourced, right: Sourced) -> Sourced:
    facts = merge(left.facts, right.facts)
    sources = {
        name: (left if left.facts.traits.get(name) == register else right).sources[name]
        for name, register in facts.traits.items()
    }
    return Sourced(facts, sources)


def to_json(told: Sourced) -> bytes:
    """Canonical: equal facts give equal bytes."""
    sources = {
        name: [source.message_key, source.source_id] for name, source in told.sources.items()
    }
    return canonical({**facts_document(told.facts), "sources": sources})


def from_json(text: bytes | str) -> Sourced:
    """Reads what `to_json` wrote."""
    told: dict[str, Any] = orjson.loads(text)
    sources = {name: Source(*source) for name, source in told["sources"].items()}
    return Sourced(facts_of_document(told), sources)


def hash_of(text: bytes) -> str:
    """What tells two texts apart without comparing them."""
    return sha256(text).hexdigest()[:32]
