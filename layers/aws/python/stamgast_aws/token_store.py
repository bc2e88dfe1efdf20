"""Readers' tokens in the control table: found by digest, remembered for a minute."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.lookup.reader import Reader, covers, token_digest
from stamgast_aws.dynamo_values import attributes_of, item_of

FRESH_SECONDS, UNKNOWN_FRESH_SECONDS = 60.0, 5.0
MOST_REMEMBERED = 1000
PREFIX = "sgr_"
KEY = "TOKEN#"
SHOWN = 12


class _Remembered(NamedTuple):
    reader: Reader | None
    until: float


class DynamoTokenStore:
    """Finds readers by token; only the token's SHA-256 is ever stored or remembered.

    `now` times what is remembered, `clock` (seconds since 1970) what has expired.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        now: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._table, self._now, self._clock = client, table, now, clock
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def find(self, token: str) -> Reader | None:
        """The reader of an active token, at most a minute old; None for any other text.

        One that has expired is no token, from that second on.

        While the table does not answer, remembered readers go on working; for a token not
        remembered it raises ConnectionError.
        """
        reader = self._found(token_digest(token))
        if reader is None or reader.expires_s is None or self._clock() < reader.expires_s:
            return reader
        return None

    def _found(self, digest: str) -> Reader | None:
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
        item: dict[str, Any] = {
            **_key(token_digest(token)),
            "name": reader.name,
            "fields": list(reader.fields),
            "namespaces": list(reader.namespaces),
            "may": list(reader.may),
            "purposes": list(reader.purposes),
            "state": "active",
        }
        if reader.expires_s is not None:
            item["expires_s"] = reader.expires_s
        self._client.put_item(TableName=self._table, Item=item_of(item))

    def rotate(self, token: str, overlap_seconds: int, more: Sequence[str] = ()) -> str | None:
        """A new token of the same scope, and of `more` fields; None for no token.

        The old one ends after the overlap.
        """
        reader = self._read(token_digest(token))
        if reader is None:
            return None
        ends_s = int(self._clock()) + overlap_seconds
        if reader.expires_s is not None and reader.expires_s <= self._clock():
            return None
        added = tuple(one for one in more if not covers(reader.fields, one))
        fresh = self.issue(replace(reader, fields=(*reader.fields, *added)))
        self.put(token, replace(reader, expires_s=min(ends_s, reader.expires_s or ends_s)))
        return fresh

    def listed(self) -> Iterator[tuple[str, str, Reader]]:
        """Every token: the first signs of its digest, its state, and its reader."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="begins_with(PK, :token)",
            ExpressionAttributeValues={":token": {"S": KEY}},
        )
        for page in pages:
            for item in page["Items"]:
                told = attributes_of(item)
                digest = str(item["PK"]["S"]).removeprefix(KEY)
                yield digest[:SHOWN], told["state"], _reader(told)

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
        return _reader(told)

    def _remember(self, digest: str, reader: Reader | None) -> None:
        seconds = FRESH_SECONDS if reader else UNKNOWN_FRESH_SECONDS
        self._remembered[digest] = _Remembered(reader, self._now() + seconds)
        self._remembered.move_to_end(digest)
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)


def _key(digest: str) -> dict[str, str]:
    return {"PK": f"{KEY}{digest}", "SK": "@"}


def _reader(told: dict[str, Any]) -> Reader:
    """A token made before there were actions, purposes or ends has none."""
    expires_s = told.get("expires_s")
    return Reader(
        told["name"],
        tuple(told["fields"]),
        tuple(told["namespaces"]),
        tuple(told.get("may", ())),
        tuple(told.get("purposes", ())),
        expires_s=None if expires_s is None else int(expires_s),
    )
