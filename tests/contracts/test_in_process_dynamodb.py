"""The in-process DynamoDB client answers random operations as moto does."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.fakes.dynamodb import DynamoDB

TABLE = "profiles"
KEYS = st.fixed_dictionaries(
    {
        "PK": st.sampled_from(["a", "b"]).map(lambda s: {"S": s}),
        "SK": st.sampled_from(["@", "E#1", "E#2", "L"]).map(lambda s: {"S": s}),
    }
)
NUMBERS = st.integers(-3, 12).map(lambda n: {"N": str(n)})
TEXTS = st.sampled_from(["", "x", "xy", "y", "é"]).map(lambda s: {"S": s})
SETS = st.sets(st.sampled_from("pqr"), min_size=1).map(lambda s: {"SS": sorted(s)})
LISTS = st.lists(NUMBERS | TEXTS, max_size=3).map(lambda v: {"L": v})
MAPS = st.dictionaries(st.sampled_from(["k", "m"]), NUMBERS | TEXTS, max_size=2).map(
    lambda v: {"M": v}
)
BODY = st.fixed_dictionaries(
    {},
    optional={"n": NUMBERS, "t": TEXTS, "s": SETS, "l": LISTS, "m": MAPS, "v": NUMBERS},
)
CONDITIONS: list[tuple[str, dict[str, str]]] = [
    ("attribute_not_exists(PK)", {}),
    ("attribute_exists(n)", {}),
    ("v = :n", {}),
    ("n >= :n AND (attribute_not_exists(t) OR t = :t)", {}),
    ("NOT contains(s, :p)", {}),
    ("begins_with(t, :t) OR (attribute_exists(l) AND size(l) > :n)", {}),
    ("#n BETWEEN :n AND :m", {"#n": "n"}),
    ("t IN (:t, :p) AND attribute_exists(t)", {}),
    ("m.k < :n OR l[0] = :n", {}),
    ("attribute_type(l, :list)", {}),
]
UPDATES: list[tuple[str, dict[str, str]]] = [
    ("SET n = :n", {}),
    ("SET n = if_not_exists(n, :m) + :n, v = :m", {}),
    ("SET n = n - :n", {}),
    ("SET l = list_append(if_not_exists(l, :l), :l) REMOVE t", {}),
    ("SET #m.#k = :t", {"#m": "m", "#k": "k"}),
    ("ADD v :n, s :s", {}),
    ("DELETE s :s SET t = :t", {}),
    ("REMOVE l[0], m.k", {}),
    ("SET t = n", {}),
    ("SET PK = :t", {}),
]


@st.composite
def values(draw: Any, *texts: str) -> dict[str, Any]:
    """Values for exactly the placeholders that these expressions name."""
    given_values = {
        ":n": NUMBERS,
        ":m": NUMBERS,
        ":t": TEXTS,
        ":p": st.sampled_from("pqr").map(lambda s: {"S": s}),
        ":s": SETS,
        ":l": LISTS,
        ":list": st.just({"S": "L"}),
    }
    found = {}
    for name, strategy in given_values.items():
        words = " ".join(texts).replace("(", " ").replace(")", " ").replace(",", " ").split()
        if name in words:
            found[name] = draw(strategy)
    return found


@st.composite
def writes(draw: Any) -> tuple[str, dict[str, Any]]:
    """One Put, Update, Delete or ConditionCheck with a condition at times."""
    action = draw(st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]))
    request: dict[str, Any] = {"TableName": TABLE}
    key, texts, names = draw(KEYS), [], dict[str, str]()
    request |= {"Item": key | draw(BODY)} if action == "Put" else {"Key": key}
    if action == "ConditionCheck" or draw(st.booleans()):
        text, more = draw(st.sampled_from(CONDITIONS))
        request["ConditionExpression"] = text
        texts.append(text)
        names |= more
    if action == "Update":
        text, more = draw(st.sampled_from(UPDATES))
        request["UpdateExpression"] = text
        texts.append(text)
        names |= more
    if held := draw(values(*texts)):
        request["ExpressionAttributeValues"] = held
    if names:
        request["ExpressionAttributeNames"] = names
    return action, request


@st.composite
def operations(draw: Any) -> tuple[str, dict[str, Any]]:
    """One call of the client with its parameters."""
    which = draw(st.sampled_from(["write", "write", "write", "transact", "get", "batch", "query"]))
    if which == "write":
        action, request = draw(writes().filter(lambda w: w[0] != "ConditionCheck"))
        if draw(st.booleans()):
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        request["ReturnValues"] = draw(
            st.sampled_from(["NONE", "ALL_OLD"] + (["ALL_NEW"] if action == "Update" else []))
        )
        return f"{action.lower()}_item", request
    if which == "transact":
        entries = draw(st.lists(writes(), min_size=1, max_size=3))
        places = [str((e[1].get("Key") or e[1]["Item"])["PK"]) for e in entries]
        places = [
            p + str((e[1].get("Key") or e[1]["Item"])["SK"])
            for p, e in zip(places, entries, strict=True)
        ]
        entries = [e for n, e in enumerate(entries) if places[n] not in places[:n]]
        return "transact_write_items", {"TransactItems": [{a: r} for a, r in entries]}
    if which == "get":
        request = {"TableName": TABLE, "Key": draw(KEYS), "ConsistentRead": True}
        if draw(st.booleans()):
            request |= {
                "ProjectionExpression": "#n, m.k, PK",
                "ExpressionAttributeNames": {"#n": "n"},
            }
        return "get_item", request
    if which == "batch":
        keys = draw(st.lists(KEYS, min_size=1, max_size=4, unique_by=str))
        return "batch_get_item", {"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": True}}}
    request = {
        "TableName": TABLE,
        "KeyConditionExpression": draw(
            st.sampled_from(
                ["PK = :a", "PK = :a AND begins_with(SK, :e)", "PK = :a AND SK BETWEEN :e AND :z"]
            )
        ),
        "ScanIndexForward": draw(st.booleans()),
        "ConsistentRead": True,
    }
    held = {":a": {"S": draw(st.sampled_from("ab"))}, ":e": {"S": "E#"}, ":z": {"S": "E#1"}}
    request["ExpressionAttributeValues"] = {
        k: v for k, v in held.items() if k in request["KeyConditionExpression"].replace(")", " ")
    }
    if draw(st.booleans()):
        request["Limit"] = draw(st.integers(1, 3))
    if draw(st.booleans()):
        request |= {"FilterExpression": "n > :n"}
        request["ExpressionAttributeValues"] |= {":n": {"N": "2"}}
    return "query", request


def normal(value: Any) -> Any:
    """An answer without what differs by nature: metadata, order of sets, order of a batch."""
    if isinstance(value, dict):
        ignored = {"ResponseMetadata", "Message", "ConsumedCapacity", "ItemCollectionMetrics"}
        kept = {k: normal(v) for k, v in value.items() if k not in ignored}
        return {k: sorted(v) if k == "SS" else v for k, v in kept.items()}
    return [normal(v) for v in value] if isinstance(value, list) else value


def pages(client: Any, request: dict[str, Any]) -> Iterator[Any]:
    """All items of a query in their order, page after page."""
    while True:
        answer = client.query(**request)
        yield from normal(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def outcome(client: Any, name: str, request: dict[str, Any]) -> Any:
    """What a call returns, or the code (and the reasons) of its error."""
    try:
        answer = normal(getattr(client, name)(**request))
        if name == "query":
            return list(pages(client, request))
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        held = error.response.get("Item")
        return error.response["Error"]["Code"], normal(reasons), normal(held)
    if name == "batch_get_item":
        answer["Responses"][TABLE].sort(key=lambda item: json.dumps(item, sort_keys=True))
    return answer


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "dynamodb",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield client


def fresh(client: Any) -> None:
    if TABLE in client.list_tables()["TableNames"]:
        client.delete_table(TableName=TABLE)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
    )


@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(operations(), min_size=4, max_size=16))
def test_random_operations_end_as_they_do_on_moto(moto_client: Any, steps: Any) -> None:
    fresh(moto_client)
    memory = DynamoDB(TABLE, strict=True)
    for name, request in steps:
        assert outcome(memory, name, request) == outcome(moto_client, name, request), (
            name,
            request,
        )
