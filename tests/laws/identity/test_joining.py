"""What joins, what does not, and what is told of it: the live step over the in-process store."""

from dataclasses import replace

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.corrections import Result, begin, publish_identity
from stamgast.identity.edge import EdgeState, Reason, Support
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.live import Settlement, drain, mint_apart, settle
from stamgast.identity.plan import Cause
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.rules import Side, may_join, trust_groups
from stamgast.identity.served import Off
from stamgast.identity.settings import DEFAULT, IdentitySettings, Limits
from stamgast.identity.star import Sighting, Star, parts
from stamgast.identity.store import PutRoot, StoreError
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB, Fault

CLAIMED, VERIFIED = Assurance.CLAIMED, Assurance.VERIFIED


def no_pause(seconds: float) -> None:
    """Waits for nothing."""


@pytest.fixture
def store() -> DynamoJobStore:
    return DynamoJobStore(DynamoDB("p", "c", strict=True), "p", "c", no_pause, lambda: 0.0)


def star(mid: str, at: int, *keys: str, word: Assurance = VERIFIED) -> Star:
    sightings, supports = {}, {}
    for n, key in enumerate(keys):
        namespace = DEFAULT.by_name[key.split(":")[0]]
        born = Birth(at, mid, n, f"p{mid}.{n}")
        sightings[key] = Sighting(key, namespace.name, namespace.kind, word, born, key)
        if n:
            weakness = Support.weakness_of(word)
            supports[key] = Support(weakness, namespace.priority, at, mid, n)
    return Star(keys[0], mid, sightings, supports)


def live(store: DynamoJobStore, *stars: Star, settings: IdentitySettings = DEFAULT) -> Settlement:
    told = [settle(store, [one], settings, no_pause) for one in stars]
    return told[-1]


def home(store: DynamoJobStore, key: str) -> Root:
    person_id = settle(store, [star("look", 99, key, word=CLAIMED)], DEFAULT, no_pause).persons[key]
    return store.read_persons([person_id])[0][person_id]


def test_a_first_sight_makes_one_person_and_tells_of_it(store: DynamoJobStore) -> None:
    told = live(store, star("m1", 1, "user_id:1", "email:1"))
    assert [(c.cause, c.person_id) for c in told.changes] == [(Cause.CREATED, "pm1.0")]
    assert told.persons == {"user_id:1": "pm1.0", "email:1": "pm1.0"}


def test_a_message_seen_again_writes_nothing(store: DynamoJobStore) -> None:
    live(store, star("m1", 1, "user_id:1", "email:1"))
    before = store.client.calls["TransactWriteItems"]
    assert live(store, star("m1", 1, "user_id:1", "email:1")).changes == ()
    assert store.client.calls["TransactWriteItems"] == before


def test_the_older_person_takes_the_younger_in(store: DynamoJobStore) -> None:
    live(store, star("m2", 2, "user_id:1"), star("m1", 1, "email:1"))
    told = live(store, star("m3", 3, "user_id:1", "email:1"))
    (change,) = told.changes
    assert (change.cause, change.person_id, change.into) == (Cause.MERGED, "pm2.0", "pm1.0")
    assert change.because == "m3"


def test_a_pointer_into_a_merged_person_is_led_straight_on_the_next_sight(
    store: DynamoJobStore,
) -> None:
    live(store, star("m1", 1, "email:1"), star("m2", 2, "user_id:1"), star("m4", 4, "phone:1"))
    live(store, star("m3", 3, "user_id:1", "email:1"), star("m5", 5, "phone:1", "user_id:1"))
    live(store, star("m6", 6, "phone:1"))
    assert store.read_pointers(["phone:1"])["phone:1"].person_id == "pm1.0"


@pytest.mark.failure_line(23)
def test_a_person_at_its_limit_is_refused_before_any_write_and_says_so(
    store: DynamoJobStore,
) -> None:
    """Line 23: the event is settled, the refusal is told and kept on the edge."""
    small = replace(DEFAULT, person_limit=2)
    live(store, star("m1", 1, "user_id:1", "email:1"), settings=small)
    told = live(store, star("m2", 2, "user_id:1", "anonymous_id:1"), settings=small)
    assert told.refused == (Reason.PERSON_LIMIT,)
    assert told.persons == {"user_id:1": "pm1.0", "anonymous_id:1": "pm2.1"}
    (edge,) = [e for e in store.edges_from("user_id:1") if e.pair[1] == "anonymous_id:1"]
    assert (edge.state, edge.why) == (EdgeState.REFUSED, Reason.PERSON_LIMIT)
    assert live(store, star("m2", 2, "user_id:1", "anonymous_id:1"), settings=small).tries == 0


@pytest.mark.failure_line(25)
def test_a_shared_device_is_taken_off_and_links_nobody_more(store: DynamoJobStore) -> None:
    """Line 25: one customer more than it may serve takes a till's tablet off, for good."""
    limit = DEFAULT.by_name["device_id"].value_limit
    for n in range(limit + 2):
        told = live(store, star(f"m{n:02}", n, f"user_id:{n}", "device_id:till"))
    assert told.refused == (Reason.VALUE_LIMIT,)
    assert store.read_pointers(["device_id:till"])["device_id:till"].off is Off.WHOLLY
    assert len(store.read_pointers(["device_id:till"])["device_id:till"].near) == limit + 1


@pytest.mark.failure_line(25)
def test_a_regular_with_many_cookies_is_one_person(store: DynamoJobStore) -> None:
    """Line 25: cookies name nobody, so an address that was seen with forty serves one person."""
    for n in range(40):
        live(store, star(f"m{n:02}", n, "email:regular", f"anonymous_id:{n}"))
    assert len(home(store, "email:regular").members) == 41
    assert store.read_pointers(["email:regular"])["email:regular"].near == frozenset()


def test_one_person_has_many_names_of_different_kinds(store: DynamoJobStore) -> None:
    limit = DEFAULT.by_name["email"].value_limit
    others = [f"{kind}:{n}" for kind in ("phone", "payment_token") for n in range(limit)]
    for n, other in enumerate(others):
        assert live(store, star(f"m{n:02}", n, "email:1", other)).refused == ()
    assert store.read_pointers(["email:1"])["email:1"].off is Off.NOT


def test_claims_take_no_verified_link_from_a_value(store: DynamoJobStore) -> None:
    for n in range(DEFAULT.by_name["email"].value_limit + 9):
        live(store, star(f"c{n:02}", n, f"user_id:made-up-{n}", "email:victim", word=CLAIMED))
    assert store.read_pointers(["email:victim"])["email:victim"].off is Off.TO_CLAIMS
    told = live(store, star("m99", 99, "user_id:victim", "email:victim"))
    assert told.refused == ()
    assert told.persons["user_id:victim"] == told.persons["email:victim"]


def test_a_claim_never_merges_two_known_persons_but_a_verified_link_does(
    store: DynamoJobStore,
) -> None:
    live(store, star("m1", 1, "user_id:1"), star("m2", 2, "email:1"))
    told = live(store, star("m3", 3, "user_id:1", "email:1", word=CLAIMED))
    assert told.refused == (Reason.TWO_KNOWN_PERSONS,)
    assert home(store, "user_id:1") != home(store, "email:1")
    live(store, star("m4", 4, "user_id:1", "email:1"))
    assert home(store, "user_id:1") == home(store, "email:1")


def test_a_claimed_link_joins_but_shares_no_trust(store: DynamoJobStore) -> None:
    live(store, star("m1", 1, "user_id:1", "email:1"))
    live(store, star("m2", 2, "user_id:1", "anonymous_id:1", word=CLAIMED))
    root = home(store, "anonymous_id:1")
    assert root.trusted_anchors("email:1") == {"user_id:1", "email:1"} & root.anchors
    assert root.trusted_anchors("anonymous_id:1") <= {"anonymous_id:1"}
    live(store, star("m3", 3, "user_id:1", "anonymous_id:1"))
    assert home(store, "anonymous_id:1").trusted_anchors("anonymous_id:1") == root.anchors | {
        "anonymous_id:1"
    }


def test_a_cannot_link_holds_against_every_path(store: DynamoJobStore) -> None:
    mint_apart(store, star("m1", 1, "user_id:1"), no_pause)
    mint_apart(store, star("m2", 2, "user_id:2"), no_pause)
    pair = ("user_id:1", "user_id:2")
    roots, _ = store.read_persons(["pm1.0", "pm2.0"])
    store.commit(
        [
            PutRoot(replace(r, version=2, cannot_links=frozenset({pair})), (1, RootState.ACTIVE))
            for r in roots.values()
        ]
    )
    live(store, star("m3", 3, "user_id:1", "email:1"))
    told = live(store, star("m4", 4, "user_id:2", "email:1"))
    assert told.refused == (Reason.CANNOT_LINK,)


def test_two_payloads_under_one_message_id_found_two_persons(store: DynamoJobStore) -> None:
    """The same source, message and position name another identifier."""
    told = settle(store, [star("m1", 1, "email:1"), star("m1", 1, "email:2")], DEFAULT, no_pause)
    settle(store, [star("m9", 9, "user_id:1", "email:1", "email:2")], DEFAULT, no_pause)
    assert told.persons["email:1"] != told.persons["email:2"]
    assert home(store, "email:1") == home(store, "email:2")


def test_a_star_of_a_hundred_devices_is_settled_in_pieces(store: DynamoJobStore) -> None:
    wide = replace(
        DEFAULT,
        person_limit=2000,
        namespaces=tuple(replace(n, value_limit=2000) for n in DEFAULT.namespaces),
    )
    devices = [f"device_id:{n}" for n in range(100)]
    told = settle(store, [star("m1", 1, "user_id:1", *devices)], wide, no_pause)
    assert set(told.persons.values()) == {"pm1.0"}
    assert (
        max(len(piece.supports) for piece in parts(star("m1", 1, "user_id:1", *devices), 30)) == 30
    )


@pytest.mark.failure_line(21)
def test_a_merge_whose_reply_is_lost_is_told_once_and_done_once(store: DynamoJobStore) -> None:
    """Line 21: the second try finds everything done, and still tells of the change."""
    live(store, star("m1", 1, "user_id:1"), star("m2", 2, "email:1"))
    lost = iter([Fault.LOST_REPLY])
    store.client.before = lambda operation, request: (
        next(lost, None) if operation == "TransactWriteItems" else None
    )
    told = live(store, star("m3", 3, "user_id:1", "email:1"))
    assert [(c.cause, c.person_id) for c in told.changes] == [(Cause.MERGED, "pm2.0")]


@pytest.mark.failure_line(26)
def test_what_stays_contended_is_parked_and_counted_never_reported_as_done(
    store: DynamoJobStore,
) -> None:
    """Line 26: and a later drain makes it good."""
    live(store, star("m1", 1, "user_id:1"), star("m2", 2, "email:1"))
    store.client.before = lambda operation, request: Fault.CONFLICT
    told = live(store, star("m3", 3, "user_id:1", "email:1"))
    assert (told.parked, told.tries) == (1, 11)
    assert told.persons == {"user_id:1": "pm1.0", "email:1": "pm2.0"}
    store.client.before = lambda operation, request: None
    assert drain(store, DEFAULT, no_pause).parked == 0
    assert home(store, "user_id:1") == home(store, "email:1")
    assert store.parked(10) == []


def test_persons_minted_while_a_star_is_parked_are_told_like_others(store: DynamoJobStore) -> None:
    live(store, star("m1", 1, "user_id:1"))
    # The star's own transaction fails at all tries; those that mint an identifier alone do not.
    store.client.before = lambda operation, request: (
        Fault.CONFLICT if len(request.get("TransactItems", ())) > 2 else None
    )
    told = live(store, star("m3", 3, "user_id:1", "email:1"))
    assert told.parked == 1
    assert [(c.cause, c.person_id, c.because) for c in told.changes] == [
        (Cause.CREATED, "pm3.1", "m3")
    ]


def test_a_person_that_another_worker_minted_is_told_by_that_one(store: DynamoJobStore) -> None:
    live(store, star("m1", 1, "user_id:1"))
    assert mint_apart(store, star("m1", 1, "user_id:1"), no_pause).changes == ()


def test_an_absent_identifier_that_cannot_be_given_a_person_is_no_success(
    store: DynamoJobStore,
) -> None:
    store.client.before = lambda operation, request: Fault.CONFLICT
    with pytest.raises(StoreError):
        live(store, star("m1", 1, "user_id:1"))


def test_a_run_merges_more_persons_than_one_transaction_locks(store: DynamoJobStore) -> None:
    wide = replace(
        DEFAULT, namespaces=tuple(replace(n, value_limit=500) for n in DEFAULT.namespaces)
    )
    alone = [star(f"a{n:03}", n, f"device_id:{n}") for n in range(105)]
    for one in alone:
        live(store, one, settings=wide)
    joined = [star(f"b{n:03}", 500, "user_id:1", f"device_id:{n}") for n in range(105)]
    evidence = EvidenceInMemory.of([*alone, *joined])
    keys = ["user_id:1", *(f"device_id:{n}" for n in range(105))]
    begin(store, 1, no_pause)
    told = publish_identity(store, evidence, [keys], 1, wide, no_pause)
    assert told.counts == {Result.CORRECTED: 1}
    assert len(home(store, "user_id:1").members) == 106
    assert home(store, "user_id:1").person_id == "pa000.0"
    assert store.open_jobs() == []


def test_an_older_run_is_shut_out(store: DynamoJobStore) -> None:
    live(store, star("m1", 1, "user_id:1"), star("m2", 2, "email:1"))
    evidence = EvidenceInMemory.of([star("m3", 3, "user_id:1", "email:1")])
    assert begin(store, 2, no_pause)
    assert not begin(store, 1, no_pause)
    told = publish_identity(store, evidence, [["user_id:1", "email:1"]], 1, DEFAULT, no_pause)
    assert told.counts == {Result.FENCED: 1}
    assert not told.is_complete


@pytest.mark.parametrize(
    ("left", "right", "word", "why"),
    [
        (Side(frozenset("a"), True), Side(frozenset("b"), True), CLAIMED, Reason.TWO_KNOWN_PERSONS),
        (Side(frozenset("a"), True), Side(frozenset("b"), False), CLAIMED, None),
        (Side(frozenset("a"), True), Side(frozenset("b"), True), VERIFIED, None),
        (Side(frozenset("ab"), False), Side(frozenset("cd"), False), VERIFIED, Reason.PERSON_LIMIT),
        (
            Side(frozenset("ab"), False, claimed=frozenset("b")),
            *(Side(frozenset("cd"), False), VERIFIED, None),
        ),
        (
            Side(frozenset("abc"), False, claimed=frozenset("bc")),
            *(Side(frozenset("def"), False, claimed=frozenset("ef")), VERIFIED),
            Reason.PERSON_LIMIT,
        ),
        (
            Side(frozenset("a"), False, frozenset({("a", "b")})),
            Side(frozenset("b"), False),
            VERIFIED,
            Reason.CANNOT_LINK,
        ),
    ],
)
def test_the_rule_of_joining(left: Side, right: Side, word: Assurance, why: Reason | None) -> None:
    limits = Limits(3, 3, {}, frozenset(), ceiling=5)
    assert may_join(left, right, word, limits) is why
    assert may_join(right, left, word, limits) is why


def test_a_trust_group_bears_its_smallest_key() -> None:
    found = trust_groups("dcba", [("d", "c"), ("c", "b"), ("x", "a")])
    assert found == {"a": "a", "b": "b", "c": "b", "d": "b"}


def test_a_look_up_through_an_unknown_identifier_trusts_nothing() -> None:
    root = Root("p", RootState.ACTIVE, 1, Birth(1, "m", 0, "p"), "a", {"a": Member(VERIFIED, "a")})
    assert root.trusted_anchors("b") == frozenset()
    assert dict(root.counts) == {"a": 1}
