"""Who is learnt of, where there are more than fit: whole persons, and the card says how many."""

from collections import Counter
from pathlib import Path

import pytest

from stamgast.models.declaration import models_of
from stamgast.moments import ms_of
from stamgast_lake.features import drawn
from stamgast_lake.features.run import Written, write_panel
from stamgast_learn.parquet import read_columns
from tests.fakes.model_world import ENDS_AT, PEOPLE, lake_of, workspace


def learnt(folder: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Written, Counter]:
    """What is written where so many rows fit, and how many past rows each person has."""
    monkeypatch.setattr(drawn, "MOST_ROWS", most)
    (model,) = (one for one in models_of(workspace().models) if one.name == "buys")
    path = folder / f"{most}.parquet"
    written = write_panel(lake_of(workspace()), model, ms_of(ENDS_AT), path)
    columns = read_columns(path)
    is_past = columns["label"] == columns["label"]
    assert (~is_past).sum() == PEOPLE, "everybody is scored"
    return written, Counter(columns["person_id"][is_past])


def test_whole_persons_are_drawn_the_same_with_more_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of, everybody = learnt(tmp_path, 700_000, monkeypatch)
    assert all_of.drawn is None
    told, few = learnt(tmp_path, 400, monkeypatch)
    _, more = learnt(tmp_path, 800, monkeypatch)
    assert set(few) < set(more) < set(everybody)
    assert all(few[person] == everybody[person] for person in few)
    assert told.drawn is not None
    taken, of = told.drawn
    assert of == PEOPLE
    assert len(few) <= taken < of / 2
    assert abs(sum(few.values()) + taken - 400) < 100


def test_rows_drawn_by_themselves_are_parts_of_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = learnt(tmp_path, 700_000, monkeypatch)[1]
    by_row = drawn.PLACE.replace("person_id", "person_id || cut_on")
    monkeypatch.setattr(drawn, "PLACE", by_row)
    parts = learnt(tmp_path, 400, monkeypatch)[1]
    assert any(parts[person] < everybody[person] for person in parts)
