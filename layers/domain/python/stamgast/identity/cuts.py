"""The rules of un-merging: which pairs a request cuts, and what holds persons together."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import replace

from stamgast.identity.assurance import Assurance
from stamgast.identity.decision import Decision, Verdict, pair_of
from stamgast.identity.edge import Pair, Support
from stamgast.identity.root import Root
from stamgast.identity.rules import trust_groups
from stamgast.identity.survey import Survey

# After every namespace's priority: what only a run knows joins last.
LAST_PRIORITY = 1_000_000


def leaving_pairs(found: Survey, leaving: Set[str]) -> set[Pair]:
    """The pairs to cut so that these identifiers leave those of their persons that are not named.

    Every edge that crosses is cut. Where none does, which happens when only the lake knows
    why they are together, the oldest of those that hang together is cut from the oldest that stay.
    """
    pairs: set[Pair] = set()
    for root in found.roots.values():
        going, staying = leaving & root.members.keys(), root.members.keys() - leaving
        if not going or not staying:
            continue
        inside = [pair for pair in found.edges if root.members.keys() >= set(pair)]
        crossing = {pair_of(a, b) for a, b in inside if (a in going) is not (b in going)}
        cut_off = {key for pair in crossing for key in pair}
        rest = _oldest(found, root.founder if root.founder in staying else None, staying)
        for island in islands(going, inside):
            if cut_off.isdisjoint(island):
                crossing.add(pair_of(_oldest(found, None, island), rest))
        pairs |= crossing
    return pairs


def _oldest(found: Survey, first: str | None, keys: Collection[str]) -> str:
    return first or min(keys, key=lambda key: (found.traits[key].born, key))


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
    inside = [pair for pair in found.links if root.members.keys() >= set(pair)]
    parts = islands(root.members, inside)
    if len(parts) == 1:
        return
    (main,) = (part for part in parts if root.founder in part)
    groups = {root.members[key].group: key for key in sorted(main)}
    for part in parts:
        if part is not main:
            yield _hold(found, root, part, groups)


def _hold(
    found: Survey, root: Root, part: Set[str], groups: Mapping[str, str]
) -> tuple[Pair, Support]:
    """A link to the founder's part that vouches for no more than the person's trust groups do."""
    trusted = sorted(key for key in part if root.members[key].group in groups)
    if trusted:
        pair = (groups[root.members[trusted[0]].group], trusted[0])
        word = Assurance.VERIFIED
    else:
        pair, word = (root.founder, _oldest(found, None, part)), Assurance.CLAIMED
    return pair, Support(Support.weakness_of(word), LAST_PRIORITY, 0, "", 0)


def as_decided(found: Survey, pairs: Iterable[Pair], verdict: Verdict) -> Survey:
    """The survey as it would be read once this verdict stood about these pairs."""
    told = {pair: Decision(pair, verdict, 0, "") for pair in pairs}
    return replace(found, decisions={**found.decisions, **told})


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
