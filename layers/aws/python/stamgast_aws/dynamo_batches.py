"""DynamoDB's batch calls, with what they leave undone asked for again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from stamgast.profile.store import MOST_TRIES, Pause, pause_seconds
from stamgast.store_error import StoreError
from stamgast_aws.calls import call
from stamgast_aws.dynamo_values import Item

MOST_READ, MOST_WRITTEN = 100, 25


def read_items(client: Any, table: str, keys: Sequence[Item], pause: Pause) -> Iterator[Item]:
    """The items that are there under these keys, read strongly; in no order."""
    for start in range(0, len(keys), MOST_READ):
        part = keys[start : start + MOST_READ]
        wanted: Any = {table: {"Keys": list(part), "ConsistentRead": True}}
        for attempt in range(1, MOST_TRIES + 1):
            answer = call(client.batch_get_item, RequestItems=wanted)
            yield from answer["Responses"].get(table, ())
            if not (wanted := answer.get("UnprocessedKeys")):
                break
            pause(pause_seconds(attempt))
        else:
            raise StoreError("BatchGetItem left items unread")


def put_items(client: Any, table: str, items: Iterable[Item], pause: Pause) -> None:
    """Puts the items without a condition; of two under one key the last stands."""
    distinct = list({(item["PK"]["S"], item["SK"]["S"]): item for item in items}.values())
    for start in range(0, len(distinct), MOST_WRITTEN):
        part = distinct[start : start + MOST_WRITTEN]
        wanted: Any = {table: [{"PutRequest": {"Item": item}} for item in part]}
        for attempt in range(1, MOST_TRIES + 1):
            wanted = call(client.batch_write_item, RequestItems=wanted).get("UnprocessedItems")
            if not wanted:
                break
            pause(pause_seconds(attempt))
        else:
            raise StoreError("BatchWriteItem left items unwritten")


def delete_items(client: Any, table: str, items: Iterable[Item], pause: Pause) -> int:
    """Deletes what lies under the keys of these items; how many."""
    keys = {(item["PK"]["S"], item["SK"]["S"]) for item in items}
    distinct = [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in sorted(keys)]
    for start in range(0, len(distinct), MOST_WRITTEN):
        part = distinct[start : start + MOST_WRITTEN]
        wanted: Any = {table: [{"DeleteRequest": {"Key": key}} for key in part]}
        for attempt in range(1, MOST_TRIES + 1):
            wanted = call(client.batch_write_item, RequestItems=wanted).get("UnprocessedItems")
            if not wanted:
                break
            pause(pause_seconds(attempt))
        else:
            raise StoreError("BatchWriteItem left items undeleted")
    return len(distinct)
