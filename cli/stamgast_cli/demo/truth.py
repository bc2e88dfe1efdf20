"""Persons that were found against the generated truth: pairs of identifiers, and counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stamgast_cli.demo.story import Act

Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the persons found agree with the households, over pairs of their identifiers.

    Precision: of the pairs that were joined, the share that belongs together. Recall: of the pairs
    that belong together, the share that was joined (Hassanzadeh et al., "Framework for Evaluating
    Clustering Algorithms in Duplicate Detection", VLDB 2009, section 4).
    """

    households: int
    persons: int
    identifiers: int
    shared_identifiers: int
    precision: float
    recall: float
    exact: int

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def owners_of(acts: Iterable[Act]) -> dict[Named, frozenset[int]]:
    """Which households each identifier was seen with."""
    owners: defaultdict[Named, set[int]] = defaultdict(set)
    for act in acts:
        for named in act.identifiers:
            owners[named].add(act.household)
    return {named: frozenset(whose) for named, whose in owners.items()}


def agreement(owners: Mapping[Named, frozenset[int]], persons: Mapping[Named, str]) -> Agreement:
    """Compares the person of each identifier with its household.

    An identifier that several households used (a kiosk, a shared tablet) belongs to none of them
    and stays out of the pairs; what it wrongly joins shows in the precision all the same.
    """
    own = {named: min(whose) for named, whose in owners.items() if len(whose) == 1}
    both = Counter((household, persons.get(named, named)) for named, household in own.items())
    by_household = Counter(own.values())
    by_person = Counter(persons.get(named, named) for named in own)
    together = sum(map(_pairs, both.values()))
    joined, true = sum(map(_pairs, by_person.values())), sum(map(_pairs, by_household.values()))
    exact = sum(
        count == by_household[household] == by_person[person]
        for (household, person), count in both.items()
    )
    return Agreement(
        households=len(by_household),
        persons=len(by_person),
        identifiers=len(own),
        shared_identifiers=len(owners) - len(own),
        precision=together / joined if joined else 1.0,
        recall=together / true if true else 1.0,
        exact=exact,
    )


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
