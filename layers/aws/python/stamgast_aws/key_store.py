"""Write keys and the limits of their sources, in the control table of DynamoDB."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.write_key import KeyStoreError, Source

ASSURANCE = {"public": Assurance.CLAIMED, "secret": Assurance.VERIFIED}


class DynamoKeyStore:
    """Finds keys by hash: `KEY#<hash>` names the source, `SOURCE#<id>` its limit."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, key_hash: str) -> Source | None:
        """None for an unknown or revoked key; raises KeyStoreError when nothing can be said."""
        key = self._item(f"KEY#{key_hash}")
        if key.get("state", {}).get("S") != "active":
            return None
        source_id = key["source_id"]["S"]
        limit = self._item(f"SOURCE#{source_id}").get("events_per_second", {}).get("N")
        assurance = ASSURANCE[key["kind"]["S"]]
        return Source(source_id, assurance, int(limit) if limit else None)

    def _item(self, partition: str) -> dict[str, Any]:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"PK": {"S": partition}, "SK": {"S": "@"}}
            )
        except (ClientError, BotoCoreError) as error:
            raise KeyStoreError(type(error).__name__) from error
        item: dict[str, Any] = answer.get("Item", {})
        return item
