"""Laws 1 and 4 for identity, each with a variant that breaks it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stamgast.identity import plan
from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.corrections import begin, publish_identity
from stamgast.identity.edge import Reason, Support
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.live import drain, settle
from stamgast.identity.root import Root, RootState
from stamgast.identity.settings import DEFAULT
from stamgast.identity.star import Sighting, Star, fold_stars
from stamgast.identity.store import Outcome, Write
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB

NAMES = ("user_id", "email", "device_id", "anonymous_id")
SMALL = replace(
    DEFAULT,
    namespaces=tuple(replace(one, value_limit=2) for one in DEFAULT.namespaces),
    person_limit=4,
)


def star(mid: int, received: int, at: int, word: Assurance, keys: Sequence[str]) -> Star:
    """The star of a message that names these identifiers."""
    keys = sorted(set(keys), key=lambda key: (DEFAULT.by_name[key.split(":")[0]].priority, key))
    sightings, supports = {}, {}
    for n, key in enumerate(keys):
        namespace = DEFAULT.by_name[key.split(":")[0]]
        born = Birth(received, f"m{mid:02}", n, f"p{mid}.{n}")
        sightings[key] = Sighting(key, namespace.name, namespace.kind, word, born, key)
        if n:
            weakness = Support.weakness_of(word)
            supports[key] = Support(weakness, namespace.priority, at, f"m{mid:02}", n)
    return Star(keys[0], f"m{mid:02}", sightings, supports)


KEYS = st.builds("{}:{}".format, st.sampled_from(NAMES), st.integers(1, 3))
MOMENTS = st.integers(0, 50)
WORDS = st.sampled_from([Assurance.CLAIMED, Assurance.VERIFIED])


@st.composite
def histories(
    draw: Any,
    words: st.SearchStrategy[Assurance] = WORDS,
    received: st.SearchStrategy[int] = MOMENTS,
) -> list[Star]:
    """Some messages, each with its own receipt."""
    count = draw(st.integers(1, 8))
    return [
        star(
            n,
            draw(received),
            n,
            draw(words),
            draw(st.lists(KEYS, min_size=1, max_size=3)),
        )
        for n in range(count)
    ]


def no_pause(seconds: float) -> None:
    """Waits for nothing."""


def open_store() -> DynamoJobStore:
    client = DynamoDB("p", "c")
    client.is_quick = True
    return DynamoJobStore(client, "p", "c", no_pause, lambda: 0.0)


def persons(store: DynamoJobStore) -> dict[str, Root]:
    """Every person that stands, without versions and runs."""
    items = store.client.tables["p"]
    ids = [pk[2:] for pk in items if pk.startswith("P#")]
    roots, _ = store.read_persons(ids)
    standing = {p: r for p, r in roots.items() if r.state is RootState.ACTIVE}
    return {p: replace(r, version=0, run=0) for p, r in standing.items()}


def groups(store: DynamoJobStore) -> set[tuple[Any, ...]]:
    """The persons without their ids, which only a run knows: identifiers, words, anchors, trust."""
    return {(frozenset(root.members.items()), root.anchors) for root in persons(store).values()}


def components(stars: Sequence[Star]) -> list[frozenset[str]]:
    """The identifiers that the stars connect; coarser than need be, which a run may be given."""
    parts: list[frozenset[str]] = []
    for one in stars:
        mine = frozenset(one.sightings)
        meeting = [part for part in parts if part & mine]
        parts = [part for part in parts if not part & mine] + [mine.union(*meeting)]
    return parts


def batches(draw: Any, stars: Sequence[Star]) -> list[list[Star]]:
    """The stars in another order, some of them twice, in batches of any size."""
    arrived = list(draw(st.permutations([*stars, *draw(st.lists(st.sampled_from(stars)))])))
    size = draw(st.integers(1, 4))
    return [arrived[n : n + size] for n in range(0, len(arrived), size)]


def lived(deliveries: Sequence[Sequence[Star]]) -> DynamoJobStore:
    """A store after these deliveries, without limits that order could decide."""
    store = open_store()
    for batch in deliveries:
        settle(store, batch, DEFAULT, no_pause)
    return store


def corrected(deliveries: Sequence[Sequence[Star]], stars: Sequence[Star]) -> DynamoJobStore:
    """A store with tight limits after these deliveries and a run over the same messages."""
    store = open_store()
    for batch in deliveries:
        settle(store, batch, SMALL, no_pause)
    begin(store, 1, no_pause)
    evidence = EvidenceInMemory.of(stars)
    told = publish_identity(store, evidence, components(stars), 1, SMALL, no_pause)
    assert told.is_complete
    return store


@st.composite
def redelivered(
    draw: Any, words: st.SearchStrategy[Assurance] = WORDS
) -> tuple[list[Star], list[list[Star]], list[list[Star]]]:
    """A history and two deliveries of it."""
    stars = draw(histories(words))
    return stars, batches(draw, stars), batches(draw, stars)


VERIFIED = st.just(Assurance.VERIFIED)

# Histories that find the broken variants at once; without them Hypothesis searches, and shrinks.
FIRST = star(0, 0, 0, Assurance.VERIFIED, ["user_id:1", "email:1"])
SECOND = star(1, 1, 1, Assurance.VERIFIED, ["user_id:2", "anonymous_id:1"])
BETWEEN = star(2, 2, 2, Assurance.VERIFIED, ["user_id:1", "anonymous_id:1"])
CHAIN = (
    [FIRST, SECOND, BETWEEN],
    [[FIRST], [SECOND], [BETWEEN]],
    [[FIRST], [BETWEEN], [SECOND]],
)
LATE = ([FIRST, BETWEEN], [[BETWEEN], [FIRST]], [[FIRST], [BETWEEN]])


@pytest.mark.failure_line(19)
@settings(deadline=None, max_examples=50)
@given(redelivered(VERIFIED))
@example(CHAIN)
def test_live_persons_do_not_depend_on_order_copies_or_batches(
    told: tuple[list[Star], list[list[Star]], list[list[Star]]],
) -> None:
    """Law 1, and line 19: whatever links arrive in whatever order, one component."""
    _, first, second = told
    assert groups(lived(first)) == groups(lived(second))


@pytest.mark.failure_line(25)
@settings(deadline=None, max_examples=50)
@given(redelivered())
@example(LATE)
def test_after_a_run_limits_decide_the_same_way_whatever_the_order(
    told: tuple[list[Star], list[list[Star]], list[list[Star]]],
) -> None:
    """Law 1, and line 25: a shared tablet, a family's phone; claims and limits included."""
    stars, first, second = told
    assert persons(corrected(first, stars)) == persons(corrected(second, stars))


@settings(deadline=None, max_examples=50)
@given(redelivered())
def test_a_second_run_of_the_same_inputs_changes_nothing(
    told: tuple[list[Star], list[list[Star]], list[list[Star]]],
) -> None:
    """Law 2: the items stay as they are to the byte."""
    stars, first, _ = told
    store = corrected(first, stars)
    before = {pk: dict(items) for pk, items in store.client.tables["p"].items()}
    begin(store, 2, no_pause)
    publish_identity(store, EvidenceInMemory.of(stars), components(stars), 2, SMALL, no_pause)
    assert store.client.tables["p"] == before


@settings(deadline=None, max_examples=50)
@given(histories())
def test_a_rebuild_from_the_inputs_alone_gives_the_same_persons(stars: list[Star]) -> None:
    """Law 2: person ids survive a full rebuild."""
    assert persons(corrected([stars], stars)) == persons(corrected([], stars))


def at_once(stars: Sequence[Star]) -> dict[str, Root]:
    """The persons after one request whose events share their moment."""
    return persons(lived([stars]))


PAGE_THEN_LOG_IN = [
    star(1, 7, 1, Assurance.VERIFIED, ["user_id:1", "anonymous_id:1"]),
    star(0, 7, 0, Assurance.VERIFIED, ["anonymous_id:1"]),
]


@settings(deadline=None, max_examples=30)
@given(histories(VERIFIED, received=st.just(7)).flatmap(st.permutations))
@example(PAGE_THEN_LOG_IN)
def test_what_one_request_founds_is_what_a_run_founds(stars: list[Star]) -> None:
    """Law 4: events of one moment found the same person ids live and from the inputs."""
    store = open_store()
    begin(store, 1, no_pause)
    publish_identity(store, EvidenceInMemory.of(stars), components(stars), 1, DEFAULT, no_pause)
    founded = {key: root.members.keys() for key, root in persons(store).items()}
    assert {key: root.members.keys() for key, root in at_once(stars).items()} == founded


@given(
    st.lists(st.sampled_from([star(n, n, n, Assurance.VERIFIED, ["email:1"]) for n in range(4)]))
)
def test_folding_stars_is_idempotent_and_commutative(stars: list[Star]) -> None:
    assert fold_stars([*stars, *reversed(stars)]) == fold_stars(stars)


class Contended:
    """A store whose first transactions are all cancelled, except those that mint."""

    def __init__(self, store: DynamoJobStore, cancelled: int) -> None:
        self._store, self.left = store, cancelled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, writes: Sequence[Write]) -> Outcome:
        if self.left > 0 and len(writes) > 2:
            self.left -= 1
            return Outcome.CANCELLED
        return self._store.commit(writes)


def contended(stars: Sequence[Star], cancelled: int) -> DynamoJobStore:
    """A store after a spell of contention: each star is done, or parked and minted."""
    store = open_store()
    busy = Contended(store, cancelled)
    for one in stars:
        before = busy.left
        told = settle(busy, [one], DEFAULT, no_pause, tries=3)  # type: ignore[arg-type]
        assert told.tries <= 3
        assert told.parked == (before - busy.left == 3)
        assert store.read_pointers(one.sightings).keys() == one.sightings.keys()
    drain(store, DEFAULT, no_pause)
    assert store.parked(10) == []
    return store


@pytest.mark.failure_line(22)
@pytest.mark.failure_line(26)
@settings(deadline=None, max_examples=50)
@given(histories(VERIFIED), st.integers(0, 12))
@example([FIRST], 3)
def test_contention_is_bounded_parked_and_made_good(stars: list[Star], cancelled: int) -> None:
    """Law 4, and lines 22 and 26: bounded tries, then parked with a count, never lost."""
    assert groups(contended(stars, cancelled)) == groups(lived([stars]))


def first_link_wins(patch: pytest.MonkeyPatch) -> None:
    """Breaks: two persons that both stand are not joined."""
    join = plan.Draft._join

    def hesitant(draft: plan.Draft, pair: Any, support: Any) -> Any:
        if len(draft.view.roots) > 1:
            return Reason.PERSON_LIMIT
        return join(draft, pair, support)

    patch.setattr(plan.Draft, "_join", hesitant)


def parking_forgets(patch: pytest.MonkeyPatch) -> None:
    """Breaks: what is contended is not kept."""
    patch.setattr(DynamoJobStore, "park", lambda store, star: None)


def runs_leave_what_is(patch: pytest.MonkeyPatch) -> None:
    """Breaks: a run takes the live persons for right."""
    patch.setattr("stamgast.identity.corrections.is_same", lambda found, plan: True)


def each_star_for_itself(patch: pytest.MonkeyPatch) -> None:
    """Breaks: a star founds by its own messages, though another of its batch is older."""
    patch.setattr("stamgast.identity.star._born_as", lambda one, born: one)


def fails(test: Callable[[], None]) -> bool:
    try:
        test()
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (each_star_for_itself, test_what_one_request_founds_is_what_a_run_founds),
        (parking_forgets, test_contention_is_bounded_parked_and_made_good),
        (runs_leave_what_is, test_after_a_run_limits_decide_the_same_way_whatever_the_order),
        (first_link_wins, test_live_persons_do_not_depend_on_order_copies_or_batches),
    ],
)
def test_each_law_can_fail(
    broken: Callable[[pytest.MonkeyPatch], None],
    law: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    assert fails(law)
