"""DynamoDB's batch calls, with what they leave undone asked for again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from stamgast.profile.store import MOST_TRIES, Pause, pause_seconds
from stamgast.store_error import StoreError
from stamgast_aws.calls import call
from stamgast_aws.dynamo_values import Item

MOST_READ, MOST_WRITTEN = 100, 25
# What a statement of a batch answers whose condition did not hold.
REFUSED = {"ConditionalCheckFailed", "DuplicateItem"}
# What a statement of a batch may meet and is tried again after (the API's BatchStatementError).
PASSING = {
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
}


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


def scanned(client: Any, table: str, **request: Any) -> Iterator[Item]:
    """Every item of a table that its scan's request asks for."""
    request["TableName"] = table
    while True:
        answer = call(client.scan, **request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def put_items(client: Any, table: str, items: Iterable[Item], pause: Pause) -> None:
    """Puts the items without a condition; of two under one key the last stands."""
    distinct = list({(item["PK"]["S"], item["SK"]["S"]): item for item in items}.values())
    for start in range(0, len(distinct), MOST_WRITTEN):
        part = distinct[start : start + MOST_WRITTEN]
        _write(client, {table: [{"PutRequest": {"Item": item}} for item in part]}, pause)


def insert_items(client: Any, table: str, items: Sequence[Item], pause: Pause) -> list[bool]:
    """Puts each item where none lies under its key; whether each was put.

    A batch of PartiQL's INSERT is the one call that writes many items, each under a condition of
    its own and at the price of a single put. False may also mean that an answer was lost, and the
    call repeated: what lies there is then the very item.
    """
    return carry_out(client, [_insert(table, item) for item in items], pause)


def carry_out(client: Any, statements: Sequence[dict[str, Any]], pause: Pause) -> list[bool]:
    """Carries out statements of PartiQL that write, in batches; whether each condition held."""
    done: list[bool] = []
    for start in range(0, len(statements), MOST_WRITTEN):
        done += _carried_out(client, statements[start : start + MOST_WRITTEN], pause)
    return done


def _carried_out(client: Any, statements: Sequence[dict[str, Any]], pause: Pause) -> list[bool]:
    told: dict[int, bool] = {}
    for attempt in range(1, MOST_TRIES + 1):
        waiting = [place for place in range(len(statements)) if place not in told]
        asked = [statements[place] for place in waiting]
        answer = call(client.batch_execute_statement, Statements=asked)
        for place, one in zip(waiting, answer["Responses"], strict=True):
            code = one.get("Error", {}).get("Code")
            if code is None or code in REFUSED:
                told[place] = code is None
            elif code not in PASSING:
                raise StoreError(code)
        if len(told) == len(statements):
            return [told[place] for place in range(len(statements))]
        pause(pause_seconds(attempt))
    raise StoreError("BatchExecuteStatement left items unwritten")


def _insert(table: str, item: Item) -> dict[str, Any]:
    """The names are the platform's own, never a customer's: no sign in them needs an escape."""
    names = ", ".join(f"'{name}': ?" for name in item)
    return {
        "Statement": f'INSERT INTO "{table}" VALUE {{{names}}}',
        "Parameters": list(item.values()),
    }


def delete_items(client: Any, table: str, items: Iterable[Item], pause: Pause) -> int:
    """Deletes what lies under the keys of these items; how many."""
    keys = {(item["PK"]["S"], item["SK"]["S"]) for item in items}
    distinct = [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in sorted(keys)]
    for start in range(0, len(distinct), MOST_WRITTEN):
        part = distinct[start : start + MOST_WRITTEN]
        _write(client, {table: [{"DeleteRequest": {"Key": key}} for key in part]}, pause)
    return len(distinct)


def _write(client: Any, wanted: Any, pause: Pause) -> None:
    """Has a batch of puts or deletes carried out to its end."""
    for attempt in range(1, MOST_TRIES + 1):
        wanted = call(client.batch_write_item, RequestItems=wanted).get("UnprocessedItems")
        if not wanted:
            return
        pause(pause_seconds(attempt))
    raise StoreError("BatchWriteItem left items undone")
