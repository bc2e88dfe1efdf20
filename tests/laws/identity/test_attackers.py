"""Whoever holds only a public key: what they claim takes nothing and opens nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.corrections import begin, publish_identity
from stamgast.identity.edge import Support
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.live import settle
from stamgast.identity.root import Root
from stamgast.identity.rules import Side, share, side_of
from stamgast.identity.served import Off
from stamgast.identity.settings import DEFAULT, IdentitySettings
from stamgast.identity.star import Sighting, Star
from stamgast.identity.view import read_view
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB

VICTIM = ("user_id:v", "email:v", "email:w", "phone:v", "anonymous_id:v")
MADE_UP = tuple(
    f"{name}:x{n}" for name in ("user_id", "email", "phone", "anonymous_id") for n in range(12)
)
SMALL = replace(
    DEFAULT,
    person_limit=10,
    merge_limit=8,
    namespaces=tuple(replace(n, value_limit=2, most=4) for n in DEFAULT.namespaces),
)
Told = tuple[int, tuple[str, ...], Assurance]


def star(number: int, keys: Sequence[str], word: Assurance) -> Star:
    """A message of these identifiers."""
    spaces = DEFAULT.by_name
    keys = sorted(set(keys), key=lambda key: (spaces[key.split(":")[0]].priority, key))
    sightings, supports = {}, {}
    for n, key in enumerate(keys):
        one = spaces[key.split(":")[0]]
        born = Birth(number, f"m{number:03}", n, f"p{number:03}.{n}")
        sightings[key] = Sighting(key, one.name, one.kind, word, born, key)
        if n:
            weakness = Support.weakness_of(word)
            supports[key] = Support(weakness, one.priority, number, f"m{number:03}", n)
    return Star(keys[0], f"m{number:03}", sightings, supports)


def messages(pool: Sequence[str], most: int, word: Assurance) -> st.SearchStrategy[list[Told]]:
    named = st.lists(st.sampled_from(pool), min_size=1, max_size=3).map(tuple)
    return st.lists(st.tuples(st.integers(0, 99), named, st.just(word)), max_size=most)


def world(told: Sequence[Told], rules: IdentitySettings, *, runs: bool) -> DynamoJobStore:
    """Everything settled live, and after a run."""
    store = DynamoJobStore(DynamoDB("p", "c"), "p", "c", lambda _: None, lambda: 0.0)
    store.client.is_quick = True
    stars = [star(n, keys, word) for n, keys, word in told]
    for one in stars:
        settle(store, [one], rules, lambda _: None)
    if runs:
        begin(store, 1, lambda _: None)
        evidence = EvidenceInMemory.of(stars)
        keys = sorted({key for one in stars for key in one.sightings})
        if keys:
            publish_identity(store, evidence, [keys], 1, rules, lambda _: None)
    return store


def root_of(store: DynamoJobStore, key: str) -> Root | None:
    view = read_view(store, [key])
    assert view is not None
    return view.roots[view.home[key]] if key in view.home else None


def trusted(store: DynamoJobStore, key: str) -> frozenset[str]:
    """Whose facts a look-up through this identifier may read in full."""
    root = root_of(store, key)
    return root.trusted_anchors(key) if root else frozenset()


def sees_the_same(mine: Sequence[Told], claims: Sequence[Told], rules: IdentitySettings) -> bool:
    """Whether each look-up of the victim reads what it reads without the claims, after a run."""
    numbered = [(2 * n, keys, word) for n, (_, keys, word) in enumerate(mine)]
    others = [(2 * at + 1, keys, word) for at, keys, word in claims]
    both = sorted([*numbered, *others], key=lambda told: told[0])
    alone, attacked = (world(told, rules, runs=True) for told in (numbered, both))
    anchors = {star(*told).anchor for told in numbered}
    return all(
        trusted(alone, key) & anchors == trusted(attacked, key) & anchors
        and trusted(attacked, key) <= frozenset(VICTIM)
        for _, keys, _ in numbered
        for key in keys
    )


@pytest.mark.failure_line(25)
@given(
    mine=messages(VICTIM, 6, Assurance.VERIFIED),
    claims=messages(VICTIM + MADE_UP, 25, Assurance.CLAIMED),
    rules=st.sampled_from([DEFAULT, SMALL]),
)
def test_no_claim_changes_what_a_verified_identifier_reads(
    mine: list[Told], claims: list[Told], rules: IdentitySettings
) -> None:
    """Line 25: claimed evidence exhausts no limit of what a server vouches for."""
    assert sees_the_same(mine, claims, rules)


@given(
    mine=messages(VICTIM, 6, Assurance.VERIFIED),
    claims=messages(VICTIM + MADE_UP, 25, Assurance.CLAIMED),
    runs=st.booleans(),
)
def test_no_claim_opens_a_verified_profile(
    mine: list[Told], claims: list[Told], runs: bool
) -> None:
    """A look-up through what was only claimed reads no anchor that a server vouched for."""
    told = [*enumerate_from(0, mine), *enumerate_from(500, claims)]
    store = world(told, DEFAULT, runs=runs)
    vouched = {key for _, keys, _ in mine for key in keys}
    for key in {key for _, keys, _ in claims for key in keys} - vouched:
        assert trusted(store, key).isdisjoint(vouched)


def enumerate_from(first: int, told: Sequence[Told]) -> list[Told]:
    return [(first + n, keys, word) for n, (_, keys, word) in enumerate(told)]


FLOOD = [(n, (f"user_id:x{n}", "email:v"), Assurance.CLAIMED) for n in range(1, 12)]
LOG_IN = [(0, ("user_id:v", "email:v"), Assurance.VERIFIED)]


def test_a_flood_of_claims_takes_no_address_from_its_owner() -> None:
    assert sees_the_same(LOG_IN, FLOOD, DEFAULT)


FILLED = [
    (n, (key, f"anonymous_id:{key}{n}"), Assurance.CLAIMED)
    for n in range(1, 5)
    for key in ("user_id:v", "email:v")
]
THEN = [(10, ("user_id:v", "email:v"), Assurance.VERIFIED)]
THEN += [(11, ("user_id:v", "phone:v"), Assurance.VERIFIED)]


OWN = ("user_id:v", "email:v", "phone:v")
FEW = replace(SMALL, namespaces=tuple(replace(n, most=None) for n in SMALL.namespaces))


def is_one_person(store: DynamoJobStore) -> bool:
    return len({root_of(store, key).person_id for key in OWN}) == 1  # type: ignore[union-attr]


def test_what_claims_fill_between_runs_stands_in_the_way_of_nothing_verified() -> None:
    """Two that were filled before a server named them together leave room for a third."""
    told = [(n, keys, word) for n, (_, keys, word) in enumerate([*FILLED, *THEN])]
    at_once, settled = (world(told, FEW, runs=runs) for runs in (False, True))
    assert is_one_person(at_once)
    assert is_one_person(settled)
    assert trusted(at_once, "phone:v") == trusted(settled, "phone:v") == {"user_id:v", "email:v"}


def test_claims_that_count_beside_what_is_verified_would_part_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broken variant: whoever fills two identifiers keeps a third away until the next run."""
    monkeypatch.setattr("stamgast.identity.plan.side_of", counting_all)
    told = [(n, keys, word) for n, (_, keys, word) in enumerate([*FILLED, *THEN])]
    assert not is_one_person(world(told, FEW, runs=False))


def counting_all(*person: Any) -> Side:
    return replace(side_of(*person), claimed=frozenset())


MANY = tuple(f"{name}:v{n}" for name in ("loyalty_card", "email", "phone") for n in range(4))


def is_joined_at_once(rules: IdentitySettings, *, fill: int) -> bool:
    """Whether a server joins twelve that were each filled with claims before it named any."""
    made_up = [
        ((key, f"anonymous_id:{key[-6:]}{n}"), Assurance.CLAIMED)
        for key in MANY
        for n in range(fill)
    ]
    joins = [((MANY[0], key), Assurance.VERIFIED) for key in MANY[1:]]
    told = [(n, keys, word) for n, (keys, word) in enumerate([*made_up, *joins])]
    live = world(told, rules, runs=False)
    return {root_of(live, key).person_id for key in MANY} == {root_of(live, MANY[0]).person_id}  # type: ignore[union-attr]


def test_however_many_of_a_customer_were_filled_a_server_joins_them_at_once() -> None:
    limits = DEFAULT.limits
    most = share(limits.person, Assurance.CLAIMED) * (limits.merges + 1) + limits.person
    assert limits.ceiling >= most
    few = replace(DEFAULT, person_limit=20)
    assert is_joined_at_once(few, fill=9)


def test_a_ceiling_below_what_claims_can_fill_would_keep_some_apart() -> None:
    """The broken variant: as many as the workspace's largest limit, as it was."""
    assert not is_joined_at_once(replace(DEFAULT, person_limit=20, ceiling=100), fill=9)


@given(
    mine=messages(VICTIM, 6, Assurance.VERIFIED),
    claims=messages(VICTIM + MADE_UP, 25, Assurance.CLAIMED),
)
def test_between_runs_claims_part_nothing_that_a_server_joins(
    mine: list[Told], claims: list[Told]
) -> None:
    """In whatever order both come, and with room for few."""
    numbered = [(2 * n, keys, word) for n, (_, keys, word) in enumerate(mine)]
    others = [(2 * at + 1, keys, word) for at, keys, word in claims]
    both = sorted([*numbered, *others], key=lambda told: told[0])
    alone, attacked = (world(told, SMALL, runs=False) for told in (numbered, both))
    for _, keys, _ in numbered:
        homes = {root_of(alone, key).person_id for key in keys}  # type: ignore[union-attr]
        found = {root_of(attacked, key).person_id for key in keys}  # type: ignore[union-attr]
        assert len(found) <= len(homes)


def test_a_live_person_never_grows_beyond_the_ceiling() -> None:
    low = replace(FEW, ceiling=9)
    told = [(n, keys, word) for n, (_, keys, word) in enumerate([*FILLED, *THEN])]
    live, settled = (world(told, low, runs=runs) for runs in (False, True))
    assert len(root_of(live, "user_id:v").members) <= low.ceiling  # type: ignore[union-attr]
    assert is_one_person(settled)


def test_a_count_that_claims_share_would_part_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant of the law above: one count for all evidence."""
    monkeypatch.setattr(Off, "blocks", lambda off, assurance: off is not Off.NOT)
    assert not sees_the_same(LOG_IN, FLOOD, DEFAULT)
