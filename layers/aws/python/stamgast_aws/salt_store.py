"""The salts of the audit log in the table `control`: one a person, gone with the person."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from secrets import token_bytes
from typing import Any

from stamgast.egress.pseudonyms import NOBODY, pseudonym
from stamgast.profile.store import Pause
from stamgast_aws.calls import call
from stamgast_aws.dynamo_batches import read_items, scanned
from stamgast_aws.dynamo_values import Item

PREFIX = "SALT#"
SALT_BYTES = 16
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class DynamoSalts:
    """The port `Salts` over a low-level DynamoDB client."""

    client: Any
    table: str
    fresh: Callable[[int], bytes] = token_bytes

    def of(self, names: Sequence[str]) -> dict[str, bytes]:
        """The salt of each: one write a name, whether it was there or not."""
        distinct = sorted(set(names))
        if len(distinct) == 1:  # the path of most look-ups, which needs no thread
            return {distinct[0]: self._salt(distinct[0])}
        return dict(zip(distinct, _threads().map(self._salt, distinct), strict=True))

    def persons(self) -> Iterator[tuple[str, str]]:
        """Every person who has a salt, each with what stands for them in the log."""
        asked = {
            "FilterExpression": "begins_with(PK, :salt)",
            "ExpressionAttributeValues": {":salt": {"S": PREFIX}},
        }
        for item in scanned(self.client, self.table, **asked):
            name = item["PK"]["S"].removeprefix(PREFIX)
            if not name.startswith(NOBODY):
                yield name, pseudonym(item["salt"]["B"], name)

    def known(self, person_ids: Iterable[str], pause: Pause) -> dict[str, bytes]:
        """The salts of those of these persons who have one."""
        items = self.items(person_ids, pause)
        return {item["PK"]["S"].removeprefix(PREFIX): item["salt"]["B"] for item in items}

    def items(self, person_ids: Iterable[str], pause: Pause) -> Iterator[Item]:
        """The items of these persons that are there."""
        keys = [_key(name) for name in sorted(set(person_ids))]
        return read_items(self.client, self.table, keys, pause)

    def _salt(self, name: str) -> bytes:
        answer = call(
            self.client.update_item,
            TableName=self.table,
            Key=_key(name),
            UpdateExpression="SET salt = if_not_exists(salt, :fresh)",
            ExpressionAttributeValues={":fresh": {"B": self.fresh(SALT_BYTES)}},
            ReturnValues="ALL_NEW",
        )
        salt: bytes = answer["Attributes"]["salt"]["B"]
        return salt


def _key(name: str) -> Item:
    return {"PK": {"S": f"{PREFIX}{name}"}, "SK": {"S": "@"}}


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE)
