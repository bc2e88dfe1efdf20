"""Each patch of the pinned emulator mends what it says, and is still needed."""

import json
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from ministack.core import iam_actions

from stamgast_cli.local import patches

ARN = "arn:aws:glue:us-east-1:000000000000"


@pytest.fixture
def _restored() -> Iterator[None]:
    named, checked = iam_actions.extract_resource_arn, iam_actions.dynamodb_transaction_checks
    yield
    iam_actions.extract_resource_arn, iam_actions.dynamodb_transaction_checks = named, checked


def checked_against(action: str, body: dict[str, str]) -> str:
    headers = {"x-amz-target": f"AWSGlue.{action}"}
    told: str = iam_actions.extract_resource_arn(
        "glue", "POST", "/", headers, json.dumps(body).encode(), {}, "us-east-1", "000000000000"
    )
    return told


def test_the_emulator_alone_takes_a_database_for_a_table() -> None:
    assert checked_against("GetDatabase", {"Name": "lake"}) == f"{ARN}:table/lake"


@pytest.mark.usefixtures("_restored")
def test_a_database_is_checked_as_a_database_and_a_table_as_before() -> None:
    patches.apply()

    assert checked_against("GetDatabase", {"Name": "lake"}) == f"{ARN}:database/lake"
    table = {"DatabaseName": "lake", "Name": "events"}
    assert checked_against("GetTable", table) == f"{ARN}:database/lake"
    assert checked_against("DeleteTable", {"Name": "events"}) == f"{ARN}:table/events"


def checks_of(*statements: str) -> list[tuple[str, str]]:
    body = json.dumps({"Statements": [{"Statement": one} for one in statements]}).encode()
    told: list[tuple[str, str]] = iam_actions.dynamodb_transaction_checks(
        "dynamodb:BatchExecuteStatement", body, "us-east-1", "000000000000"
    )
    return told


def test_the_emulator_alone_checks_no_statement_of_a_batch() -> None:
    assert checks_of("INSERT INTO \"items\" VALUE {'PK': ?}") == []


@pytest.mark.usefixtures("_restored")
def test_a_batch_of_inserts_is_checked_as_inserts_into_the_tables_they_name() -> None:
    patches.apply()

    table = "arn:aws:dynamodb:us-east-1:000000000000:table"
    assert checks_of("INSERT INTO \"a\" VALUE {'PK': ?}", "INSERT INTO \"b\" VALUE {'PK': ?}") == [
        ("dynamodb:PartiQLInsert", f"{table}/a"),
        ("dynamodb:PartiQLInsert", f"{table}/b"),
    ]
    assert checks_of("INSERT INTO \"a\" VALUE {'PK': ?}", 'DELETE FROM "a" WHERE PK = ?') == []


def test_the_patches_are_for_the_release_that_is_installed() -> None:
    assert version("ministack") == patches.PINNED


def test_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "PINNED", "0.0.0")

    with pytest.raises(SystemExit, match=r"0\.0\.0"):
        patches.apply()
