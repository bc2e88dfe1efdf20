"""Explanations: the weakest edge, bridges and cuts against brute force and against what happens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from random import Random

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.corrections import begin, correct
from stamgast.identity.edge import EdgeState, Pair, Reason, Support
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.explain.answer import Telling, explanation_of
from stamgast.identity.explain.case import Case
from stamgast.identity.explain.effects import Effect, effect_of, parts_of
from stamgast.identity.explain.live import BusyError, ReadOnly, live_case
from stamgast.identity.explain.masking import masked
from stamgast.identity.explain.structure import spanning_tree, structure_of
from stamgast.identity.live import settle
from stamgast.identity.partition import partition
from stamgast.identity.root import RootState
from stamgast.identity.settings import DEFAULT, IdentitySettings
from stamgast.identity.star import Sighting, Star
from stamgast.identity.store import PutRoot, StoreError
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB

CLAIMED, VERIFIED = Assurance.CLAIMED, Assurance.VERIFIED
Edges = Mapping[Pair, Support]
SEEDS = range(150)


def no_pause(_: float) -> None:
    """Waits for nothing."""


def parts(keys: Iterable[str], edges: Iterable[Pair]) -> set[frozenset[str]]:
    """Connected parts, by joining sets until nothing changes."""
    found = [{key} for key in keys]
    for a, b in edges:
        touched = [one for one in found if a in one or b in one]
        found = [one for one in found if one not in touched] + [set().union(*touched)]
    return {frozenset(one) for one in found}


def graph(rng: Random) -> dict[Pair, Support]:
    """A few keys and edges between them; many are equal in all but their messages."""
    keys = [f"k{n}" for n in range(rng.randint(1, 8))]
    edges = {}
    for number in range(rng.randint(0, 14)):
        a, b = rng.choice(keys), rng.choice(keys)
        if a != b:
            told = (rng.randrange(3), rng.randrange(3), rng.randrange(4), f"m{rng.randrange(20)}")
            edges[a, b] = Support(*told, number)
    return edges


def fell_apart_at(edges: Edges) -> Pair | None:
    """Takes the weakest edges away, one after the other, until the parts are others."""
    keys = {key for pair in edges for key in pair}
    whole, left = parts(keys, edges), dict(edges)
    for pair in sorted(edges, key=lambda one: (edges[one], one), reverse=True):
        del left[pair]
        if parts(keys, left) != whole:
            return pair
    return None


def weakest_of_all(edges: Edges) -> Pair | None:
    """A broken reading: the worst edge, whether or not anything hangs on it."""
    return max(edges, key=lambda one: (edges[one], one), default=None)


def latest_of_the_tree(edges: Edges) -> Pair | None:
    """A broken reading: the youngest edge of the tree, however well it is known."""
    tree = spanning_tree(edges)
    return max(tree, key=lambda one: (edges[one].event_ms, edges[one], one), default=None)


def differs_from_brute_force(weakest: Callable[[Edges], Pair | None]) -> list[int]:
    graphs = {seed: graph(Random(seed)) for seed in SEEDS}
    return [seed for seed, edges in graphs.items() if weakest(edges) != fell_apart_at(edges)]


def test_the_weakest_edge_is_the_one_whose_loss_makes_the_person_fall_apart() -> None:
    assert differs_from_brute_force(lambda edges: structure_of(edges).weakest) == []


@pytest.mark.parametrize("broken", [weakest_of_all, latest_of_the_tree])
def test_a_broken_reading_of_the_weakest_edge_is_found_out(
    broken: Callable[[Edges], Pair | None],
) -> None:
    assert differs_from_brute_force(broken)


@pytest.mark.parametrize("seed", SEEDS)
def test_bridges_are_the_edges_that_alone_hold_two_sides(seed: int) -> None:
    edges = graph(Random(seed))
    keys = {key for pair in edges for key in pair}
    alone = {
        pair for pair in edges if parts(keys, edges.keys() - {pair}) != parts(keys, edges.keys())
    }
    assert structure_of(edges).bridges == alone


def test_a_person_of_one_identifier_has_no_weakest_edge() -> None:
    assert structure_of({}).weakest is None


# what happens when a cut is applied


def star(mid: str, at: int, keys: Iterable[str], word: Assurance) -> Star:
    sightings, supports = {}, {}
    for n, key in enumerate(sorted(keys, key=lambda k: (priority(k), k))):
        namespace = DEFAULT.by_name[key.split(":")[0]]
        born = Birth(at, mid, n, f"p{mid}.{n}")
        sightings[key] = Sighting(key, namespace.name, namespace.kind, word, born, key)
        if n:
            weakness = Support.weakness_of(word)
            supports[key] = Support(weakness, namespace.priority, at, mid, n, "web")
    return Star(next(iter(sightings)), mid, sightings, supports)


def priority(key: str) -> int:
    return DEFAULT.by_name[key.split(":")[0]].priority


def history(rng: Random) -> list[Star]:
    pool = [f"{name}:{n}" for name in ("user_id", "email", "anonymous_id") for n in range(3)]
    return [
        star(
            f"m{number:02}",
            number,
            rng.sample(pool, rng.randint(1, 3)),
            rng.choice([CLAIMED, VERIFIED]),
        )
        for number in range(rng.randint(3, 12))
    ]


SMALL = replace(DEFAULT, person_limit=7)


def world(seed: int, settings: IdentitySettings = SMALL) -> tuple[DynamoJobStore, list[Star]]:
    store = DynamoJobStore(DynamoDB("p", "c"), "p", "c", no_pause)
    store.client.is_quick = True
    stars = history(Random(seed))
    settle(store, stars, settings, no_pause)
    return store, stars


def case_of(store: DynamoJobStore, key: str, settings: IdentitySettings = SMALL) -> Case:
    case = live_case(store, key, settings, no_pause)
    assert case is not None
    return case


def apply_cut(store: DynamoJobStore, case: Case, pair: Pair) -> None:
    """The cut as a run meets it: on the root, then corrected by the code that runs use."""
    root = store.read_persons([case.person_id])[0][case.person_id]
    cut = replace(root, version=root.version + 1, cannot_links=root.cannot_links | {pair})
    store.commit([PutRoot(cut, (root.version, root.state))])
    assert begin(store, 1, no_pause)
    correct(store, EvidenceInMemory(), sorted(case.members), 1, SMALL, no_pause)


def standing(store: DynamoJobStore, keys: Iterable[str]) -> dict[str, frozenset[str]]:
    """The persons of these identifiers, each with all that it has."""
    found = {}
    for key in keys:
        case = case_of(store, key)
        found[case.person_id] = case.members
    return found


def told(effect: Effect) -> dict[str, frozenset[str]]:
    """After a run, which looks beyond the person."""
    return {part.person_id: frozenset(part.identifiers) for part in effect.settled}


def edge_taken_away(case: Case, pair: Pair) -> Effect:
    """A broken reading: without the edge, instead of with a pair that may not meet."""
    links = {one: support for one, support in case.found.links.items() if one != pair}
    plan = partition(replace(case.found, links=links), SMALL)
    return Effect(pair, parts_of(case, plan), parts_of(case, plan))


def right(case: Case, pair: Pair) -> Effect:
    return effect_of(case, pair, SMALL)


def wrong_effects(reading: Callable[[Case, Pair], Effect], seeds: Iterable[int]) -> int:
    wrong = 0
    for seed in seeds:
        store, stars = world(seed)
        case = case_of(store, stars[0].anchor)
        for pair in sorted(case.active)[:1]:
            expected = told(reading(case, pair))
            apply_cut(store, case, pair)
            wrong += expected != standing(store, case.members)
    return wrong


def test_what_a_cut_is_said_to_do_is_what_it_does() -> None:
    assert wrong_effects(right, range(8)) == 0


def test_an_effect_that_only_takes_the_edge_away_is_found_out() -> None:
    assert wrong_effects(edge_taken_away, range(8))


# the live case


def test_an_unknown_identifier_has_no_case() -> None:
    store, _ = world(1)
    assert live_case(store, "email:nobody", SMALL, no_pause) is None


def test_asking_about_a_person_writes_nothing() -> None:
    store, stars = world(2)
    before = sorted(map(repr, store.client.items("p")))
    case_of(store, stars[0].anchor)
    assert sorted(map(repr, store.client.items("p"))) == before
    with pytest.raises(StoreError):
        ReadOnly(store).commit([])


def test_a_person_that_a_job_holds_is_said_to_be_busy() -> None:
    store, stars = world(3)
    case = case_of(store, stars[0].anchor)
    root = case.found.roots[case.person_id]
    locked = replace(root, state=RootState.SPLITTING, version=root.version + 1, job="j")
    store.commit([PutRoot(locked, (root.version, root.state))])
    with pytest.raises(BusyError) as raised:
        case_of(store, stars[0].anchor)
    assert raised.value.job == "j"


def test_a_component_that_is_too_large_is_explained_by_the_person_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = DynamoJobStore(DynamoDB("p", "c"), "p", "c", no_pause)
    known = [star(f"m{n}", n, [f"user_id:{n}", f"email:{n}"], VERIFIED) for n in range(6)]
    claims = [star(f"n{n}", 10 + n, [f"user_id:{n}", f"email:{n + 1}"], CLAIMED) for n in range(5)]
    for one in [*known, *claims]:
        settle(store, [one], SMALL, no_pause)
    assert case_of(store, "email:2").is_whole
    monkeypatch.setattr("stamgast.identity.explain.live.MOST_IDENTIFIERS", 3)
    case = case_of(store, "email:2")
    assert not case.is_whole
    assert case.members == {"user_id:2", "email:2"}


def explained(case: Case, *, may_tell: bool = False) -> dict[str, object]:
    values = {key: f"{key.split(':')[0]}-value-{key[-1]}@example.org" for key in case.found.traits}
    return explanation_of(case, Telling(SMALL, values, lambda _: may_tell, 20))


def test_an_explanation_names_refusals_with_their_reasons_and_the_other_person() -> None:
    store = DynamoJobStore(DynamoDB("p", "c"), "p", "c", no_pause)
    for one in (
        star("m1", 1, ["user_id:1", "email:1"], VERIFIED),
        star("m2", 2, ["user_id:2", "email:2"], VERIFIED),
        star("m3", 3, ["user_id:1", "email:2"], CLAIMED),
    ):
        settle(store, [one], SMALL, no_pause)
    for key, other in (("user_id:1", "pm2.0"), ("email:2", "pm1.0")):
        [refusal] = explained(case_of(store, key))["refused"]  # type: ignore[misc]
        assert refusal["reason"] == Reason.TWO_KNOWN_PERSONS
        assert refusal["other_person"] == other
        assert refusal["assurance"] == "claimed"


def test_a_value_that_is_off_is_told_to_the_persons_that_it_met() -> None:
    store = DynamoJobStore(DynamoDB("p", "c"), "p", "c", no_pause)
    limit = SMALL.by_name["anonymous_id"].value_limit
    stars = [
        star(f"m{n:02}", n, [f"user_id:{n}", "anonymous_id:till"], VERIFIED)
        for n in range(limit + 2)
    ]
    settle(store, stars, SMALL, no_pause)
    answer = explained(case_of(store, f"user_id:{limit + 1}"))
    [off] = answer["off"]  # type: ignore[misc]
    assert off["key"] == "anonymous_id:till"
    assert off["limit"] == limit
    assert [one["reason"] for one in answer["refused"]] == [Reason.VALUE_LIMIT]  # type: ignore[attr-defined]


def test_values_are_masked_unless_they_may_be_told() -> None:
    store, stars = world(4)
    case = case_of(store, stars[0].anchor)
    assert "-value-" not in repr(explained(case))
    assert "-value-" in repr(explained(case, may_tell=True))


@pytest.mark.parametrize(
    ("namespace", "value", "shown"),
    [
        ("email", "anne@example.org", "a•••@e•••.org"),
        ("phone", "+31612345678", "+31•••78"),
        ("user_id", "customer-42", "cu•••"),
        ("user_id", "42", "•••"),
        ("no_more", "something", "so•••"),
    ],
)
def test_a_masked_value_can_be_compared_and_not_used(
    namespace: str, value: str, shown: str
) -> None:
    assert masked(namespace, value, DEFAULT) == shown


def test_edges_of_the_answer_are_those_that_hold_the_person() -> None:
    for seed in range(15):
        store, stars = world(seed)
        case = case_of(store, stars[0].anchor)
        assert parts(case.members, case.active) == {case.members}
        states = {edge.state for pair, edge in case.edges.items() if pair in case.active}
        assert states <= {EdgeState.ACTIVE}
