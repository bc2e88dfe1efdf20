"""Tombstones in the table `control`: erased identifiers and messages, by keyed hash alone.

`ERASED#<last character>`/`<identifier's key>` and `GONE#<last character>`/`<message's key>`: spread
over 32 partitions each, of which the first kind can be read whole.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from stamgast.erasure.tombstones import Tombstone, Tombstones
from stamgast.identity.keys import BASE32
from stamgast.profile.store import Pause
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_batches import put_items, read_items
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed
from stamgast_aws.identity_items import query_partition

ERASED, GONE = "ERASED#", "GONE#"
SCHEMA = 1
# Others' anchors beyond these are not told apart: what names the erased there is suppressed whole.
MOST_APART = 2_000


@dataclass(frozen=True, slots=True)
class DynamoTombstones:
    """The port `TombstoneStore` over a low-level DynamoDB client."""

    client: Any
    table: str
    pause: Pause

    def read(self, keys: Collection[str]) -> Tombstones:
        """The tombstones there are among these identifiers' keys."""
        items = self._items(ERASED, keys)
        return {one.key: one for one in map(tombstone_of, items)}

    def gone(self, message_keys: Collection[str]) -> set[str]:
        """Those of these messages that were erased."""
        return {item["SK"]["S"] for item in self._items(GONE, message_keys)}

    def all(self) -> Tombstones:
        """Every tombstone there is, for a run over the whole lake."""
        return {key: one for last in BASE32 for key, one in self.ending(last).items()}

    def ending(self, last: str) -> Tombstones:
        """The tombstones of identifiers whose keys end in this character: one partition."""
        items = query_partition(self.client, self.table, typed(f"{ERASED}{last}"))
        return {one.key: one for one in map(tombstone_of, items)}

    def put(self, tombstones: Iterable[Tombstone]) -> None:
        """Sets tombstones; one that keeps away for longer stands."""
        for one in tombstones:
            self._put(one)

    def put_gone(self, message_keys: Collection[str]) -> None:
        """Remembers messages as erased."""
        items = [{**_key(GONE, key), "schema": typed(SCHEMA)} for key in sorted(set(message_keys))]
        put_items(self.client, self.table, items, self.pause)

    def take(self, other: "DynamoTombstones") -> None:
        """Takes over what another table knows of erasures; whatever keeps away for longer stands.

        For a table that was put back: what was erased since stands in the one before it alone.
        """
        self.put(other.all().values())
        for last in BASE32:
            partition = typed(f"{GONE}{last}")
            items = query_partition(other.client, other.table, partition)
            self.put_gone([item["SK"]["S"] for item in items])

    def _items(self, kind: str, keys: Collection[str]) -> Iterable[Item]:
        wanted = [_key(kind, key) for key in sorted(set(keys))]
        return read_items(self.client, self.table, wanted, self.pause)

    def _put(self, one: Tombstone) -> None:
        told = {"schema": SCHEMA, "until_ms": one.until_ms}
        apart = sorted(one.apart)[:MOST_APART]
        try:
            call(
                self.client.put_item,
                TableName=self.table,
                Item={**_key(ERASED, one.key), **item_of({**told, "apart": apart})},
                ConditionExpression="attribute_not_exists(PK) OR until_ms <= :until_ms",
                ExpressionAttributeValues={":until_ms": typed(one.until_ms)},
            )
        except ConditionError:
            return


def tombstone_of(item: Item) -> Tombstone:
    """The tombstone that an item tells."""
    told = attributes_of(item)
    return Tombstone(told["SK"], told["until_ms"], frozenset(told["apart"]))


def _key(kind: str, key: str) -> Item:
    return {"PK": {"S": f"{kind}{key[-1]}"}, "SK": {"S": key}}
