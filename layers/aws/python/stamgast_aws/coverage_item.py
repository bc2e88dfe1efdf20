"""The item `LIVE` of the table of profiles: what runs have published so far."""

from typing import Any

from stamgast.profile.schema import SCHEMA, check_schema
from stamgast.segments.live.coverage import Coverage
from stamgast_aws.calls import call
from stamgast_aws.dynamo_values import Item, attributes_of, item_of

KEY: Item = {"PK": {"S": "LIVE"}, "SK": {"S": "@"}}


def read_coverage(client: Any, table: str) -> Coverage:
    """What the item says, strongly read; before any run that nothing is published."""
    answer = call(client.get_item, TableName=table, Key=KEY, ConsistentRead=True)
    if "Item" not in answer:
        return Coverage()
    told = attributes_of(answer["Item"])
    check_schema(told)
    return Coverage(told["since"], told["run"], told["moment"], told.get("rules", {}))


def write_coverage(client: Any, table: str, coverage: Coverage) -> None:
    """Puts the item; only the run that holds the fence does so."""
    told = {
        "schema": SCHEMA,
        "since": dict(coverage.since),
        "run": coverage.run,
        "moment": coverage.moment_ms,
        "rules": dict(coverage.rules),
    }
    call(client.put_item, TableName=table, Item={**KEY, **item_of(told)})
