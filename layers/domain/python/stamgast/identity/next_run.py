"""What the next run joins after a cut, of what no live link joins yet: claims, refused until now.

A claimed link never joins two known persons. Where a cut leaves an identifier that is known by
nothing else, one side is known no more, and the run that settles all links anew adds the claim. So
the persons to whom links lead are read, too, and all of it is joined as a run would.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from stamgast.identity.assurance import Assurance
from stamgast.identity.cuts import held_together
from stamgast.identity.decision import pair_of
from stamgast.identity.edge import Pair
from stamgast.identity.partition import partition
from stamgast.identity.root import Root
from stamgast.identity.served import Off
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.survey import Survey, Trait

MOST_FORESEEN = 500


@dataclass(frozen=True, slots=True)
class Link:
    """A link that the next run adds, by the word that it rests on."""

    pair: Pair
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Join:
    """A person as the next run makes it, `of` the persons that stand until then, by these links."""

    person: Root
    of: frozenset[str]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class NextRun:
    """The joins in which persons of a request end; `is_whole` says that all was looked at."""

    joins: tuple[Join, ...]
    is_whole: bool

    def leading(self, keys: Set[str]) -> set[Pair]:
        """The links that lead from these identifiers to others, as cannot-links name them."""
        pairs = (link.pair for join in self.joins for link in join.links)
        return {pair_of(a, b) for a, b in pairs if (a in keys) is not (b in keys)}


@dataclass(frozen=True, slots=True)
class Around:
    """The persons of some identifiers, with those to whom their links lead, and so on.

    Followed no further than `MOST_FORESEEN` identifiers: then it is not whole.
    """

    found: Survey
    is_whole: bool


def look_around(read: Callable[[Collection[str]], Survey | None], found: Survey) -> Around:
    """Reads what is linked to what was found, ring by ring; stops where others hold a person."""
    asked: Set[str] = found.home.keys()
    while True:
        asked, was = asked | _linked(found), asked
        if asked == was:
            return Around(found, is_whole=True)
        wider = read(asked) if len(asked) <= MOST_FORESEEN else None
        if wider is None:
            return Around(found, is_whole=False)
        found, asked = wider, asked | wider.home.keys()


def _linked(found: Survey) -> set[str]:
    """The ends of every link that may join: those of anchors, and those that pointers remember."""
    ends = {
        key
        for pair, support in found.links.items()
        if not found.is_blocked(pair, support.assurance)
        for key in pair
    }
    return ends.union(*map(_met, found.traits.values()))


def _met(trait: Trait) -> Collection[str]:
    if trait.off is Off.WHOLLY:
        return ()
    return trait.met.vouched if trait.off is Off.TO_CLAIMS else trait.near


def next_run(around: Around, now: Mapping[str, Root], settings: IdentitySettings) -> NextRun:
    """What a run makes of the persons that stand `now`, those of a request, and of whom it joins.

    `around` holds what was decided; persons that are not of the request stand as they were read.
    """
    found = around.found
    mine = {key for root in now.values() for key in root.members}
    others = {p: root for p, root in found.roots.items() if mine.isdisjoint(root.members)}
    stands = {**others, **now}
    plan = partition(held_together(replace(found, roots=stands)), settings)
    if plan.clashes:
        return NextRun((), is_whole=False)
    home = {key: person_id for person_id, root in stands.items() for key in root.members}
    links = defaultdict[str, list[Link]](list)
    for link in _joining(found, plan.goal, home):
        links[plan.goal[link.pair[0]]].append(link)
    joins = (_join(plan.targets[p], home, links[p]) for p in sorted(links))
    return NextRun(tuple(join for join in joins if not join.of.isdisjoint(now)), around.is_whole)


def _joining(found: Survey, goal: Mapping[str, str], home: Mapping[str, str]) -> Iterator[Link]:
    """The links between two persons of now that end in one, best first."""
    for pair, support in sorted(found.links.items(), key=lambda item: (item[1], item[0])):
        if any(key not in home for key in pair) or home[pair[0]] == home[pair[1]]:
            continue
        is_joined = goal[pair[0]] == goal[pair[1]]
        if is_joined and not found.is_blocked(pair, support.assurance):
            yield Link(pair, support.assurance)


def _join(person: Root, home: Mapping[str, str], links: Iterable[Link]) -> Join:
    return Join(person, frozenset(home[key] for key in person.members), tuple(links))
