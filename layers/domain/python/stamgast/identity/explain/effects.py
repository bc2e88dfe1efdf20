"""What a cut would do: the partition that a correction or a cut applies, with one more pair."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from stamgast.identity.decision import pair_of
from stamgast.identity.edge import Pair
from stamgast.identity.explain.case import Case
from stamgast.identity.partition import Partition, partition
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.survey import Survey


@dataclass(frozen=True, slots=True)
class Part:
    """A person that would be: its id, its identifiers, and whether it is the one that is now."""

    person_id: str
    identifiers: tuple[str, ...]
    is_same_person: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """The persons that the identifiers of one person would form after a cut.

    A cut acts within the person at once: `parts`. The next run looks beyond it: `settled` are the
    persons after that, which differ where a limit or an unsettled live view had kept others away.
    """

    pair: Pair
    parts: tuple[Part, ...]
    settled: tuple[Part, ...]


def effects_of(case: Case, pairs: Iterable[Pair], settings: IdentitySettings) -> list[Effect]:
    """What each of these cuts alone would do, in their order."""
    return [effect_of(case, pair, settings) for pair in pairs]


def effect_of(case: Case, pair: Pair, settings: IdentitySettings) -> Effect:
    """What cutting this pair would do."""
    cut = with_cuts(case.found, case.person_id, [pair_of(*pair)])
    mine = {key: trait for key, trait in cut.traits.items() if key in case.members}
    within, beyond = partition(replace(cut, traits=mine), settings), partition(cut, settings)
    return Effect(pair, parts_of(case, within), parts_of(case, beyond))


def parts_of(case: Case, plan: Partition) -> tuple[Part, ...]:
    """The persons of a plan that hold identifiers of the case's person, the largest first."""
    parts = [
        Part(person_id, tuple(sorted(root.members)), person_id == case.person_id)
        for person_id, root in plan.targets.items()
        if not case.members.isdisjoint(root.members)
    ]
    return tuple(sorted(parts, key=lambda part: (-len(part.identifiers), part.person_id)))


def with_cuts(found: Survey, person_id: str, pairs: Iterable[Pair]) -> Survey:
    """The survey as it would be read once these pairs were cut."""
    root, cut = found.roots[person_id], frozenset(pairs)
    roots = {**found.roots, person_id: replace(root, cannot_links=root.cannot_links | cut)}
    older = {pair: told for pair, told in found.decisions.items() if pair not in cut}
    return replace(found, roots=roots, decisions=older)


def is_settled(case: Case, settings: IdentitySettings) -> bool:
    """Whether the person is exactly what all of its evidence says; a run would change it if not."""
    target = partition(case.found, settings).targets.get(case.person_id)
    return target is not None and target.members.keys() == case.members
