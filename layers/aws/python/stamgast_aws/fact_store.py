"""The facts items of the table `profiles`: live (`L`), base (`B`) and timeline (`X`)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stamgast.profile.base_codec import base_attributes, base_of
from stamgast.profile.items import Base, Live
from stamgast.profile.live_codec import live_attributes, live_of
from stamgast.profile.store import Pair, Pause
from stamgast.profile.timeline import Entry, is_expired
from stamgast.profile.timeline_items import PREFIX, SPAN_MS, entries_of, in_order, items_of
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_batches import insert_items, put_items, read_items
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed

LIVE, BASE = "L", "B"


class Window(NamedTuple):
    """The part `[since_ms, until_ms)` of a timeline, newest first unless it is ascending."""

    since_ms: int = 0
    until_ms: int | None = None
    is_ascending: bool = False

    def keys(self, after: str | None) -> tuple[str, str]:
        """The lowest and the highest sort key of the items that may hold lines behind `after`.

        An item stands under its newest line, so it may reach down into the window from above.
        """
        until_ms = self.until_ms
        if after is not None and not self.is_ascending:
            after_ms = int(after[len(PREFIX) :].partition("#")[0])
            until_ms = min(after_ms + 1, after_ms + 1 if until_ms is None else until_ms)
        low = f"{PREFIX}{self.since_ms:015d}"
        high = f"{PREFIX}~" if until_ms is None else f"{PREFIX}{until_ms + SPAN_MS:015d}"
        return (max(low, after), high) if after is not None and self.is_ascending else (low, high)

    def takes(self, place: str, after: str | None) -> bool:
        """Whether a line at this place is within the window, and behind `after`."""
        if place < f"{PREFIX}{self.since_ms:015d}":
            return False
        if self.until_ms is not None and place >= f"{PREFIX}{self.until_ms:015d}":
            return False
        return after is None or (place > after if self.is_ascending else place < after)


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

    def insert(self, items: Sequence[tuple[str, Live | Base]]) -> list[bool]:
        """Writes items of anchors that have none of that kind; False where one stands."""
        told = [_item(anchor, facts) for anchor, facts in items]
        return insert_items(self.client, self.table, told, self.pause)

    def put_entries(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Writes timeline items, each under its anchor, without a condition."""
        told: dict[str, list[Entry]] = {}
        for anchor, entry in entries:
            told.setdefault(anchor, []).append(entry)
        items = (
            {**key_of(anchor, sort_key), **item_of(attributes)}
            for anchor, lines in told.items()
            for sort_key, attributes in items_of(lines)
        )
        put_items(self.client, self.table, items, self.pause)

    def entries(
        self, anchor: str, now_ms: int, after: str | None = None, window: Window = ALL
    ) -> Iterator[Entry]:
        """The anchor's unexpired entries of a window by the client's own time, in its order.

        `after` is the `place_of` the entry behind which to go on.
        """
        stored = self._stored(anchor, *window.keys(after), is_ascending=window.is_ascending)
        for place, entry in in_order(stored, is_ascending=window.is_ascending):
            if entry.is_void or is_expired(entry, now_ms):
                continue
            if window.takes(place, after):
                yield entry

    def lines_of(
        self, anchor: str, message_key: str, since_ms: int, until_ms: int | None
    ) -> Iterator[Entry]:
        """What the anchor's timeline tells of a message within `[since_ms, until_ms)`."""
        told = self.entries(anchor, 0, None, Window(since_ms, until_ms))
        return (entry for entry in told if entry.message_key == message_key)

    def _stored(
        self, anchor: str, low: str, high: str, *, is_ascending: bool
    ) -> Iterator[tuple[str, list[Entry]]]:
        """Sort keys and lines of an anchor's timeline items, page after page."""
        request = self._entries_request(anchor, low, high, is_ascending=is_ascending)
        while low <= high:
            answer = call(self.client.query, **request)
            for item in answer["Items"]:
                yield item["SK"]["S"], entries_of(attributes_of(item))
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


def _item(anchor: str, facts: Live | Base) -> Item:
    if isinstance(facts, Live):
        return {**key_of(anchor, LIVE), **item_of(live_attributes(facts))}
    return {**key_of(anchor, BASE), **item_of(base_attributes(facts))}


def _pair(live: Item | None, base: Item | None) -> Pair:
    return Pair(
        live_of(attributes_of(live)) if live else Live(),
        base_of(attributes_of(base)) if base else Base(),
    )
