"""The live step as a pure function: from what was read to one transaction, or to nothing."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Edge, EdgeState, Pair, Reason, Support
from stamgast.identity.pointer import HINTED_ANCHORS, Pointer
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.rules import may_join, side_of, value_limit
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting, Star
from stamgast.identity.store import PutEdge, PutPointer, PutRoot, Write
from stamgast.identity.view import View


class Cause(StrEnum):
    """What happened to a person."""

    CREATED = "created"
    MERGED = "merged"
    CORRECTED = "corrected"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """A change of identity to tell others: `because` is the key of the message behind it."""

    cause: Cause
    person_id: str
    because: str
    into: str | None = None


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The transaction of one step (empty: nothing is new), and what it would mean."""

    writes: tuple[Write, ...]
    changes: tuple[IdentityChange, ...]
    refused: tuple[Reason, ...]
    home: Mapping[str, str]


def new_root(born_by: Sighting, is_anchor: bool) -> Root:
    """A person of one identifier."""
    key = born_by.key
    return Root(
        born_by.born.person_id,
        RootState.ACTIVE,
        1,
        born_by.born,
        key,
        {key: Member(born_by.assurance, key)},
        frozenset({key} if is_anchor else ()),
    )


def new_pointer(seen: Sighting) -> Pointer:
    """A pointer to the person that this identifier founds."""
    return Pointer(
        seen.key,
        seen.born.person_id,
        1,
        seen.born,
        seen.namespace,
        seen.kind,
        seen.assurance,
        seen.value,
    )


def another_id(person_id: str) -> str:
    """A person id for the second identifier that claims one founding receipt.

    That happens when two payloads come under one message id; a run keeps only the first of them.
    """
    return f"{person_id}x"


@dataclass(slots=True)
class Draft:
    """The working copy of a step, turned into writes at its end."""

    star: Star
    view: View
    settings: IdentitySettings
    pointers: dict[str, Pointer]
    home: dict[str, str]
    roots: dict[str, Root]
    dirty: set[str] = field(default_factory=set)
    into: dict[str, str] = field(default_factory=dict)
    edges: list[PutEdge] = field(default_factory=list)
    refused: list[Reason] = field(default_factory=list)

    @classmethod
    def of(cls, star: Star, view: View, settings: IdentitySettings) -> "Draft":
        return cls(star, view, settings, dict(view.pointers), dict(view.home), dict(view.roots))

    def mint_absent(self) -> None:
        """Each absent identifier becomes a person of its own, to be joined below."""
        for key, seen in self.star.sightings.items():
            if key not in self.pointers:
                while seen.born.person_id in self.roots:
                    born = replace(seen.born, person_id=another_id(seen.born.person_id))
                    seen = replace(seen, born=born)
                self.pointers[key] = new_pointer(seen)
                self.home[key] = seen.born.person_id
                self.roots[seen.born.person_id] = new_root(seen, is_anchor=False)
                self.dirty.add(seen.born.person_id)

    def name_anchor(self) -> None:
        """The anchor's person names it, for its facts are there."""
        home = self.home[self.star.anchor]
        if self.star.anchor not in self.roots[home].anchors:
            self.change(home, anchors=self.roots[home].anchors | {self.star.anchor})

    def raise_assurance(self) -> None:
        """An identifier seen on a better word than before is known that well from now on."""
        for key, seen in self.star.sightings.items():
            pointer = self.pointers[key]
            if seen.assurance <= pointer.assurance:
                continue
            self.pointers[key] = replace(pointer, assurance=seen.assurance)
            root = self.roots[self.home[key]]
            member = root.members[key]._replace(assurance=seen.assurance)
            self.change(root.person_id, members={**root.members, key: member})

    def change(self, person_id: str, **fields: object) -> None:
        self.roots[person_id] = replace(self.roots[person_id], **fields)  # type: ignore[arg-type]
        self.dirty.add(person_id)

    def support(self, other: str, support: Support) -> None:
        """Adds one edge of the star: joins, or is refused and says why."""
        pair = (self.star.anchor, other)
        known = self.view.edges.get(pair)
        if known and known.support <= support and not self._is_open(known):
            return
        best = min(support, known.support) if known else support
        self._meet(*pair, best.assurance)
        self._meet(other, self.star.anchor, best.assurance)
        self.dirty.add(self.home[self.star.anchor])
        why = self._join(pair, best)
        state = EdgeState.ACTIVE if why is None else EdgeState.REFUSED
        if why is not None:
            self.refused.append(why)
        self.edges.append(PutEdge(Edge(pair, best, state, why), known))

    def _is_open(self, known: Edge) -> bool:
        a, b = known.pair
        return known.state is EdgeState.ACTIVE and self.home[a] != self.home[b]

    def _meet(self, key: str, other: str, assurance: Assurance) -> None:
        """Remembers a neighbour; one more than the limit takes the value off, for good."""
        pointer = self.pointers[key]
        limit = value_limit(pointer.namespace, self.settings)
        met = pointer.met.meet(other, assurance, limit, self.settings)
        if met != pointer.met:
            off = max(pointer.off, met.off(limit, self.settings))
            self.pointers[key] = replace(pointer, met=met, off=off)
            self.dirty.add(self.home[key])

    def _join(self, pair: Pair, support: Support) -> Reason | None:
        a, b = (self.home[key] for key in pair)
        is_off = any(self.pointers[key].off.blocks(support.assurance) for key in pair)
        if a == b:
            if not is_off and support.assurance is Assurance.VERIFIED:
                self._trust(a, pair)
            return None
        if is_off:
            return Reason.VALUE_LIMIT
        left, right = self.roots[a], self.roots[b]
        why = may_join(
            side_of(left.members, left.cannot_links, self.settings),
            side_of(right.members, right.cannot_links, self.settings),
            support.assurance,
            self.settings.limits,
        )
        if why is None:
            winner = self._merge(left, right)
            if support.assurance is Assurance.VERIFIED:
                self._trust(winner, pair)
        return why

    def _merge(self, left: Root, right: Root) -> str:
        """The older (born, person) takes the other in."""
        winner, loser = sorted((left, right), key=lambda root: (root.born, root.person_id))
        self.change(
            winner.person_id,
            members={**left.members, **right.members},
            anchors=left.anchors | right.anchors,
            cannot_links=left.cannot_links | right.cannot_links,
            run=max(left.run, right.run),
        )
        self.dirty.add(loser.person_id)
        self.into[loser.person_id] = winner.person_id
        for key, person_id in self.home.items():
            if person_id == loser.person_id:
                self.home[key] = winner.person_id
        return winner.person_id

    def _trust(self, person_id: str, pair: Pair) -> None:
        members = self.roots[person_id].members
        first, second = sorted(members[key].group for key in pair)
        if first != second:
            regrouped = {
                key: member._replace(group=first) if member.group == second else member
                for key, member in members.items()
            }
            self.change(person_id, members=regrouped)

    # the writes

    def writes(self) -> Iterator[Write]:
        for person_id in sorted(self.dirty):
            write = self._root_write(person_id)
            if write is not None:
                yield write
        yield from self.edges
        for key in self.star.sightings:
            yield from self._pointer_write(key)

    def _root_write(self, person_id: str) -> PutRoot | None:
        root, was = self.roots[person_id], self.view.roots.get(person_id)
        end = self.end(person_id)
        if was is None:
            return None if end != person_id else PutRoot(replace(root, version=1), None)
        root = replace(root, version=was.version + 1)
        return PutRoot(root if end == person_id else merged(root, end), (was.version, was.state))

    def _pointer_write(self, key: str) -> Iterator[PutPointer]:
        pointer, was = self.pointers[key], self.view.pointers.get(key)
        person_id = self.home[key]
        hint = hint_of(self.roots[person_id].anchors, key)
        # A merge brings anchors: a look-up that is not told of them takes a third round.
        is_told = person_id not in self.dirty or pointer.hint == hint
        if pointer == was and is_told:
            return
        version = was.version + 1 if was else 1
        yield PutPointer(
            replace(pointer, person_id=person_id, version=version, hint=hint),
            was.version if was else None,
        )

    def end(self, person_id: str) -> str:
        while person_id in self.into:
            person_id = self.into[person_id]
        return person_id

    def changes(self) -> Iterator[IdentityChange]:
        because = self.star.because
        for person_id in sorted(self.dirty):
            end = self.end(person_id)
            if person_id not in self.view.roots:
                if end == person_id:
                    yield IdentityChange(Cause.CREATED, person_id, because)
            elif end != person_id:
                yield IdentityChange(Cause.MERGED, person_id, because, end)


def merged(root: Root, into: str) -> Root:
    """What is left of a person that another has taken in."""
    return replace(
        root,
        state=RootState.MERGED,
        into=into,
        job=None,
        members={},
        anchors=frozenset(),
        cannot_links=frozenset(),
    )


def hint_of(anchors: Set[str], key: str) -> tuple[str, ...]:
    """The anchors that a pointer names: its own first, then the smallest keys."""
    own = [key] if key in anchors else []
    return tuple((own + sorted(anchors - {key}))[:HINTED_ANCHORS])


def plan_step(star: Star, view: View, settings: IdentitySettings) -> StepPlan:
    """One transaction that brings a star's news into what was read; pure.

    Limits, `off` and cannot-links are decided here, before any write. No person of the view may
    be locked.
    """
    draft = Draft.of(star, view, settings)
    draft.mint_absent()
    draft.name_anchor()
    draft.raise_assurance()
    for other in sorted(star.supports, key=star.supports.__getitem__):
        draft.support(other, star.supports[other])
    return StepPlan(
        tuple(draft.writes()),
        tuple(draft.changes()),
        tuple(draft.refused),
        {key: draft.end(home) for key, home in draft.home.items()},
    )
