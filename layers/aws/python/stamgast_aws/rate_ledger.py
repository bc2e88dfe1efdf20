"""The shared count of events by source and second, in the control table of DynamoDB."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.ingestion.rate import RateLedgerError

KEPT_SECONDS = 3_600
Key = dict[str, dict[str, str]]


class DynamoRateLedger:
    """Adds to `RATE#<source>#<second>`; items expire after an hour."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, source_id: str, second: int, events: int) -> int:
        """The larger of this second's count after adding and the last second's, now complete.

        Raises RateLedgerError when it cannot be had.
        """
        try:
            return max(
                self._add(_key(source_id, second), events, second + KEPT_SECONDS),
                self._count(_key(source_id, second - 1)),
            )
        except (ClientError, BotoCoreError) as error:
            raise RateLedgerError(type(error).__name__) from error

    def _add(self, key: Key, events: int, ttl: int) -> int:
        answer = self._client.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression="ADD events :events SET #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":events": {"N": str(events)}, ":ttl": {"N": str(ttl)}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["events"]["N"])

    def _count(self, key: Key) -> int:
        answer = self._client.get_item(TableName=self._table, Key=key)
        return int(answer.get("Item", {}).get("events", {"N": "0"})["N"])


def _key(source_id: str, second: int) -> Key:
    return {"PK": {"S": f"RATE#{source_id}#{second}"}, "SK": {"S": "@"}}
