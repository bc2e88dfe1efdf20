"""Readers' tokens in the control table: found by digest, remembered for a minute."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.lookup.reader import Reader, token_digest
from stamgast_aws.dynamo_values import attributes_of, item_of

FRESH_SECONDS, UNKNOWN_FRESH_SECONDS = 60.0, 5.0
MOST_REMEMBERED = 1000
PREFIX = "sgr_"


class _Remembered(NamedTuple):
    reader: Reader | None
    until: float


class DynamoTokenStore:
    """Finds readers by token; only the token's SHA-256 is ever stored or remembered."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        self._client, self._table, self._now = client, table, now
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def find(self, token: str) -> Reader | None:
        """The reader of an active token, at most a minute old; None for any other text.

        While the table does not answer, remembered readers go on working; for a token not
        remembered it raises ConnectionError.
        """
        digest = token_digest(token)
        remembered = self._remembered.get(digest)
        if remembered is not None and self._now() < remembered.until:
            return remembered.reader
        try:
            reader = self._read(digest)
        except (BotoCoreError, ClientError) as error:
            if remembered is not None and remembered.reader is not None:
                return remembered.reader
            raise ConnectionError("the control table does not answer") from error
        self._remember(digest, reader)
        return reader

    def issue(self, reader: Reader) -> str:
        """Makes a token for a reader and returns it: it cannot be read again."""
        token = PREFIX + secrets.token_urlsafe(32)
        self.put(token, reader)
        return token

    def put(self, token: str, reader: Reader) -> None:
        """Stores a token's digest with its reader's scope."""
        item = {
            **_key(token_digest(token)),
            "name": reader.name,
            "fields": list(reader.fields),
            "namespaces": list(reader.namespaces),
            "may": list(reader.may),
            "state": "active",
        }
        self._client.put_item(TableName=self._table, Item=item_of(item))

    def revoke(self, token: str) -> bool:
        """Ends a token; False when there is none. Processes forget it within a minute."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=item_of(_key(token_digest(token))),
                UpdateExpression="SET #state = :revoked",
                ConditionExpression="attribute_exists(PK)",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":revoked": {"S": "revoked"}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _read(self, digest: str) -> Reader | None:
        answer = self._client.get_item(TableName=self._table, Key=item_of(_key(digest)))
        if "Item" not in answer:
            return None
        told = attributes_of(answer["Item"])
        if told["state"] != "active":
            return None
        return Reader(
            told["name"],
            tuple(told["fields"]),
            tuple(told["namespaces"]),
            # A token made before there were actions has none.
            tuple(told.get("may", ())),
        )

    def _remember(self, digest: str, reader: Reader | None) -> None:
        seconds = FRESH_SECONDS if reader else UNKNOWN_FRESH_SECONDS
        self._remembered[digest] = _Remembered(reader, self._now() + seconds)
        self._remembered.move_to_end(digest)
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)


def _key(digest: str) -> dict[str, str]:
    return {"PK": f"TOKEN#{digest}", "SK": "@"}
