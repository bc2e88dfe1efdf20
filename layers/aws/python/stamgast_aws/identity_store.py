"""The identity items of the tables `profiles` and `control`."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.identity.decision import Decision
from stamgast.identity.edge import Edge, Pair
from stamgast.identity.edge_codec import decision_of, edge_of
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root
from stamgast.identity.star import Star
from stamgast.identity.star_codec import star_attributes, star_from
from stamgast.identity.store import Outcome, Parked, StoreError, Write
from stamgast.profile.store import Pause
from stamgast_aws.calls import call
from stamgast_aws.dynamo_batches import read_items
from stamgast_aws.dynamo_values import Item, attributes_of, item_of
from stamgast_aws.identity_items import (
    pointer_key,
    pointers_in,
    query_partition,
    root_key,
    roots_in,
)
from stamgast_aws.identity_writes import Transactions, decision_key, edge_key

PARKED = "PARKED"
CANCELLED = frozenset(
    {
        "TransactionCanceledException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
BROKEN = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})


@dataclass(frozen=True, slots=True)
class DynamoIdentityStore:
    """The port `IdentityStore` over a low-level DynamoDB client; every read is strong."""

    client: Any
    profiles: str
    control: str
    pause: Pause

    def read_pointers(self, keys: Collection[str]) -> dict[str, Pointer]:
        """The pointers there are among these identifiers."""
        return pointers_in(self._read([pointer_key(key) for key in sorted(set(keys))]))

    def read_persons(
        self, person_ids: Collection[str], pairs: Collection[Pair] = ()
    ) -> tuple[dict[str, Root], dict[Pair, Edge]]:
        """The roots and the edges there are among these, read together."""
        keys = [root_key(person_id) for person_id in sorted(set(person_ids))]
        items = self._read(keys + [edge_key(pair) for pair in sorted(set(pairs))])
        return roots_in(items), edges_in(items)

    def edges_from(self, anchor: str) -> list[Edge]:
        """Every edge of which this identifier is the anchor."""
        pk = pointer_key(anchor)["PK"]
        return list(edges_in(self.query(self.profiles, pk, {"S": "E#"})).values())

    def read_decisions(self, pairs: Collection[Pair]) -> dict[Pair, Decision]:
        """The newest decision about each of these pairs of which there is one."""
        keys = [decision_key(pair) for pair in sorted(set(pairs))]
        items = read_items(self.client, self.control, keys, self.pause)
        decisions = (decision_of(attributes_of(item)) for item in items)
        return {decision.pair: decision for decision in decisions}

    def commit(self, writes: Sequence[Write]) -> Outcome:
        """All of the writes or none; raises StoreError for a request that can never succeed."""
        transactions = Transactions(self.profiles, self.control)
        try:
            self.client.transact_write_items(
                TransactItems=[transactions.entry(write) for write in writes]
            )
        except ClientError as error:
            return _outcome(error)
        except BotoCoreError:
            return Outcome.UNKNOWN
        return Outcome.DONE

    def park(self, star: Star) -> None:
        """Keeps a star under its message's key and the hash of its content."""
        body = item_of(star_attributes(star))
        key = {"PK": {"S": PARKED}, "SK": {"S": f"{star.because}#{_token(star)}"}}
        call(self.client.put_item, TableName=self.control, Item={**key, **body})

    def parked(self, most: int) -> list[Parked]:
        """Up to `most` parked stars, by their messages' keys."""
        items = self.query(self.control, {"S": PARKED}, limit=most)
        return [Parked(item["SK"]["S"], star_from(attributes_of(item))) for item in items[:most]]

    def unpark(self, parked: Parked) -> None:
        """Forgets a parked star; its name holds its content, so no other is forgotten."""
        key = {"PK": {"S": PARKED}, "SK": {"S": parked.token}}
        call(self.client.delete_item, TableName=self.control, Key=key)

    def _read(self, keys: Sequence[Item]) -> list[Item]:
        return list(read_items(self.client, self.profiles, keys, self.pause))

    def query(
        self, table: str, pk: Any, prefix: Any = None, limit: int | None = None
    ) -> list[Item]:
        """All items of a partition, or as many as `limit`, strongly read page by page."""
        return query_partition(self.client, table, pk, prefix, limit)


def edges_in(items: Iterable[Item]) -> dict[Pair, Edge]:
    """The edges among items of any kind."""
    return {
        pair: edge_of(pair, attributes_of(item))
        for item in items
        if item["SK"]["S"].startswith("E#")
        for pair in ((item["PK"]["S"][2:], item["SK"]["S"][2:]),)
    }


def _token(star: Star) -> str:
    return sha256(repr(star_attributes(star)).encode()).hexdigest()[:16]


def _outcome(error: ClientError) -> Outcome:
    code = error.response["Error"]["Code"]
    reasons: Any = error.response.get("CancellationReasons", ())
    if any(reason.get("Code") in BROKEN for reason in reasons):
        raise StoreError("a transaction was refused as invalid") from error
    if code in CANCELLED:
        return Outcome.CANCELLED
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
        return Outcome.UNKNOWN
    raise StoreError(code) from error
