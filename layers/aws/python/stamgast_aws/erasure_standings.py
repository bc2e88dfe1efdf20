"""Standings of persons whose facts an erasure takes away: whoever looks next may write them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_values import Item, typed
from stamgast_aws.live_store import MEMBERSHIP


def look_anew(client: Any, table: str, items: Iterable[Item]) -> None:
    """Forgets how much the writers of these standings had seen.

    Facts that are folded anew count their versions from one, so nobody who comes later would have
    seen as much, and a standing that is no longer true could never be written on.
    """
    for item in items:
        if item["SK"]["S"].startswith(MEMBERSHIP) and "seen" in item:
            with suppress(ConditionError):  # a live writer came meanwhile
                call(
                    client.put_item,
                    TableName=table,
                    Item={**item, "seen": typed(0)},
                    ConditionExpression="seen = :seen",
                    ExpressionAttributeValues={":seen": item["seen"]},
                )
