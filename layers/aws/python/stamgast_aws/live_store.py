"""Where live rules read persons and write standings: items `M#` and `LIVE` of `profiles`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from stamgast.identity.codec import root_of
from stamgast.moments import iso_of, parse_iso
from stamgast.profile.schema import SCHEMA
from stamgast.profile.store import Pair, Pause
from stamgast.segments.changes import ENTERED, MembershipChange
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.standing import Standing
from stamgast.segments.live.store import Someone
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.coverage_item import read_coverage, write_coverage
from stamgast_aws.dynamo_batches import carry_out, insert_items, read_items
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.identity_items import (
    HEAD,
    pointer_key,
    pointers_in,
    query_partition,
    root_key,
)

MEMBERSHIP = "M#"
MARKED = (
    'UPDATE "{table}" REMOVE "untold" WHERE "PK" = ? AND "SK" = ? AND "since" = ? AND "state" = ?'
)
NOBODY_SAW_MORE = (
    "(attribute_not_exists(seen) OR seen < :seen OR (seen = :seen AND moment <= :moment))"
)


@dataclass(frozen=True, slots=True)
class DynamoLiveStore:
    """The port `LiveStore` over a low-level DynamoDB client."""

    client: Any
    table: str
    executor: Executor
    pause: Pause

    def persons_of(self, anchors: Iterable[str]) -> Mapping[str, str]:
        """The person that each of these identifiers' pointers names."""
        keys = [pointer_key(anchor) for anchor in sorted(set(anchors))]
        found = pointers_in(read_items(self.client, self.table, keys, self.pause))
        return {key: pointer.person_id for key, pointer in found.items()}

    def people(self, person_ids: Sequence[str]) -> Mapping[str, Someone]:
        """Each of these persons, several read at a time."""
        return dict(zip(person_ids, self.executor.map(self._someone, person_ids), strict=True))

    def people_with(self, wanted: Mapping[str, Iterable[str]]) -> Mapping[str, Someone]:
        """Each of these persons with the standings of these segments alone, many at a time."""
        keys = [key for person_id, names in wanted.items() for key in _keys(person_id, names)]
        told: defaultdict[str, list[Item]] = defaultdict(list)
        for item in read_items(self.client, self.table, keys, self.pause):
            told[item["PK"]["S"]].append(item)
        return {who: _someone(who, told[root_key(who)["PK"]["S"]]) for who in wanted}

    def read(self, anchors: Sequence[str]) -> Mapping[str, Pair]:
        """Both items of each anchor, strongly read."""
        return DynamoFactStore(self.client, self.table, self.pause).read(anchors)

    def put_standing(self, standing: Standing, was: Standing | None) -> bool:
        """Writes the item in the place of `was`, unless one who saw more wrote it."""
        condition, names, values = _unchanged(was)
        try:
            call(
                self.client.put_item,
                TableName=self.table,
                Item=_item(standing),
                ConditionExpression=condition,
                **({"ExpressionAttributeNames": names} if names else {}),
                **({"ExpressionAttributeValues": {**values, **_weight(standing)}} if was else {}),
            )
        except ConditionError:
            return False
        return True

    def insert_standings(self, standings: Sequence[Standing]) -> Sequence[bool]:
        """Writes the items, many at a time, each if none stands there."""
        items = [_item(standing) for standing in standings]
        return insert_items(self.client, self.table, items, self.pause)

    def mark_told(self, standing: Standing) -> None:
        """Takes the note away that the change is untold, if it still stands."""
        try:
            call(
                self.client.update_item,
                TableName=self.table,
                Key=_key(standing.change),
                UpdateExpression="REMOVE untold",
                ConditionExpression="since = :since AND #state = :state",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":since": typed(iso_of(standing.change.at_ms)),
                    ":state": typed(standing.change.change),
                },
            )
        except ConditionError:
            return

    def mark_all_told(self, standings: Sequence[Standing]) -> None:
        """The same of many at a time."""
        statement = MARKED.format(table=self.table)
        told = [{"Statement": statement, "Parameters": _as_it_is(one)} for one in standings]
        carry_out(self.client, told, self.pause)

    def coverage(self) -> Coverage:
        """What runs have published of measures."""
        return read_coverage(self.client, self.table)

    def put_coverage(self, coverage: Coverage) -> None:
        """Says what runs have published of measures."""
        write_coverage(self.client, self.table, coverage)

    def _someone(self, person_id: str) -> Someone:
        pk = root_key(person_id)["PK"]
        return _someone(person_id, query_partition(self.client, self.table, pk))


def _someone(person_id: str, items: Iterable[Item]) -> Someone:
    """The person that items of a partition tell of."""
    told = {item["SK"]["S"]: attributes_of(item) for item in items}
    head = told.get(HEAD)
    standings = {
        key.removeprefix(MEMBERSHIP): standing_of(person_id, key, attributes)
        for key, attributes in told.items()
        if key.startswith(MEMBERSHIP)
    }
    return Someone(None if head is None else root_of(person_id, head), standings)


def standing_of(person_id: str, sort_key: str, told: Mapping[str, Any]) -> Standing:
    """The standing that an item tells, be it one that a run of an earlier version wrote."""
    change = MembershipChange(
        person_id,
        sort_key.removeprefix(MEMBERSHIP),
        told.get("state", ENTERED),
        told["rule_version"],
        parse_iso(told["since"]),
        told.get("because", "facts"),
    )
    return Standing(change, told.get("seen"), told.get("moment", 0), "untold" not in told)


def _unchanged(was: Standing | None) -> tuple[str, dict[str, str], Item]:
    """The condition that the item is still what was read: no change goes without being told."""
    if was is None:
        return "attribute_not_exists(PK)", {}, {}
    since = {":since": typed(iso_of(was.change.at_ms))}
    if was.seen is None:
        return f"since = :since AND {NOBODY_SAW_MORE}", {}, since
    condition = f"since = :since AND #state = :state AND {NOBODY_SAW_MORE}"
    return condition, {"#state": "state"}, {**since, ":state": typed(was.change.change)}


def _weight(standing: Standing) -> Item:
    return {":seen": typed(standing.seen), ":moment": typed(standing.moment_ms)}


def _key(change: MembershipChange) -> Item:
    return {**root_key(change.person_id), "SK": {"S": f"{MEMBERSHIP}{change.segment}"}}


def _keys(person_id: str, segments: Iterable[str]) -> list[Item]:
    """The keys of a person's root and of the standings of these segments."""
    root = root_key(person_id)
    return [root, *({**root, "SK": {"S": f"{MEMBERSHIP}{name}"}} for name in segments)]


def _as_it_is(standing: Standing) -> list[dict[str, Any]]:
    """Where the standing lies, since when and in which state: what a mark asks for."""
    change = standing.change
    return [*_key(change).values(), typed(iso_of(change.at_ms)), typed(change.change)]


def _item(standing: Standing) -> Item:
    return {**_key(standing.change), **item_of(_attributes(standing))}


def _attributes(standing: Standing) -> dict[str, Any]:
    """`run` is 0, so that any run may write over the item of a rule that lives no more."""
    change, expires = standing.change, standing.expires_at_seconds
    return {
        "schema": SCHEMA,
        "run": 0,
        "state": change.change,
        "since": iso_of(change.at_ms),
        "rule_version": change.rule_version,
        "because": change.because,
        "seen": standing.seen,
        "moment": standing.moment_ms,
        **({} if standing.is_told else {"untold": True}),
        **({} if expires is None else {"ttl": expires}),
    }
