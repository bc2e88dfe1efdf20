"""Readers' tokens on the in-process DynamoDB: scopes, memory, revocation, a table that is down."""

from dataclasses import replace

import pytest

from stamgast.lookup.reader import Action, Reader, token_digest
from stamgast_aws.token_store import DynamoTokenStore
from tests.fakes.dynamodb import DynamoDB, Fault


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at zero."""
    return Clock()


@pytest.fixture
def table() -> DynamoDB:
    """An empty control table."""
    return DynamoDB("control")


@pytest.fixture
def tokens(table: DynamoDB, clock: Clock) -> DynamoTokenStore:
    """The adapter over it."""
    return DynamoTokenStore(table, "control", clock)


READER = Reader("call-centre", ("traits.first_name", "rfm"), ("email",))


def test_an_issued_token_finds_its_reader_and_is_kept_as_a_digest_only(
    tokens: DynamoTokenStore, table: DynamoDB
) -> None:
    token = tokens.issue(READER)
    assert tokens.find(token) == READER
    assert token not in str(table.tables)
    assert f"TOKEN#{token_digest(token)}" in table.tables["control"]


def test_a_token_may_do_what_it_was_granted_by_name_and_nothing_else(
    tokens: DynamoTokenStore,
) -> None:
    operator = replace(READER, may=(Action.CHANGE_IDENTITY,))
    found = tokens.find(tokens.issue(operator))
    assert found is not None
    assert [action for action in Action if found.may_do(action)] == [Action.CHANGE_IDENTITY]
    everything = tokens.find(tokens.issue(Reader("all", ("*",), ("*",), ("*",))))
    assert everything is not None
    assert not any(everything.may_do(action) for action in Action)


def test_a_token_made_before_there_were_actions_may_do_none(
    tokens: DynamoTokenStore, table: DynamoDB
) -> None:
    token = tokens.issue(replace(READER, may=("identity.change",)))
    del table.tables["control"][f"TOKEN#{token_digest(token)}"]["@"]["may"]
    found = tokens.find(token)
    assert found == READER
    assert not any(found.may_do(action) for action in Action)


def test_a_revoked_token_is_refused_within_a_minute(tokens: DynamoTokenStore, clock: Clock) -> None:
    token = tokens.issue(READER)
    assert tokens.find(token) == READER
    assert tokens.revoke(token)
    clock.now = 60.0
    assert tokens.find(token) is None
    assert not tokens.revoke("sgr_never-issued")


def test_a_reader_is_read_once_a_minute(
    tokens: DynamoTokenStore, table: DynamoDB, clock: Clock
) -> None:
    token = tokens.issue(READER)
    for _ in range(10):
        tokens.find(token)
    assert table.calls["GetItem"] == 1
    clock.now = 61.0
    tokens.find(token)
    assert table.calls["GetItem"] == 2


def test_while_the_table_is_down_remembered_tokens_work_and_others_raise(
    tokens: DynamoTokenStore, table: DynamoDB, clock: Clock
) -> None:
    token = tokens.issue(READER)
    tokens.find(token)
    table.before = lambda *_: Fault.THROTTLED
    clock.now = 1_000.0
    assert tokens.find(token) == READER
    with pytest.raises(ConnectionError):
        tokens.find("sgr_unknown")


def test_what_is_remembered_is_bounded(tokens: DynamoTokenStore) -> None:
    for number in range(1_100):
        assert tokens.find(f"guess-{number}") is None
    assert len(tokens._remembered) == 1_000


def test_a_token_ends_at_its_second_even_while_it_is_remembered(table: DynamoDB) -> None:
    clock, wall = Clock(), Clock()
    tokens = DynamoTokenStore(table, "control", clock, wall)
    token = tokens.issue(replace(READER, expires_s=100))
    wall.now = 99.0
    assert tokens.find(token) is not None
    wall.now = 100.0
    assert tokens.find(token) is None


def test_a_token_remembers_the_purposes_it_reads_for(tokens: DynamoTokenStore) -> None:
    bound = replace(READER, purposes=("email",))
    assert tokens.find(tokens.issue(bound)) == bound


def test_a_rotated_token_has_the_same_scope_and_the_old_one_ends_after_the_overlap(
    table: DynamoDB,
) -> None:
    clock, wall = Clock(), Clock()
    tokens = DynamoTokenStore(table, "control", clock, wall)
    old = tokens.issue(READER)
    fresh = tokens.rotate(old, 60)
    assert fresh is not None
    assert tokens.find(fresh) == READER
    clock.now = wall.now = 61.0
    assert tokens.find(old) is None
    assert tokens.find(fresh) == READER
    assert tokens.rotate(old, 60) is None
    assert tokens.rotate("sgr_nobody", 60) is None
