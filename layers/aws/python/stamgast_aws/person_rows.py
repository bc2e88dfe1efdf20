"""The rows of persons that runs write: `P#person` with `R#rfm` and its like."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stamgast.profile.schema import SCHEMA
from stamgast.profile.store import Pause
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_batches import insert_items
from stamgast_aws.dynamo_values import item_of, typed
from stamgast_aws.identity_items import root_key
from stamgast_aws.jitter import full_jitter

THREADS = 8
NOT_NEWER = "attribute_not_exists(PK) OR #run <= :run"


class DynamoPersonRows:
    """The port `PersonRows` over a low-level DynamoDB client."""

    def __init__(self, client: Any, table: str, pause: Pause) -> None:
        self._client, self._table, self._pause = client, table, pause

    def insert(self, rows: Sequence[Any], run: int) -> list[Any]:
        """Writes rows, each with attributes, where none stands; returns those that found one."""
        items = [{**_key(row), **_item(row.attributes, run)} for row in rows]
        done = insert_items(self._client, self._table, items, self._pause)
        return [row for row, is_done in zip(rows, done, strict=True) if not is_done]

    def put(self, row: Any, run: int) -> bool:
        """Writes the row, or deletes it without attributes, unless a newer run wrote it."""
        key = _key(row)
        condition = {
            "TableName": self._table,
            "ConditionExpression": NOT_NEWER,
            "ExpressionAttributeNames": {"#run": "run"},
            "ExpressionAttributeValues": {":run": typed(run)},
        }
        try:
            if row.attributes is None:
                call(self._client.delete_item, Key=key, **condition)
            else:
                call(self._client.put_item, Item={**key, **_item(row.attributes, run)}, **condition)
        except ConditionError:
            return False
        return True


def put_rows(client: Any, table: str, rows: Iterable[Any], run: int) -> int:
    """Writes rows, eight at a time; how many no newer run had written."""
    store = DynamoPersonRows(client, table, full_jitter)
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(lambda row: store.put(row, run), rows))


def _key(row: Any) -> dict[str, Any]:
    return {**root_key(row.person_id), "SK": {"S": row.sort_key}}


def _item(attributes: Mapping[str, Any], run: int) -> dict[str, Any]:
    return item_of({"schema": SCHEMA, "run": run, **attributes})
