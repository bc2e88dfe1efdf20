"""Keys and tokens made by the command are those that the functions know."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.write_key import hash_of
from stamgast.lookup.reader import Action
from stamgast_aws.key_store import DynamoKeyStore
from stamgast_cli.access import Access, access_to
from stamgast_cli.commands.redrive import move
from stamgast_cli.deployment import Deployment
from stamgast_cli.errors import InputError

TABLE = "control"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.Session()


@pytest.fixture
def client(aws: Any) -> Any:
    made = aws.client("dynamodb")
    made.create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return made


@pytest.fixture
def access(client: Any) -> Access:
    return access_to(Deployment("Stamgast-test-Platform", {"ControlTable": TABLE}))


def test_a_sources_key_proves_what_its_kind_can_prove(client: Any, access: Access) -> None:
    public = access.add_source("web", name="Web", kind="public")
    secret = access.add_source("server", name="Server", kind="secret", events_per_second=9)

    keys = DynamoKeyStore(client, TABLE)
    page, server = keys.find(hash_of(public)), keys.find(hash_of(secret))

    assert page is not None
    assert server is not None
    assert (page.assurance, server.assurance) == (Assurance.CLAIMED, Assurance.VERIFIED)
    assert server.events_per_second == 9


def test_a_rotated_key_leaves_the_old_one_active_and_a_third_waits_for_a_revocation(
    client: Any, access: Access
) -> None:
    old = access.add_source("web", name="Web", kind="public")
    new = access.issue("web", "public")
    keys = DynamoKeyStore(client, TABLE)
    assert keys.find(hash_of(old))
    assert keys.find(hash_of(new))

    with pytest.raises(InputError, match=hash_of(old)):
        access.issue("web", "public")
    access.revoke(hash_of(old))

    assert keys.find(hash_of(old)) is None
    assert access.issue("web", "public")


def test_a_key_or_token_that_was_never_made_cannot_be_revoked(access: Access) -> None:
    with pytest.raises(InputError):
        access.revoke("pub_unknown")
    with pytest.raises(InputError):
        access.revoke_token("sgr_unknown")


def test_a_token_does_what_it_was_granted_and_an_unknown_action_is_refused(access: Access) -> None:
    reader = access.tokens.find(access.add_token("privacy", may=["identity.change"]))
    assert reader is not None
    assert reader.may_do(Action.CHANGE_IDENTITY)
    assert not reader.may_do(Action.EXPLAIN_IDENTITY)
    with pytest.raises(InputError, match="no action"):
        access.add_token("privacy", may=["identity.chang"])


def test_a_token_reads_within_its_scope_until_it_is_revoked(client: Any, access: Access) -> None:
    token = access.add_token("till", fields=["rfm"], namespaces=["loyalty_card"])
    reader = access.tokens.find(token)
    assert reader is not None
    assert (reader.fields, reader.namespaces) == (("rfm",), ("loyalty_card",))

    access.revoke_token(token)

    assert access_to(Deployment("s", {"ControlTable": TABLE})).tokens.find(token) is None


@pytest.mark.failure_line(15)
def test_dead_letters_go_back_with_their_attributes_and_a_second_redrive_finds_none(
    aws: Any,
) -> None:
    """Line 15: a queue may be redriven twice."""
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    live = sqs.create_queue(QueueName="live")["QueueUrl"]
    for number in range(23):
        sqs.send_message(
            QueueUrl=dead,
            MessageBody=str(number),
            MessageAttributes={"n": {"DataType": "Number", "StringValue": str(number)}},
        )

    assert move(sqs, dead, live) == 23
    assert move(sqs, dead, live) == 0

    told = []
    while batch := sqs.receive_message(
        QueueUrl=live, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        told += batch
    assert sorted(int(one["Body"]) for one in told) == list(range(23))
    assert all(one["MessageAttributes"]["n"]["StringValue"] == one["Body"] for one in told)


def test_tokens_are_listed_by_digest_with_their_scope_and_end(access: Access) -> None:
    token = access.add_token("mailer", fields=["traits.email"], purposes=["email"], days=2)
    access.add_token("till")
    listed = {
        reader.name: (digest, state, reader) for digest, state, reader in access.tokens.listed()
    }
    digest, state, reader = listed["mailer"]
    assert (state, reader.purposes, reader.fields) == ("active", ("email",), ("traits.email",))
    assert token not in digest
    assert reader.expires_s is not None
    assert listed["till"][2].expires_s is None


def test_a_token_is_rotated_and_one_that_is_none_cannot_be(access: Access) -> None:
    old = access.add_token("mailer", purposes=["email"])
    fresh = access.tokens.find(access.rotate_token(old, 1))
    assert fresh is not None
    assert (fresh.name, fresh.purposes) == ("mailer", ("email",))
    fields = ["rfm", "traits.email"]
    told = access.rotate_token(access.add_token("anna", fields=fields), 1, ["events", "rfm.r"])
    renewed = access.tokens.find(told)
    assert renewed is not None
    assert renewed.fields == ("rfm", "traits.email", "events")
    with pytest.raises(InputError, match="not known here"):
        access.rotate_token("sgr_unknown", 1)
