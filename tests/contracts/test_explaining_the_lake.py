"""What explains identity reads the Iceberg tables as it reads their in-memory stand-in."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stamgast.identity.explain.case import Case
from stamgast.moments import moment_of
from stamgast_lake.catalogue import Catalogue, Commit
from stamgast_lake.explain import case_as_of, past_of
from stamgast_lake.health import known_pairs, measure, newest_figures, sample
from stamgast_lake.lake import Lake
from stamgast_lake.past_profile import profile_then, timeline_then
from stamgast_lake.preview import preview
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVIDENCE, ICEBERG
from tests.fakes.glue import Glue
from tests.lake.test_preview import no_step
from tests.lake.world import SETTINGS, World, publish, resolve, unify


def of_world(world: World, key: str, lake: Lake) -> list[Any]:
    """Every question once."""
    with past_of(lake, moment_of(world.now_ms)) as past:
        case: Case | None = case_as_of(past, lake, key)
        told = [case, profile_then(past, key), timeline_then(past, key, 9)]
    pairs = [(row["a"], row["b"]) for row in world.catalogue.rows(EVIDENCE) if row["b"]]
    other = replace(SETTINGS, person_limit=2)
    return [
        *told,
        measure(lake),
        sample(lake, "r"),
        known_pairs(lake, [*pairs, ("u:1", "d:1")]),
        newest_figures(lake, 3),
        preview(lake, SETTINGS, other, no_step),
    ]


@pytest.fixture
def as_iceberg(tmp_path: Path) -> Callable[[World], Catalogue]:
    """Copies a world's tables into Iceberg tables on this disk."""

    def copied(world: World) -> Catalogue:
        told: Any = {"glue": Glue(), "database": "lake", "warehouse": tmp_path.as_uri()}
        catalogue = Catalogue(**told, file_properties={})
        for table in ICEBERG:
            rows = world.catalogue.dataset(table).to_table()
            order = [(name, "ascending") for name in table.partition]
            rows = rows.sort_by(order) if order else rows
            reader = pa.Table.from_batches(rows.to_batches(), arrow_schema(table)).to_reader()
            catalogue.append(table, reader, Commit("copy", table.name))
        return catalogue

    return copied


def test_iceberg_tables_answer_as_their_stand_in(
    as_iceberg: Callable[[World], Catalogue],
) -> None:
    world = World()
    for number, device in enumerate(("phone", "laptop")):
        body = {"type": "identify", "userId": "a", "anonymousId": device, "traits": {"n": number}}
        world.send({**body, "messageId": device}, request_id=device)
    world.run((resolve, unify, publish))
    key = min(next(iter(world.persons().values())))
    lake = replace(world.lake, catalogue=as_iceberg(world))
    assert of_world(world, key, lake) == of_world(world, key, world.lake)
