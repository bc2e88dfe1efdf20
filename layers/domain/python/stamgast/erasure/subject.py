"""Whom an erasure takes: all identifiers of the resolved person, and whom it has to leave alone."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import orjson

from stamgast.identity.keys import Keyring


@dataclass(frozen=True, slots=True)
class Subject:
    """The person of a request as it was resolved when the request was carried out.

    `values` are the normalised identifiers by their keys. `apart` are anchors of other persons
    whose messages name one of the keys, `others` those persons, `partners` all identifiers of these
    and of who was cut from the person. `births` are the ids of all persons that its messages could
    have founded, `orphans` identifiers of others that no message names which stays. What was
    received or happened up to `until_ms` goes.
    """

    request_id: str
    until_ms: int
    keys: frozenset[str]
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    persons: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    births: frozenset[str] = frozenset()
    orphans: frozenset[str] = frozenset()

    @property
    def reach(self) -> frozenset[str]:
        """Every identifier whose rows may tell of the person."""
        return self.keys | self.apart | self.partners

    def joined(self, other: "Subject") -> "Subject":
        """What both know of the person, live and in the lake."""
        keys, persons = self.keys | other.keys, self.persons | other.persons
        return replace(
            self,
            keys=keys,
            values={**self.values, **other.values},
            persons=persons,
            apart=(self.apart | other.apart) - keys,
            others=(self.others | other.others) - persons,
            partners=(self.partners | other.partners) - keys,
            births=self.births | other.births,
            orphans=(self.orphans | other.orphans) - keys,
        )

    def to_json(self) -> bytes:
        """The document that is kept while the request is pending, and no longer."""
        return orjson.dumps(asdict(self), default=sorted)

    @classmethod
    def from_json(cls, text: bytes) -> "Subject":
        """Reads what `to_json` wrote."""
        told: dict[str, Any] = orjson.loads(text)
        sets = ("keys", "persons", "apart", "others", "partners", "births", "orphans")
        return cls(**{**told, **{name: frozenset(told.get(name, ())) for name in sets}})


class LiveTables(Protocol):
    """The tables `profiles` and `control`, as an erasure asks them."""

    def resolve(self, subject: Subject) -> Subject:
        """The subject with the person that its keys lead to, and everything of that person."""
        ...

    def founded(self, keys: Collection[str]) -> Mapping[str, int]:
        """When each of these identifiers that is known was founded, in ms since 1970."""
        ...

    def search(self, subject: Subject) -> Mapping[str, int]:
        """How many items of each kind tell of the subject."""
        ...

    def erase(self, subject: Subject) -> Mapping[str, int]:
        """Takes the subject out of every item; how many of each kind. May be repeated."""
        ...


def gone_person(person_id: str, keyring: Keyring) -> str:
    """What is remembered of an erased person, beside erased messages: a keyed hash of the id."""
    return keyring.message_key("erased person", person_id)


def total(counts: Mapping[str, int], names: Collection[str] | None = None) -> int:
    """The sum of counts, or of those of these names."""
    return sum(count for name, count in counts.items() if names is None or name in names)
