"""The rules of un-merging: which pairs a request cuts, and what holds persons together."""

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from itertools import pairwise

from stamgast.identity.assurance import Assurance
from stamgast.identity.decision import Decision, Verdict, pair_of
from stamgast.identity.edge import Pair, Support
from stamgast.identity.partition import Partition, partition
from stamgast.identity.root import Root
from stamgast.identity.rules import trust_groups
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.survey import Survey

# After every namespace's priority: what only a run knows joins last.
LAST_PRIORITY = 1_000_000


def leaving_pairs(found: Survey, leaving: Set[str]) -> set[Pair]:
    """The pairs to cut so that these identifiers leave those of their persons that are not named.

    Every edge that crosses is cut. What no live edge holds together, for only the lake knows why it
    is together, is held by the founder: the oldest that leave are cut from it, or it from the
    oldest of each that stay.
    """
    pairs: set[Pair] = set()
    for root in found.roots.values():
        going, staying = leaving & root.members.keys(), root.members.keys() - leaving
        if going and staying:
            inside = [pair for pair in found.edges if root.members.keys() >= set(pair)]
            pairs |= {pair_of(a, b) for a, b in inside if (a in going) is not (b in going)}
            pairs |= set(_unheld(found, root, going, islands(root.members, inside)))
    return pairs


def _unheld(
    found: Survey, root: Root, going: Set[str], parts: Sequence[Set[str]]
) -> Iterator[Pair]:
    (main,) = (part for part in parts if root.founder in part)
    for part in parts:
        if part is main:
            continue
        if root.founder not in going and part & going:
            yield pair_of(_oldest(found, part & going), root.founder)
        elif root.founder in going and part - going:
            yield pair_of(root.founder, _oldest(found, part - going))


def _oldest(found: Survey, keys: Collection[str]) -> str:
    return min(keys, key=lambda key: (found.traits[key].born, key))


def islands(keys: Iterable[str], pairs: Iterable[Pair]) -> list[set[str]]:
    """The sets of these identifiers that the pairs connect."""
    parts: dict[str, set[str]] = {}
    for key, label in trust_groups(keys, pairs).items():
        parts.setdefault(label, set()).add(key)
    return list(parts.values())


def held_together(found: Survey) -> Survey:
    """The survey with weak links where no live edge says why identifiers share a person.

    Only the lake knows those reasons. What a cut does not name stays where it is until the next
    run has settled it by all of the evidence.
    """
    held = {
        pair: support
        for root in found.roots.values()
        for pair, support in _holds(found, root)
        if pair not in found.links
    }
    return replace(found, links={**found.links, **held}) if held else found


def _holds(found: Survey, root: Root) -> Iterator[tuple[Pair, Support]]:
    """Each part that no live edge holds is held by the founder's, else by the next older."""
    inside = [pair for pair in found.links if root.members.keys() >= set(pair)]
    parts = islands(root.members, inside)
    parts.sort(key=lambda part: (root.founder not in part, found.traits[_oldest(found, part)].born))
    for older, part in pairwise(parts):
        yield _hold(found, root, parts[0], part, LAST_PRIORITY)
        if older is not parts[0]:
            yield _hold(found, root, older, part, LAST_PRIORITY + 1)


def _hold(
    found: Survey, root: Root, holding: Set[str], part: Set[str], priority: int
) -> tuple[Pair, Support]:
    """A link between two parts that vouches for no more than the person's trust groups do."""
    groups = {root.members[key].group: key for key in sorted(holding)}
    trusted = sorted(key for key in part if root.members[key].group in groups)
    if trusted:
        pair, word = (groups[root.members[trusted[0]].group], trusted[0]), Assurance.VERIFIED
    else:
        first = root.founder if root.founder in holding else _oldest(found, holding)
        pair, word = (first, _oldest(found, part)), Assurance.CLAIMED
    return pair, Support(Support.weakness_of(word), priority, 0, "", 0)


def as_decided(found: Survey, pairs: Iterable[Pair], verdict: Verdict) -> Survey:
    """The survey as it would be read once this verdict stood about these pairs."""
    told = {pair: Decision(pair, verdict, 0, "") for pair in pairs}
    return replace(found, decisions={**found.decisions, **told})


def as_cut(found: Survey, pairs: Collection[Pair], settings: IdentitySettings) -> Partition:
    """The persons once these pairs are cut: those that held both of one part, the others stand."""
    found = as_decided(found, pairs, Verdict.CUT)
    named = [pair for pair in pairs if found.home.keys() >= set(pair)]
    shared = {found.home[a] for a, b in named if found.home[a] == found.home[b]}
    parting = {person_id: found.roots[person_id] for person_id in shared}
    keys = {key for root in parting.values() for key in root.members}
    traits = {key: trait for key, trait in found.traits.items() if key in keys}
    apart = partition(held_together(replace(found, roots=parting, traits=traits)), settings)
    stand = {p: _cut_from(root, found) for p, root in found.roots.items() if p not in parting}
    goal = {key: p for p, root in stand.items() for key in root.members}
    return replace(apart, targets={**stand, **apart.targets}, goal={**goal, **apart.goal})


def _cut_from(root: Root, found: Survey) -> Root:
    cuts = (pair for pair in found.cuts if not root.members.keys().isdisjoint(pair))
    return replace(root, cannot_links=frozenset(cuts))


def standing(found: Survey, pairs: Iterable[Pair], verdict: Verdict) -> list[Pair]:
    """Those of the pairs about which this verdict is the newest."""
    told = found.decisions
    return [pair for pair in pairs if pair in told and told[pair].verdict is verdict]


def is_carried_out(found: Survey, pairs: Iterable[Pair], verdict: Verdict) -> bool:
    """The post-condition: a cut pair is on two different persons, a lifted one on none."""
    if verdict is Verdict.LIFT:
        return all(pair not in root.cannot_links for pair in pairs for root in _both(found, pair))
    return all(
        found.home[pair[0]] != found.home[pair[1]]
        and all(pair in root.cannot_links for root in _both(found, pair))
        for pair in pairs
    )


def _both(found: Survey, pair: Pair) -> tuple[Root, Root]:
    a, b = (found.roots[found.home[key]] for key in pair)
    return a, b
