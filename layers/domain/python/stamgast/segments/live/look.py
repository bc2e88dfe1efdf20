"""What one settling reads of persons: at first all of them, then what it may have changed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from stamgast.identity.root import RootState
from stamgast.profile.store import Pair
from stamgast.segments.live.store import LiveStore, Someone
from stamgast.segments.live.visit import Visit

Seen = tuple[dict[str, Someone], dict[str, Pair]]


@dataclass(slots=True)
class Looks:
    """Reads persons and their anchors, as little of them as the last word needs.

    `run` is the run that publishes these persons' facts, if one does: of whom it alone has written
    facts no standing can be there, and should there be one, to insert another fails.
    """

    store: LiveStore
    run: int | None = None
    _known: dict[str, Collection[str]] = field(default_factory=dict)

    def at(self, waiting: set[str], *, is_first: bool) -> Seen:
        """These persons, all whom any of them was merged into, and the anchors of all."""
        people: dict[str, Someone] = {}
        pairs: dict[str, Pair] = {}
        if is_first and self.run is not None:
            people = dict(self.store.people_with(dict.fromkeys(sorted(waiting), ())))
            pairs = self._anchors(people)
            people = {who: one for who, one in people.items() if self._is_new(one, pairs)}
        elif known := {who: self._known[who] for who in sorted(waiting & self._known.keys())}:
            people = dict(self.store.people_with(known))
        people |= self._whole(waiting - people.keys())
        people |= self._whole(_heirs(people) - people.keys())
        return people, pairs | self._anchors(people, known=pairs)

    def note(self, visits: Iterable[Visit], written: Mapping[str, set[str]]) -> None:
        """Remembers which standings these persons have, `written` ones with them.

        Of whom nothing is written nothing is remembered: the next look sees all.
        """
        self._known = {
            visit.person_id: sorted({*visit.one.standings, *written[visit.person_id]})
            for visit in visits
            if visit.person_id in written
        }

    def _is_new(self, one: Someone, pairs: Mapping[str, Pair]) -> bool:
        """Whether all that is known of a person is what this run was the first to write."""
        root = one.root
        if root is None or root.state is not RootState.ACTIVE or not root.anchors:
            return False
        told = [pairs[anchor] for anchor in root.anchors]
        return all(pair.live.version == 1 and pair.base.run == self.run for pair in told)

    def _whole(self, wanted: Iterable[str]) -> dict[str, Someone]:
        found: dict[str, Someone] = {}
        while missing := set(wanted) - found.keys():
            found |= self.store.people(sorted(missing))
            wanted = _heirs(found)
        return found

    def _anchors(
        self, people: Mapping[str, Someone], known: Collection[str] = ()
    ) -> dict[str, Pair]:
        anchors = {a for one in people.values() if one.root for a in one.root.anchors}
        return dict(self.store.read(sorted(anchors.difference(known))))


def _heirs(people: Mapping[str, Someone]) -> set[str]:
    return {one.root.into for one in people.values() if one.root and one.root.into}
