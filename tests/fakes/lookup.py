"""An in-memory store for look-ups that counts its rounds, and people to look up."""

from collections.abc import Iterable, Mapping, Sequence

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.keys import Keyring
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.settings import DEFAULT
from stamgast.lookup.cursor import Position
from stamgast.lookup.find import Moved, Reading
from stamgast.lookup.page import Page
from stamgast.lookup.person import Person, Row
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Desk
from stamgast.lookup.timeline import position_of
from stamgast.profile.facts import NOTHING, Facts, Moment
from stamgast.profile.registers import Register
from stamgast.profile.timeline import Entry
from stamgast.segments.live.coverage import Coverage
from stamgast.workspace.model import Workspace

KEYRING = Keyring(1, b"a secret of the tests")
WORKSPACE = Workspace("v1", "UTC", {}, DEFAULT, ("rfm.segment",))
ALL = Reader("all", ("*",))
NOW_MS = 1_800_000_000_000


def key(named: str) -> str:
    """The key of `namespace:value` under the tests' secret."""
    namespace, _, value = named.partition(":")
    return KEYRING.identifier_key(namespace, value)


def born(person_id: str) -> Birth:
    """The birth of a person of the tests."""
    return Birth(1_700_000_000_000, "m" * 26, 0, person_id)


def traits(at_ms: int = 1_700_000_000_000, **values: object) -> Facts:
    """Facts that say these traits and were seen at one moment."""
    registers = {
        name: Register(value, Assurance.VERIFIED, at_ms, "k" * 16) for name, value in values.items()
    }
    moment = Moment(at_ms, "k" * 16)
    return Facts(traits=registers, first=moment, last=moment, counters={"$identify": 1})


def entry(original_ms: int, message: str, expires_s: int = 4_000_000_000) -> Entry:
    """One line of a timeline."""
    return Entry(original_ms, message, original_ms, "track", "Seen", "web", expires_s, {"a": 1})


class MemoryLookupStore:
    """The ports of look-ups over dictionaries; `rounds` counts calls that would read."""

    def __init__(self) -> None:
        self.found: dict[str, Pointer] = {}
        self.people: dict[str, Person | Moved] = {}
        self.facts: dict[str, Facts] = {}
        self.lines: dict[str, list[Entry]] = {}
        self.rounds = 0

    def add(
        self,
        person_id: str,
        members: Mapping[str, tuple[Assurance, str]],
        facts: Mapping[str, Facts],
        rows: Mapping[str, Mapping[str, Row]] | None = None,
        hinted: bool = True,
    ) -> None:
        """A person with identifiers (each with assurance and trust group) and anchored facts."""
        inside = {key(named): Member(how, group) for named, (how, group) in members.items()}
        anchors = {key(named): told for named, told in facts.items()}
        root = Root(
            person_id,
            RootState.ACTIVE,
            1,
            born(person_id),
            next(iter(inside)),
            inside,
            frozenset(anchors),
        )
        self.people[person_id] = Person(root, rows or {})
        self.facts |= anchors
        for named, (how, _) in members.items():
            self._point(named, how, person_id, tuple(anchors) if hinted else ())

    def _point(self, named: str, how: Assurance, person_id: str, hint: tuple[str, ...]) -> None:
        namespace, _, value = named.partition(":")
        kind = DEFAULT.by_name[namespace].kind
        at = key(named)
        birth = born(person_id)
        self.found[at] = Pointer(
            at, person_id, 1, birth, namespace, kind, how, value, frozenset(), hint=hint
        )

    def pointers(self, keys: Iterable[str]) -> dict[str, Pointer]:
        """One round."""
        self.rounds += 1
        return {one: self.found[one] for one in keys if one in self.found}

    def read(self, person_ids: Iterable[str], anchors: Iterable[str]) -> Reading:
        """One round."""
        self.rounds += 1
        return Reading(
            {one: self.people[one] for one in person_ids if one in self.people},
            {one: self.facts.get(one, NOTHING) for one in anchors},
        )

    def coverage(self) -> Coverage:
        """No round: it is remembered for a minute."""
        return Coverage({}, 7, NOW_MS - 3_600_000)

    def values(self, keys: Iterable[str]) -> dict[str, Row]:
        """One round."""
        return {one: {"value": p.value} for one, p in self.pointers(keys).items()}

    def strips(self, anchors: frozenset[str], page: Page, now_ms: int) -> list[Sequence[Entry]]:
        """The lines of each anchor behind the position, in the page's window and order."""

        def is_in(line: Entry, after: Position | None) -> bool:
            place, until = line.original_ms, page.until_ms
            if place < page.since_ms or (until is not None and place >= until):
                return False
            if after is None:
                return True
            return position_of(line) > after if page.is_ascending else position_of(line) < after

        return [
            sorted(
                (line for line in self.lines.get(one, ()) if is_in(line, page.after)),
                key=position_of,
                reverse=not page.is_ascending,
            )[: page.reach + 1]
            for one in anchors
        ]


class MemoryTokens:
    """Readers by token."""

    def __init__(self, **readers: Reader) -> None:
        self.readers = readers

    def find(self, token: str) -> Reader | None:
        """The reader of a token."""
        return self.readers.get(token)


def desk(store: MemoryLookupStore, **readers: Reader) -> Desk:
    """A desk over a store, with a reader `all` who may see everything."""
    tokens = MemoryTokens(**({"all": ALL} | readers))
    return Desk(store, store, tokens, WORKSPACE, KEYRING, NOW_MS)
