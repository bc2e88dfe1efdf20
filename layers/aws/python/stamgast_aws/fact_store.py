"""The facts items of the table `profiles`: live (`L`), base (`B`) and timeline (`X`)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stamgast.profile.base_codec import base_attributes, base_of
from stamgast.profile.items import Base, Live
from stamgast.profile.live_codec import live_attributes, live_of
from stamgast.profile.store import Pair, Pause
from stamgast.profile.timeline import Entry, entry_attributes, entry_of_attributes, is_expired
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_batches import put_items, read_items
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed

LIVE, BASE, ENTRY = "L", "B", "X#"


class Window(NamedTuple):
    """The part `[since_ms, until_ms)` of a timeline, newest first unless it is ascending."""

    since_ms: int = 0
    until_ms: int | None = None
    is_ascending: bool = False

    def keys(self, after: str | None) -> tuple[str, str]:
        """The lowest and the highest sort key of what is left behind `after`, that one included."""
        low = f"{ENTRY}{self.since_ms:015d}"
        high = f"{ENTRY}{self.until_ms:015d}" if self.until_ms is not None else f"{ENTRY}~"
        if after is None:
            return low, high
        return (max(low, after), high) if self.is_ascending else (low, min(high, after))


ALL = Window()


def partition_of(anchor: str) -> str:
    """The partition key under which an identifier's items lie."""
    return f"I#{anchor}"


def facts_keys(anchor: str) -> list[Item]:
    """The keys of an anchor's live and base items."""
    return [key_of(anchor, LIVE), key_of(anchor, BASE)]


def key_of(anchor: str, sort_key: str) -> Item:
    """The key of one item of an anchor."""
    return {"PK": {"S": partition_of(anchor)}, "SK": {"S": sort_key}}


def pairs_of(anchors: Iterable[str], items: Iterable[Item]) -> dict[str, Pair]:
    """The pair of each anchor among items of any kind; an empty one where there is none."""
    found = {(item["PK"]["S"], item["SK"]["S"]): item for item in items}
    return {
        anchor: _pair(found.get((pk, LIVE)), found.get((pk, BASE)))
        for anchor in anchors
        for pk in (partition_of(anchor),)
    }


@dataclass(frozen=True, slots=True)
class DynamoFactStore:
    """The port `FactStore` over a low-level DynamoDB client."""

    client: Any
    table: str
    pause: Pause

    def read(self, anchors: Sequence[str]) -> Mapping[str, Pair]:
        """Both items of each anchor, strongly read; empty ones for what is absent."""
        keys = [key for anchor in dict.fromkeys(anchors) for key in facts_keys(anchor)]
        return pairs_of(anchors, read_items(self.client, self.table, keys, self.pause))

    def put_live(self, anchor: str, live: Live) -> bool:
        """Writes the live item if the stored version is the one before."""
        before = live.version - 1
        condition = "#v = :before" if before else "attribute_not_exists(PK)"
        more = {":before": typed(before)} if before else {}
        return self._update(key_of(anchor, LIVE), live_attributes(live), condition, more)

    def put_base(self, anchor: str, base: Base) -> bool:
        """Writes the base item if the stored one is of an older run."""
        condition = "attribute_not_exists(PK) OR #run < :run"
        return self._update(key_of(anchor, BASE), base_attributes(base), condition, {})

    def put_entries(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Writes timeline items, each under its anchor, without a condition."""
        items = (
            {**key_of(anchor, entry_key(entry)), **item_of(entry_attributes(entry))}
            for anchor, entry in entries
        )
        put_items(self.client, self.table, items, self.pause)

    def entries(
        self, anchor: str, now_ms: int, after: str | None = None, window: Window = ALL
    ) -> Iterator[Entry]:
        """The anchor's unexpired entries of a window by the client's own time, in its order.

        `after` is the `entry_key` behind which to go on.
        """
        low, high = window.keys(after)
        request = self._entries_request(anchor, low, high, is_ascending=window.is_ascending)
        while low <= high:
            answer = call(self.client.query, **request)
            items = (item for item in answer["Items"] if item["SK"]["S"] != after)
            read = (entry_of_attributes(attributes_of(item)) for item in items)
            yield from (entry for entry in read if not is_expired(entry, now_ms))
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _entries_request(
        self, anchor: str, low: str, high: str, *, is_ascending: bool
    ) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "KeyConditionExpression": "PK = :pk AND SK BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":pk": typed(partition_of(anchor)),
                ":low": typed(low),
                ":high": typed(high),
            },
            "ScanIndexForward": is_ascending,
            "Limit": 100,
        }

    def _update(self, key: Item, attributes: Mapping[str, Any], condition: str, more: Item) -> bool:
        """One conditional update; False when its condition did not hold."""
        sets = ", ".join(f"#{name} = :{name}" for name in attributes)
        values = {f":{name}": value for name, value in item_of(attributes).items()}
        try:
            call(
                self.client.update_item,
                TableName=self.table,
                Key=key,
                UpdateExpression=f"SET {sets}",
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in attributes},
                ExpressionAttributeValues={**values, **more},
            )
        except ConditionError:
            return False
        return True


def entry_key(entry: Entry) -> str:
    """`X#<original time, 15 digits>#<message key>`: every copy of a message meets here."""
    return f"{ENTRY}{max(entry.original_ms, 0):015d}#{entry.message_key}"


def _pair(live: Item | None, base: Item | None) -> Pair:
    return Pair(
        live_of(attributes_of(live)) if live else Live(),
        base_of(attributes_of(base)) if base else Base(),
    )
