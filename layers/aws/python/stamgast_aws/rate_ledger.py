"""The shared count of events by source and second, in the control table of DynamoDB."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from stamgast.ingestion.rate import RateLedgerError

KEPT_SECONDS = 3_600


class DynamoRateLedger:
    """Adds to `RATE#<source>#<second>`; items expire after an hour."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, source_id: str, second: int, events: int) -> int:
        """The count after adding; raises RateLedgerError when it cannot be had."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"PK": {"S": f"RATE#{source_id}#{second}"}, "SK": {"S": "@"}},
                UpdateExpression="ADD events :events SET #ttl = :ttl",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":events": {"N": str(events)},
                    ":ttl": {"N": str(second + KEPT_SECONDS)},
                },
                ReturnValues="UPDATED_NEW",
            )
        except (ClientError, BotoCoreError) as error:
            raise RateLedgerError(type(error).__name__) from error
        return int(answer["Attributes"]["events"]["N"])
