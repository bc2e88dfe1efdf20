"""Emulated AWS of the contract suites: moto's tables and queues, made anew for each test."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session
from moto import mock_aws

CONTROL_TABLE = "control"
KEYS = ("PK", "SK")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A botocore session whose clients talk to moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Session()


@pytest.fixture
def control(aws: Session) -> Any:
    """A client of DynamoDB with an empty control table."""
    client = aws.create_client("dynamodb")
    client.create_table(
        TableName=CONTROL_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
    )
    return client
