"""The persons of a component, by constrained Kruskal: edges are added one by one, best first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Pair, Reason
from stamgast.identity.plan import another_id
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.rules import (
    Side,
    joined,
    kind_of,
    makes_known,
    may_join,
    trust_groups,
)
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.survey import Survey


@dataclass(frozen=True, slots=True)
class Partition:
    """The persons that should be: each identifier's person, and why edges between two do not join.

    `clashes` says that two persons claim one id, which happens only when two payloads came under
    one message id: nothing is changed then.
    """

    targets: Mapping[str, Root]
    goal: Mapping[str, str]
    refused: Mapping[Pair, Reason]
    clashes: bool = False


def partition(found: Survey, settings: IdentitySettings) -> Partition:
    """The persons of a surveyed component: a pure function of edges, traits and cannot-links."""
    cuts = found.cuts
    sides = {
        key: Side(
            frozenset({key}),
            makes_known(kind_of(key, settings), trait.assurance),
            frozenset(c for c in cuts if key in c),
        )
        for key, trait in found.traits.items()
    }
    refused = _join_all(found, sides, settings)
    distinct = {id(side): side for side in sides.values()}
    verified = _verified(found, sides)
    roots = [_target(found, side, cuts, verified[id(side)]) for side in distinct.values()]
    roots = list(_by_one_id_each(found, roots))
    goal = {key: root.person_id for root in roots for key in root.members}
    targets = {root.person_id: root for root in roots}
    return Partition(targets, goal, refused, clashes=len(targets) != len(roots))


def _by_one_id_each(found: Survey, roots: Iterable[Root]) -> Iterator[Root]:
    """A person whose founding receipt is void gives way to the one that it truly founded."""
    taken: set[str] = set()
    for root in sorted(roots, key=lambda root: (found.traits[root.founder].is_void, root.founder)):
        person_id = root.person_id
        while found.traits[root.founder].is_void and person_id in taken:
            person_id = another_id(person_id)
        taken.add(person_id)
        yield replace(root, person_id=person_id, born=replace(root.born, person_id=person_id))


def _join_all(
    found: Survey, sides: dict[str, Side], settings: IdentitySettings
) -> dict[Pair, Reason]:
    refused = {}
    for pair, support in sorted(found.links.items(), key=lambda item: (item[1], item[0])):
        a, b = pair
        if a not in sides or b not in sides:
            continue
        if found.is_blocked(pair, support.assurance):
            refused[pair] = Reason.VALUE_LIMIT
        elif sides[a] is not sides[b]:
            why = may_join(sides[a], sides[b], support.assurance, settings.limits)
            if why is not None:
                refused[pair] = why
                continue
            both = joined(sides[a], sides[b])
            sides.update(dict.fromkeys(both.members, both))
    return refused


def _verified(found: Survey, sides: Mapping[str, Side]) -> Mapping[int, list[Pair]]:
    """The verified edges inside each person, none of whose ends is off."""
    inside: defaultdict[int, list[Pair]] = defaultdict(list)
    for (a, b), support in found.links.items():
        side = sides.get(a)
        if side is None or side is not sides.get(b) or support.assurance < Assurance.VERIFIED:
            continue
        if not found.is_blocked((a, b), support.assurance):
            inside[id(side)].append((a, b))
    return inside


def _target(found: Survey, side: Side, cuts: frozenset[Pair], verified: Iterable[Pair]) -> Root:
    founder = min(side.members, key=lambda key: (found.traits[key].born, key))
    born = found.traits[founder].born
    groups = trust_groups(side.members, verified)
    return Root(
        born.person_id,
        RootState.ACTIVE,
        1,
        born,
        founder,
        {key: Member(found.traits[key].assurance, groups[key]) for key in side.members},
        found.anchors & side.members,
        frozenset(c for c in cuts if side.members.intersection(c)),
    )
