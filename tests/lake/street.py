"""A street: homes that share nothing, each a history, lived by the real loop and judged by runs.

Everything enters as a client sends it, in any spelling and with what names nobody beside it, in any
order and any batches, twice and by file; what the oracle is told is written down beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.identifiers import Identifier
from stamgast.identity.settings import DEFAULT, IdentitySettings
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import encode
from stamgast.ingestion.verdicts import Receipt as RequestReceipt
from stamgast.profile.batch import Message
from stamgast.workspace.model import Workspace
from tests.lake.persons_by_hand import House, Receipt, Space, Told, Verdict, persons_of
from tests.lake.test_cuts import Operators
from tests.lake.world import KEYRING, NOON_MS, Stage, World, publish, resolve, unify

HOUSE = House(
    KEYRING.secret,
    (
        Space("user_id", True, 3, most=2),
        Space("loyalty_card", True, 2, most=2, least_assurance=2),
        Space("email", True, 2, most=3),
        Space("phone", True, 2),
        Space("device_id", False, 1),
        Space("anonymous_id", False, 2),
    ),
    person_limit=7,
    merge_limit=4,
)
CLAIMS_BESIDE = 3  # how many members a live person may hold beyond the limit, by claims
ROOMY = replace(
    HOUSE,
    spaces=tuple(replace(space, value_limit=999, most=999) for space in HOUSE.spaces),
    person_limit=999,
    merge_limit=999,
)


def settings_of(house: House) -> IdentitySettings:
    """What a workspace configures for such a house."""
    spaces = tuple(
        replace(
            DEFAULT.by_name[space.name],
            priority=place,
            value_limit=space.value_limit,
            most=space.most,
            least_assurance=Assurance(space.least_assurance),
        )
        for place, space in enumerate(house.spaces)
    )
    ceiling = house.person_limit + CLAIMS_BESIDE
    limits = (house.person_limit, house.merge_limit, ceiling)
    return IdentitySettings(spaces, *limits, default_region="NL")


# Each way to write a value down; the first is the normalised one. `{0}` is a house, `{1}` a number.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "user_id": (
        "{0}-Zo\u00eb{1}",
        " {0}-Zoe\u0308{1}",
        "'{0}-Zo\u00eb{1}'",
        "{0}-Zo\u00eb\u200b{1}",
    ),
    "loyalty_card": ("{0}c{1}", "{0}c{1} ", "\t{0}c{1}", '"{0}c{1}"'),
    "email": ("a{1}@{0}.nl", " A{1}@{0}.NL", "\u201ca{1}@{0}.nl\u201d", "a{1}\u00ad@{0}.nl"),
    "phone": ("+316{0:06}{1:02}", "06-{0:06}{1:02}", "00316{0:06}{1:02}", "(06) {0:06} {1:02}"),
    "device_id": ("{0}d{1}", " {0}d{1}", "{0}d{1}\n", "`{0}d{1}`"),
    "anonymous_id": ("{0}a{1}", "{0}a{1} ", "\u200e{0}a{1}", "\u00ab{0}a{1}\u00bb"),
}
# What names nobody, in places of its own.
NOISE: tuple[Mapping[str, Any], ...] = (
    {},
    {"traits": {"email": "null"}},
    {"traits": {"email": "Test@Test.com "}},
    {"properties": {"email": "nobody"}},
    {"traits": {"phone": "000 00"}},
    {"properties": {"phone": ["+31612345678"]}},
    {"context": {"device": {"id": "00000000-0000-0000-0000-000000000000"}}},
    {"context": {"externalIds": [{"type": "email", "id": "${email}"}, "x", {"id": {}}]}},
    {"context": {"traits": {"phone": "\uff10\uff10\uff10"}}},
)
PATHS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "user_id": (("userId",),),
    "loyalty_card": (("traits", "loyalty_card"), ("properties", "loyalty_card")),
    "email": (("traits", "email"), ("properties", "email"), ("context", "traits", "email")),
    "phone": (("traits", "phone"), ("properties", "phone")),
    "device_id": (("context", "device", "id"),),
    "anonymous_id": (("anonymousId",),),
}
Name = tuple[str, int]


@dataclass(frozen=True)
class Said:
    """One event of a house; a copy of it differs in its receipt alone."""

    names: tuple[Name, ...]
    word: int = 2
    received: int = 0
    at: int | None = 0
    spelling: int = 0
    noise: int = 0
    is_file: bool = True
    copies: tuple[int, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What an operator says of two, after so many of the events."""

    after: int
    pair: tuple[Name, Name]
    is_cut: bool = True


@dataclass(frozen=True)
class Leave:
    """Identifiers that an operator lets leave their persons, after so many of the events."""

    after: int
    names: tuple[Name, ...]


@dataclass(frozen=True)
class Home:
    """One history, and what operators say in it."""

    events: tuple[Said, ...]
    asked: tuple[Asked | Leave, ...] = ()


NAMES = st.tuples(st.sampled_from(sorted(PATHS)), st.integers(0, 2))


def said(words: Sequence[int]) -> st.SearchStrategy[Said]:
    """An event on one of these words."""
    return st.builds(
        Said,
        st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
        st.sampled_from(words),
        st.integers(0, 9),
        st.one_of(st.none(), st.integers(0, 9)),
        st.integers(0, 3),
        st.integers(0, len(NOISE) - 1),
        st.booleans(),
        st.lists(st.integers(0, 9), max_size=2).map(tuple),
    )


def crowd(value: Name, others: str, size: int, word: int, received: int = 0) -> tuple[Said, ...]:
    """One value with so many of a namespace: a till's tablet, or ids that an attacker made up."""
    return tuple(
        Said((value, (others, 10 + n)), word, (received + n) % 10, n % 10, n % 4, is_file=n % 2 > 0)
        for n in range(size)
    )


def homes(words: Sequence[int] = (1, 2, 2)) -> st.SearchStrategy[Home]:
    """Histories of events on these words, with crowds in them and operators' verdicts."""
    crowds = st.builds(
        crowd,
        NAMES,
        st.sampled_from(sorted(PATHS)),
        st.integers(2, 7),
        st.sampled_from(words),
        st.integers(0, 9),
    )
    asked = st.builds(
        Asked,
        st.integers(0, 9),
        st.lists(NAMES, min_size=2, max_size=2, unique=True).map(tuple),
        st.sampled_from([True, True, False]),
    )
    leaving = st.lists(NAMES, min_size=1, max_size=4, unique=True).map(tuple)
    verdicts = st.one_of(asked, st.builds(Leave, st.integers(0, 9), leaving))
    return st.builds(
        lambda events, crowded, asked: Home((*events, *sum(crowded, ())), tuple(asked)),
        st.lists(said(words), min_size=2, max_size=9),
        st.lists(crowds, max_size=2),
        st.lists(verdicts, max_size=2),
    )


def value(home: int, name: Name, spelling: int = 0) -> str:
    """A value as it is written; houses share none."""
    space, number = name
    place: Any = home if space == "phone" else f"h{home}"
    return SPELLINGS[space][spelling].format(place, number)


def body(home: int, number: int, one: Said) -> dict[str, Any]:
    """What a client sends; a nobody's id where the event names neither user nor cookie."""
    told: dict[str, Any] = {"type": "track", "event": "Seen", "messageId": f"h{home}m{number}"}
    if one.at is not None:
        told["timestamp"] = time_of(one.at)
    for path, text in _leaves(deepcopy(NOISE[one.noise])):
        _put(told, path, text)
    taken: set[tuple[str, ...]] = set()
    for name in one.names:
        text = value(home, name, one.spelling)
        left = [path for path in PATHS[name[0]] if path not in taken]
        if left:
            taken.add(left[0])
            _put(told, left[0], text)
        else:
            listed = told.setdefault("context", {}).setdefault("externalIds", [])
            listed.append({"type": name[0], "id": text})
    if not told.keys() & {"userId", "anonymousId"}:
        told["userId"] = "N/A"
    return told


def _leaves(told: Mapping[str, Any], *path: str) -> Iterable[tuple[tuple[str, ...], Any]]:
    for name, inner in told.items():
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, *path, name)
        else:
            yield (*path, name), inner


def _put(told: dict[str, Any], path: Sequence[str], text: Any) -> None:
    for step in path[:-1]:
        told = told.setdefault(step, {})
    told[path[-1]] = text


def time_of(at: int) -> int:
    """A client's clock at such a moment, as milliseconds of the epoch."""
    return NOON_MS - 100_000 + at * 1000


class Street:
    """A world in which these homes live, and what the oracle is told of it."""

    def __init__(self, homes: Sequence[Home], house: House = HOUSE) -> None:
        self.world = World(workspace=Workspace("1", "UTC", {}, settings_of(house)))
        self.operators = Operators(self.world)
        self.homes, self.house = homes, house
        self.receipts: list[Receipt] = []
        self.verdicts: list[Verdict] = []
        self.batch: list[Message] = []
        self.stages: Sequence[Stage] = (resolve, unify, publish)

    def live(self, seed: int, runs: int) -> "Street":
        """Everything in any order and any batches, with so many runs between."""
        random = Random(seed)
        pieces = self._pieces(random)
        stops = {random.randrange(len(pieces) + 1) for _ in range(runs)}
        for place, piece in enumerate(pieces):
            self._happen(*piece)
            if random.random() < 0.4:
                self.settle()
            if place in stops:
                self.run()
        self.settle()
        return self

    def in_turn(self) -> "Street":
        """Events one by one as they stand there, with a run after each home's third."""
        for number in range(max(len(home.events) for home in self.homes)):
            for home, told in enumerate(self.homes):
                for one in told.events[number : number + 1]:
                    self.arrive(home, number, one, one.received)
                    self.settle()
            if number == 2:
                self.run()
        return self

    def _pieces(self, random: Random) -> list[tuple[Any, ...]]:
        """Events and their copies in any order, and each verdict in its place."""
        pieces: list[tuple[Any, ...]] = [
            (home, number, one, received)
            for home, told in enumerate(self.homes)
            for number, one in enumerate(told.events)
            for received in (one.received, *one.copies)
        ]
        random.shuffle(pieces)
        for home, told in enumerate(self.homes):
            for asked in told.asked:
                pieces.insert(len(pieces) * asked.after // 10, (home, asked))
        return pieces

    def _happen(self, home: int, what: Any, *told: Any) -> None:
        if isinstance(what, Asked | Leave):
            self.settle()
            self.ask(home, what)
        else:
            self.arrive(home, what, *told)

    def settle(self) -> None:
        """The batch that has come together goes through the live loop."""
        self.world.loop().process(self.batch)
        self.batch = []

    def arrive(self, home: int, number: int, one: Said, received: int) -> None:
        """One request of one event, or a file of one row."""
        at = len(self.receipts)
        request_id = f"{'import-' if one.is_file else ''}q{at:06}"
        source, received_ms = ("web", "page", "till")[one.word], NOON_MS + received
        told = (request_id, received_ms, source, Assurance(one.word))
        content = body(home, number, one)
        if one.is_file:
            names = ("request_id", "received_ms", "source_id", "assurance")
            self.world.put_file(content, **dict(zip(names, told, strict=True)))
        else:
            request = encode(accept([content], RequestReceipt(*told)))
            self.batch.append(Message(f"m{at}", request, self.world.now_ms))
        event_ms = received_ms if one.at is None else time_of(one.at)
        named = frozenset((name[0], value(home, name)) for name in one.names)
        message = f"h{home}m{number}"
        self.receipts.append(
            Receipt(source, message, received_ms, request_id, event_ms, one.word, named)
        )

    def ask(self, home: int, asked: Asked | Leave) -> None:
        """What an operator says is carried out, and told to the oracle as it was archived."""
        names = asked.pair if isinstance(asked, Asked) else asked.names
        named = {
            self.house.key(name[0], value(home, name)): Identifier(name[0], value(home, name))
            for name in names
        }
        if isinstance(asked, Asked):
            job = self.operators.decide(named, is_cut=asked.is_cut)
        else:
            before = self.world.persons().values()
            job = self.operators.leave(named.keys())
            after = self.world.persons().values()
            together = [p & q for p in before for q in after if len(p & q) > 1]
            assert all(t <= named.keys() or t.isdisjoint(named) for t in together), "one stayed"
        for one in job.decisions if job else ():
            self.verdicts.append(Verdict(one.message_id, one.at_ms, one.pair, one.is_cut))

    def run(self) -> None:
        """A run of the stages that identity is a matter of."""
        self.world.run(self.stages)

    def should_be(self) -> Told:
        """What the oracle says of all that happened so far."""
        return persons_of(self.house, self.receipts, self.verdicts)
