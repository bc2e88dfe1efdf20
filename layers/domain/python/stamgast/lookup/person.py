"""What is known of a person, and the part of it that one way of looking may tell.

The trust rule: every identifier of a person carries a *trust group*, the identifiers it is tied to
by verified evidence alone. A look-up reads the facts of its own group. It reads those of cookies
and devices that were only claimed, too, where every linked or persistent identifier of the person
is in the group: then no second known party could be told of. What lies beyond, reached only
because somebody claimed so, is told as fields marked `safe_when_claimed` and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeAlias

from stamgast.consent.coverage import Consent, consent_of_traits, joined_words
from stamgast.identity.assurance import Assurance
from stamgast.identity.root import Root
from stamgast.lookup.request import View
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.profile.store import Pair

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A person's root, and what runs and live rules published about the person.

    `rows` are by section and name: `{"segments": {"loyal": {...}}, "rfm": {"rfm": {...}}}`.
    """

    root: Root
    rows: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)

    @property
    def person_id(self) -> str:
        """The id, derived from no identifier."""
        return self.root.person_id

    @property
    def created_ms(self) -> int:
        """When the founding message was received."""
        return self.root.born.received_ms


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look-up sees: the keys it may tell of, and the anchors it may read."""

    person: Person
    view: View
    keys: frozenset[str]
    anchors: frozenset[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as one look-up tells it."""

    person: Person
    view: View
    keys: frozenset[str]
    facts: Facts
    anchors: frozenset[str] = frozenset()
    values: Mapping[str, Row] = field(default_factory=dict)
    pairs: Mapping[str, Pair] = field(default_factory=dict, repr=False)
    computed: Mapping[str, Row] = field(default_factory=dict)
    """Computed traits with how fresh each is, as `stamgast.lookup.live` tells them."""
    consent: Consent | None = None
    """What all anchors of the person say of purposes, in sight or not."""

    @property
    def computed_values(self) -> dict[str, Any]:
        """The computed traits alone."""
        return {name: row["value"] for name, row in self.computed.items()}


@dataclass(frozen=True, slots=True)
class Lens:
    """How a look-up looks: the view asked for, and which namespaces are ephemeral."""

    view: View
    ephemeral: frozenset[str]


def sight_of(person: Person, key: str, lens: Lens) -> Sight:
    """The part of a person that may be told to a reader who came by this identifier."""
    root = person.root
    if lens.view is View.CLAIMED:
        return Sight(person, View.CLAIMED, frozenset((key,)), root.anchors & {key})
    mine = root.members.get(key)
    if mine is None:
        return Sight(person, View.CLAIMED, frozenset((key,)), frozenset())
    group = frozenset(k for k, member in root.members.items() if member.group == mine.group)
    beyond = root.members.keys() - group
    if (
        all(_namespace(k) in lens.ephemeral for k in beyond)
        and _namespace(key) not in lens.ephemeral
    ):
        return Sight(person, View.VERIFIED, frozenset(root.members), root.anchors)
    is_vouched = mine.assurance is Assurance.VERIFIED or root.anchors <= group
    view = View.VERIFIED if is_vouched else View.CLAIMED
    return Sight(person, view, group, root.trusted_anchors(key))


def _namespace(key: str) -> str:
    return key.partition(":")[0]


def profile_of(
    sight: Sight,
    facts: Mapping[str, Facts],
    values: Mapping[str, Row] | None = None,
    pairs: Mapping[str, Pair] | None = None,
) -> Profile:
    """The fold of what the anchors in sight say; `pairs` are of any anchors."""
    told = reduce(merge, (facts.get(anchor, NOTHING) for anchor in sorted(sight.anchors)), NOTHING)
    mine = {a: pair for a, pair in (pairs or {}).items() if a in sight.person.root.anchors}
    words = consent_of_traits(joined_words(facts, sight.person.root.anchors))
    return Profile(
        sight.person, sight.view, sight.keys, told, sight.anchors, values or {}, mine, consent=words
    )
