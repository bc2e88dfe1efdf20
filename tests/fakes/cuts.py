"""A small live view with an archive, over which tests cut and lift by the real code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stamgast.identity.assurance import Assurance
from stamgast.identity.cut_job import CutJob
from stamgast.identity.cut_request import Order, Requests
from stamgast.identity.cutting import Cutter
from stamgast.identity.decision import Verdict, pair_of
from stamgast.identity.edge import Pair
from stamgast.identity.event import Event
from stamgast.identity.identifiers import Identifier
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.live import settle
from stamgast.identity.plan import IdentityChange
from stamgast.identity.root import Root, RootState
from stamgast.identity.settings import DEFAULT, IdentitySettings
from stamgast.identity.star import Star, star_of
from stamgast.raw.record import RawRecord
from stamgast_aws.cut_store import DynamoCutStore
from tests.fakes.dynamodb import DynamoDB

KEYRING = Keyring(1, b"a secret of the tests")
NOW_MS = 1_800_000_000_000


def named(told: str) -> Identifier:
    """The identifier that `namespace:value` names."""
    namespace, _, value = told.partition(":")
    return Identifier(namespace, value)


def key_of(told: str) -> str:
    """Its key under the tests' secret."""
    one = named(told)
    return KEYRING.identifier_key(one.namespace, one.value)


def event_of(mid: str, *ids: str, at_ms: int = 0, word: Assurance = Assurance.VERIFIED) -> Event:
    """An event that names these identifiers together."""
    body: dict[str, object] = {"type": "identify", "messageId": mid, "traits": {}, "context": {}}
    external = [{"type": named(told).namespace, "id": named(told).value} for told in ids]
    body["context"] = {"externalIds": external}
    record = RawRecord(
        f"{mid}:0", mid, 0, NOW_MS + at_ms, "web", word, None, NOW_MS + at_ms, NOW_MS + at_ms,
        "identify", mid, mid, None, None, _json(body),
    )  # fmt: skip
    return interpret(record, DEFAULT, KEYRING)


def _json(body: Mapping[str, object]) -> str:
    import orjson

    return orjson.dumps(body).decode()


def star(mid: str, *ids: str, at_ms: int = 0, word: Assurance = Assurance.VERIFIED) -> Star:
    """The star of such an event."""
    found = star_of(event_of(mid, *ids, at_ms=at_ms, word=word), KEYRING)
    assert found is not None
    return found


@dataclass
class Lines:
    """An archive that takes everything, unless it is told not to."""

    lines: list[bytes] = field(default_factory=list)
    is_down: bool = False

    def put(self, lines: Sequence[tuple[str, bytes]]) -> set[str]:
        """Keeps the lines."""
        if self.is_down:
            return {name for name, _ in lines}
        self.lines += [line for _, line in lines]
        return set()


@dataclass
class Place:
    """The tables, the archive and the bus of one platform."""

    client: DynamoDB = field(default_factory=lambda: DynamoDB("profiles", "control"))
    archive: Lines = field(default_factory=Lines)
    told: list[IdentityChange] = field(default_factory=list)
    settings: IdentitySettings = DEFAULT
    now_ms: int = NOW_MS + 1_000_000

    def __post_init__(self) -> None:
        self.client.is_quick = True
        self.store = DynamoCutStore(
            self.client, "profiles", "control", lambda _: None, lambda: 1_800_001.0
        )

    @property
    def requests(self) -> Requests:
        return Requests(self.store, self.settings, KEYRING, lambda _: None)

    @property
    def cutter(self) -> Cutter:
        return Cutter(self.store, self.archive, self.settings, self._tell, lambda _: None)

    def _tell(self, changes: Sequence[IdentityChange]) -> int:
        self.told += changes
        return 0

    def live(self, stars: Iterable[Star]) -> None:
        """Messages through the live step."""
        for one in stars:
            settle(self.store, [one], self.settings, lambda _: None)

    def ask(self, verdict: Verdict, *pairs: tuple[str, str], reason: str = "") -> CutJob | None:
        """The job of a request, not carried out."""
        self.now_ms += 1
        ids = {key_of(told): named(told) for pair in pairs for told in pair}
        keyed: list[Pair] = [pair_of(key_of(a), key_of(b)) for a, b in pairs]
        return self.requests.job(keyed, ids, Order(verdict, "privacy", reason, self.now_ms))

    def cut(self, *pairs: tuple[str, str]) -> CutJob | None:
        """A cut, carried out."""
        job = self.ask(Verdict.CUT, *pairs)
        return self.cutter.carry_out(job) if job else None

    def lift(self, *pairs: tuple[str, str]) -> CutJob | None:
        """A lift, carried out."""
        job = self.ask(Verdict.LIFT, *pairs)
        return self.cutter.carry_out(job) if job else None

    def roots(self) -> dict[str, Root]:
        """Every person that stands."""
        ids = [pk[2:] for pk in self.client.tables["profiles"] if pk.startswith("P#")]
        roots, _ = self.store.read_persons(ids)
        return {p: root for p, root in roots.items() if root.state is RootState.ACTIVE}

    def persons(self) -> set[frozenset[str]]:
        """The identifiers of every person that stands."""
        return {frozenset(root.members) for root in self.roots().values()}

    def row(self, person_id: str, sort_key: str) -> bool:
        """Whether there is such a row of a person."""
        return self.client.item("profiles", f"P#{person_id}", sort_key) is not None


def keys(*told: str) -> frozenset[str]:
    """The keys of these identifiers."""
    return frozenset(map(key_of, told))
