"""Each patch of the pinned emulator mends what it says, and is still needed."""

import json
import random
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from ministack.core import iam_actions
from ministack.services import _dynamodb_keywords, dynamodb, s3
from ministack.services.cloudformation import provisioners

from stamgast_cli.local import patches

READ_ONCE = [
    (s3, "_crc64nvme"),
    (dynamodb, "_condition_syntax_error"),
    (dynamodb, "_ddb_canonicalize_number"),
    (dynamodb, "_number_error"),
    (dynamodb, "_tokenize"),
    (_dynamodb_keywords, "_tokenize"),
]
ARN = "arn:aws:glue:us-east-1:000000000000"


@pytest.fixture
def _restored() -> Iterator[None]:
    named, checked = iam_actions.extract_resource_arn, iam_actions.dynamodb_transaction_checks
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    read = {(module, name): getattr(module, name) for module, name in READ_ONCE}
    yield
    for (module, name), function in read.items():
        setattr(module, name, function)
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"] = handlers
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
def test_a_batch_of_writes_is_checked_as_what_each_does_to_the_table_it_names() -> None:
    patches.apply()

    table = "arn:aws:dynamodb:us-east-1:000000000000:table"
    insert, update = "INSERT INTO \"a\" VALUE {'PK': ?}", 'UPDATE "b" REMOVE "x" WHERE "PK" = ?'
    assert checks_of(insert, update) == [
        ("dynamodb:PartiQLInsert", f"{table}/a"),
        ("dynamodb:PartiQLUpdate", f"{table}/b"),
    ]
    assert checks_of("INSERT INTO \"a\" VALUE {'PK': ?}", 'DELETE FROM "a" WHERE PK = ?') == []


LOCKED = {
    "ObjectLockEnabled": True,
    "ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}},
}


def made(name: str) -> object:
    create = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["create"]
    create("Bucket", {"BucketName": name, **LOCKED}, "stack")
    return s3._bucket_object_lock.get(name)


def test_the_emulator_alone_drops_a_buckets_lock() -> None:
    assert made("unlocked") is None


@pytest.mark.usefixtures("_restored")
def test_a_bucket_keeps_the_lock_of_its_template() -> None:
    patches.apply()

    lock = {"enabled": True, "default_retention": {"Mode": "GOVERNANCE", "Days": 1}}
    assert made("locked") == lock


def test_the_patches_are_for_the_release_that_is_installed() -> None:
    assert version("ministack") == patches.PINNED


def test_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "PINNED", "0.0.0")

    with pytest.raises(SystemExit, match=r"0\.0\.0"):
        patches.apply()


def readings(expression: str) -> list[object]:
    """What the emulator reads in an expression, twice over, and whether both are one object."""
    one, other = dynamodb._tokenize(expression), dynamodb._tokenize(expression)
    fault = dynamodb._condition_syntax_error(expression, "ConditionExpression")
    return [one, other, one is other, fault, dynamodb._number_error(expression)]


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize(
    "expression", ["attribute_not_exists(PK) OR #state = :closed", "a = = b", "SET a = :a + :b"]
)
def test_an_expression_that_was_read_before_is_read_as_at_first(expression: str) -> None:
    alone = readings(expression)
    patches.apply()

    assert readings(expression) == readings(expression) == alone
    assert dynamodb._number_error.cache_info().hits == 1


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("size", [0, 1, 9, 255, 4_097, 100_003])
def test_bytes_that_are_checked_together_have_the_check_of_those_read_one_by_one(size: int) -> None:
    body = random.Random(size).randbytes(size)
    alone = s3._crc64nvme(body)
    patches.apply()

    assert s3._crc64nvme(body) == alone


def test_the_emulator_alone_reads_each_expression_anew() -> None:
    assert not hasattr(dynamodb._number_error, "cache_info")
