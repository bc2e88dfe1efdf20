"""Issues and revokes the write keys of sources; at most two of a source are active at a time."""

from secrets import token_urlsafe
from typing import Any, Literal

from botocore.exceptions import ClientError

from stamgast.ingestion.write_key import hash_of

MOST_ACTIVE = 2
KEY_BYTES = 24

KeyKind = Literal["public", "secret"]


class TooManyKeysError(Exception):
    """A source already has two active keys: revoke one before another is issued."""


class UnknownKeyError(LookupError):
    """No key has this hash."""


class DynamoSourceRegistry:
    """Writes `SOURCE#<id>` and `KEY#<hash>` items; a key itself is told once and kept nowhere."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def declare(self, source_id: str, name: str, events_per_second: int | None) -> None:
        """Creates a source, or gives one a new name and limit; its keys stay."""
        limit = {"NULL": True} if events_per_second is None else {"N": str(events_per_second)}
        self._client.update_item(
            TableName=self._table,
            Key=_key(f"SOURCE#{source_id}"),
            UpdateExpression="SET #name = :name, events_per_second = :limit",
            ExpressionAttributeNames={"#name": "name"},
            ExpressionAttributeValues={":name": {"S": name}, ":limit": limit},
        )

    def issue(
        self, source_id: str, kind: KeyKind, created_at: str, write_key: str | None = None
    ) -> str:
        """A new active key of the source; raises TooManyKeysError when two are active."""
        write_key = write_key or f"{kind[:3]}_{token_urlsafe(KEY_BYTES)}"
        key_hash = hash_of(write_key)
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": self._new_key(key_hash, source_id, kind, created_at)},
                    {"Update": self._one_more(source_id, key_hash)},
                ]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            raise TooManyKeysError(source_id) from error
        return write_key

    def revoke(self, key_hash: str) -> None:
        """Refuses the key from now on (processes that remember it follow within 30 seconds)."""
        item = self._client.get_item(
            TableName=self._table, Key=_key(f"KEY#{key_hash}"), ConsistentRead=True
        ).get("Item")
        if item is None:
            raise UnknownKeyError(key_hash)
        self._client.transact_write_items(
            TransactItems=[
                {"Update": self._revoked(key_hash)},
                {"Update": self._one_less(item["source_id"]["S"], key_hash)},
            ]
        )

    def active(self, source_id: str) -> list[str]:
        """The hashes of the source's active keys."""
        answer = self._client.get_item(
            TableName=self._table, Key=_key(f"SOURCE#{source_id}"), ConsistentRead=True
        )
        hashes: list[str] = answer.get("Item", {}).get("keys", {}).get("SS", [])
        return sorted(hashes)

    def _new_key(
        self, key_hash: str, source_id: str, kind: KeyKind, created_at: str
    ) -> dict[str, Any]:
        told = {"source_id": source_id, "kind": kind, "state": "active", "created_at": created_at}
        item = {**_key(f"KEY#{key_hash}"), **{name: {"S": value} for name, value in told.items()}}
        return {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(PK)",
        }

    def _one_more(self, source_id: str, key_hash: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": _key(f"SOURCE#{source_id}"),
            "UpdateExpression": "ADD #keys :one",
            "ConditionExpression": "attribute_not_exists(#keys) OR size(#keys) < :most",
            "ExpressionAttributeNames": {"#keys": "keys"},
            "ExpressionAttributeValues": {
                ":one": {"SS": [key_hash]},
                ":most": {"N": str(MOST_ACTIVE)},
            },
        }

    def _revoked(self, key_hash: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": _key(f"KEY#{key_hash}"),
            "UpdateExpression": "SET #state = :revoked",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":revoked": {"S": "revoked"}},
        }

    def _one_less(self, source_id: str, key_hash: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": _key(f"SOURCE#{source_id}"),
            "UpdateExpression": "DELETE #keys :one",
            "ExpressionAttributeNames": {"#keys": "keys"},
            "ExpressionAttributeValues": {":one": {"SS": [key_hash]}},
        }


def _key(partition: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": partition}, "SK": {"S": "@"}}
