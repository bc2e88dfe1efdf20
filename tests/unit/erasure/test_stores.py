"""Every place that may hold a person is in one registry; who adds one without it fails here."""

import json
import re
from pathlib import Path

import pytest

from stamgast.erasure.stores import STORES, Kind, named
from stamgast_lake.erasure.rules import IMPERSONAL, RULES
from stamgast_lake.tables import ARCHIVE, ICEBERG, TABLES

ROOT = Path(__file__).parents[3]
GRANTED = re.compile(r"(?:read|write|delete)_objects\(([^)]*)\)", re.DOTALL)
PREFIXES = re.compile(r'"([a-z]+/)[a-z/]*"')
ADAPTERS = sorted((ROOT / "layers/aws/python/stamgast_aws").glob("*.py"))
PARTITIONS = re.compile(r'"([A-Z]{3,}#)|"PK": \{"S": "([A-Z]+)"\}')
SORT_KEYS = re.compile(r'f?"([A-Z])#')
MOVING = {
    "AWS::SQS::Queue": Kind.QUEUE,
    "AWS::KinesisFirehose::DeliveryStream": Kind.STREAM,
    "AWS::Events::EventBus": Kind.BUS,
    "AWS::SNS::Topic": Kind.BUS,
}


def test_every_table_is_a_store_with_a_rule_or_tells_of_no_person() -> None:
    assert named(Kind.TABLE) == TABLES.keys()
    assert {table.name for table in ICEBERG} == RULES.keys() | IMPERSONAL.keys()
    personal = {one.name for one in STORES if one.kind is Kind.TABLE and one.holds}
    assert personal == RULES.keys() | {table.name for table in ARCHIVE}


def test_every_prefix_that_a_function_may_touch_is_a_store() -> None:
    told = "\n".join(path.read_text() for path in (ROOT / "infra").rglob("*.py"))
    granted = {p for grant in GRANTED.findall(told) for p in PREFIXES.findall(grant)}
    assert "warehouse/" in granted
    assert granted <= named(Kind.PREFIX)


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_every_kind_of_item_is_a_store(path: Path) -> None:
    found = {name for pair in PARTITIONS.findall(path.read_text()) for name in pair if name}
    assert found <= {one.split("/")[0] for one in named(Kind.ITEM)}


def test_every_kind_of_item_of_a_person_or_an_identifier_is_a_store() -> None:
    code = [*ADAPTERS, *(ROOT / "layers/lake/python/stamgast_lake").rglob("*.py")]
    found = {letter for path in code for letter in SORT_KEYS.findall(path.read_text())}
    kinds = {one.split("/")[1] for one in named(Kind.ITEM) if one[:2] in ("I#", "P#")}
    assert found <= kinds | {"I", "P"}


@pytest.mark.parametrize("stack", ["prod-platform", "local-platform"])
def test_every_queue_stream_and_bus_of_the_templates_is_a_store(stack: str) -> None:
    template = json.loads((ROOT / f"tests/infra/recorded/{stack}.json").read_text())
    for name, told in template["Resources"].items():
        if told["Type"] in MOVING:
            known = named(MOVING[told["Type"]])
            assert any(one in name for one in known), f"{name} is not in the registry of stores"
