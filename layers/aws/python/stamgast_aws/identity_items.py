"""Where identity items lie in the table `profiles`, and how persons and pointers are read."""

from collections.abc import Iterable
from typing import Any

from stamgast.identity.codec import pointer_of, root_of
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root
from stamgast_aws.calls import call
from stamgast_aws.dynamo_values import Item, attributes_of

HEAD = "@"


def pointer_key(key: str) -> Item:
    """The key of an identifier's pointer."""
    return {"PK": {"S": f"I#{key}"}, "SK": {"S": HEAD}}


def root_key(person_id: str) -> Item:
    """The key of a person's root."""
    return {"PK": {"S": f"P#{person_id}"}, "SK": {"S": HEAD}}


def pointers_in(items: Iterable[Item]) -> dict[str, Pointer]:
    """The pointers among items of any kind."""
    return {
        key: pointer_of(key, attributes_of(item))
        for item in items
        if item["PK"]["S"].startswith("I#") and item["SK"]["S"] == HEAD
        for key in (item["PK"]["S"][2:],)
    }


def roots_in(items: Iterable[Item]) -> dict[str, Root]:
    """The roots among items of any kind."""
    return {
        person_id: root_of(person_id, attributes_of(item))
        for item in items
        if item["PK"]["S"].startswith("P#") and item["SK"]["S"] == HEAD
        for person_id in (item["PK"]["S"][2:],)
    }


WITHIN, FROM = " AND begins_with(SK, :sk)", " AND SK >= :sk"


def query_partition(
    client: Any,
    table: str,
    pk: Any,
    prefix: Any = None,
    limit: int | None = None,
    since: Any = None,
) -> list[Item]:
    """All items of a partition, or as many as `limit`, strongly read page by page.

    Those alone whose sort key begins with `prefix`, or comes at or after `since`.
    """
    test, value = (FROM, since) if since else (WITHIN, prefix)
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "PK = :pk" + (test if value else ""),
        "ExpressionAttributeValues": {":pk": pk, **({":sk": value} if value else {})},
        "ConsistentRead": True,
    }
    found: list[Item] = []
    while limit is None or len(found) < limit:
        answer = call(client.query, **request)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return found
