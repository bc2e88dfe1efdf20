"""Operators' decisions in an erasure: those about the erased go, others lose what they mention.

Requests that were answered stay as proof, without addresses of call-backs that name the erased.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from stamgast.erasure.callbacks import ERASED
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_values import Item, attributes_of, typed
from stamgast_aws.identity_items import query_partition
from stamgast_aws.identity_writes import DECISIONS


def decisions_about(client: Any, table: str, subject: Subject) -> Iterator[Item]:
    """The decisions whose pair holds one of the subject's identifiers."""
    for item in query_partition(client, table, typed(DECISIONS)):
        if not subject.keys.isdisjoint(attributes_of(item)["pair"]):
            yield item


def take_mentions_out(client: Any, table: str, subject: Subject) -> None:
    """Rewrites decisions about others whose reason tells of the subject; a newer one stands."""
    needles = needles_of([subject])
    for item in query_partition(client, table, typed(DECISIONS)):
        reason = item["reason"]["S"].encode("utf-8", "surrogatepass")
        if needles.found_in(reason):
            left = needles.taken_out_of(reason).decode("utf-8", "surrogatepass")
            with suppress(ConditionError):
                call(
                    client.put_item,
                    TableName=table,
                    Item={**item, "reason": typed(left)},
                    ConditionExpression="message_id = :message_id",
                    ExpressionAttributeValues={":message_id": item["message_id"]},
                )


def forget_addresses(client: Any, table: str, item: Item, needles: Needles) -> None:
    """Rewrites a request whose call-backs' addresses tell of the erased; a newer one stands."""
    had = json.loads(item.get("callbacks", {}).get("S", "[]"))
    told = [{**one, "url": ERASED} if needles.is_name(one["url"]) else one for one in had]
    if told == had:
        return
    with suppress(ConditionError):
        call(
            client.update_item,
            TableName=table,
            Key={name: item[name] for name in ("PK", "SK")},
            UpdateExpression="SET callbacks = :told",
            ConditionExpression="callbacks = :had",
            ExpressionAttributeValues={":told": typed(json.dumps(told)), ":had": item["callbacks"]},
        )
