"""Salts of the audit log on the in-process DynamoDB: one a person, made once, gone for good."""

import pytest

from stamgast.egress.pseudonyms import pseudonym, salted_name
from stamgast_aws.dynamo_batches import delete_items
from stamgast_aws.salt_store import DynamoSalts
from tests.fakes.dynamodb import DynamoDB


def pause(_seconds: float) -> None:
    """Tests do not wait."""


@pytest.fixture
def salts() -> DynamoSalts:
    """Salts in an empty table."""
    return DynamoSalts(DynamoDB("control"), "control")


def test_a_salt_is_made_once_and_is_nobody_elses(salts: DynamoSalts) -> None:
    first = salts.of(["p1", "p2", "p1"])
    assert salts.of(["p1"]) == {"p1": first["p1"]}
    assert len(set(first.values())) == 2
    assert dict(salts.persons()) == {name: pseudonym(first[name], name) for name in first}
    assert salts.known(["p1", "p9"], pause) == {"p1": first["p1"]}


def test_without_its_salt_a_line_leads_to_nobody(salts: DynamoSalts) -> None:
    had = pseudonym(salts.of(["p1"])["p1"], "p1")
    items = list(salts.items(["p1"], pause))
    assert delete_items(salts.client, "control", items, pause) == 1
    assert dict(salts.persons()) == {}
    assert pseudonym(salts.of(["p1"])["p1"], "p1") != had


def test_who_is_not_found_takes_as_many_writes_and_is_no_person(salts: DynamoSalts) -> None:
    names = {salted_name(None, f"request-{number}:0") for number in range(4_000)}
    assert len(names) == 256
    salts.of(sorted(names)[:3])
    assert dict(salts.persons()) == {}
