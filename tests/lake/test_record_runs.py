"""Runs of links between records: trained once, then in proportion to the news, as a full run."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.generated_records import records
from stamgast.identity.records import RecordSettings
from stamgast_lake.engine import session
from stamgast_lake.records import news, parts, run, train
from stamgast_lake.records.link import link
from stamgast_lake.records.model import Model
from stamgast_lake.records.parts import FOLDER
from stamgast_lake.records.run import ORDER, RAW
from tests.lake.record_world import Persons

RULES = ("names", "surname:sound + postcode", "birth_date")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def told() -> pa.Table:
    """Few columns, for the laws of runs do not depend on them and each takes its time."""
    rows = records(400, seed=3)
    return rows.select(["record_id", "truth", "given_name", "surname", "birth_date", "postcode"])


@pytest.fixture(autouse=True)
def _small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random pairs enough for hundreds of records; thousands are drawn otherwise."""
    monkeypatch.setattr(train, "SAMPLE", train.SAMPLE.replace("1500", "150"))


@pytest.fixture
def lake() -> Persons:
    return Persons(RecordSettings(is_on=True, rules=RULES))


def by_model(lake: Persons, rows: pa.Table, version: str) -> set[tuple[str, str]]:
    """The pairs that one run over all these records would state by a model, by their keys."""
    model = Model.from_json(lake.objects.bodies[f"{FOLDER}/{version}.json"])
    with session() as engine:
        links = link(engine, rows.drop_columns(["truth"]), model, lake.settings.least_probability)
    return {
        tuple(sorted((f"user_id:{row['a']}", f"user_id:{row['b']}"))) for row in links.to_pylist()
    }


def test_a_run_states_links_between_persons_and_the_next_compares_only_news(lake: Persons) -> None:
    lake.tell(told().slice(0, 320), NOON, 1)
    first, stored = lake.run(NOON)
    assert first["trained"] == 1
    assert first["links"] >= stored["record"]["written"] > 5
    lake.tell(told().slice(320), NOON + timedelta(hours=1), 2)
    second, _ = lake.run(NOON + timedelta(days=1))
    assert (second["trained"], second["compared"]) == (0, 80)
    assert second["version"] == first["version"]
    assert lake.stated() == by_model(lake, told(), first["version"])


def changed_in_steps(lake: Persons) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Persons come, say something else and go, in four runs; and what one run would state."""
    lake.tell(told().slice(0, 250), NOON, 1)
    version = lake.run(NOON)[0]["version"]
    lake.tell(told().slice(250, 60), NOON + timedelta(hours=1), 2)
    lake.run(NOON + timedelta(days=1))
    moved = other_names(told().slice(100, 30))
    lake.tell(moved, NOON + timedelta(days=1, hours=1), 3)
    lake.run(NOON + timedelta(days=2))
    lake.leave(told().slice(0, 20), NOON + timedelta(days=2, hours=1), 4)
    lake.tell(told().slice(310), NOON + timedelta(days=2, hours=1), 5)
    lake.run(NOON + timedelta(days=3))
    now = pa.concat_tables([told().slice(20, 80), moved, told().slice(130)])
    return lake.stated(), by_model(lake, now, version)


def other_names(rows: pa.Table) -> pa.Table:
    """The records with the surnames of those before them, which blocks them elsewhere."""
    names = rows["surname"].to_pylist()
    place = rows.column_names.index("surname")
    return rows.set_column(place, "surname", pa.array([names[-1], *names[:-1]], pa.string()))


def test_runs_over_what_changed_state_what_one_run_over_everything_would(lake: Persons) -> None:
    in_steps, at_once = changed_in_steps(lake)
    assert len(in_steps) > 20
    assert in_steps == at_once


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "told", "wrong"),
    [
        ("KEPT", "join known ka on ka.person = every_links.a and ka.nth <= every_links.nth", ""),
        ("MET", "where nth is null or (b, nth) in (select (person, nth) from known)", ""),
        ("JOIN", "union all\n    select l.person, r.person, null, {bit}", "except all select l.person, r.person, null, {bit}"),  # noqa: E501
    ],
)  # fmt: skip
def test_forgetting_who_changed_who_left_or_who_is_new_would_be_seen(
    lake: Persons, monkeypatch: pytest.MonkeyPatch, name: str, told: str, wrong: str
) -> None:
    statement = getattr(news, name)
    assert told in statement
    monkeypatch.setattr(news, name, statement.replace(told, wrong))
    in_steps, at_once = changed_in_steps(lake)
    assert in_steps != at_once


@pytest.mark.deep
def test_a_key_that_has_outgrown_its_rule_is_left_out(
    lake: Persons, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a birth date that a form fills in by itself compares all who have it."""
    monkeypatch.setattr(news, "FEWEST", 5)
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    rows = told().slice(300)
    place = rows.column_names.index("birth_date")
    same = rows.set_column(place, "birth_date", pa.array(["1900-01-01"] * len(rows), pa.string()))
    lake.tell(same, NOON + timedelta(hours=1), 2)
    met: list[int] = []
    monkeypatch.setattr(run, "link_news", lambda engine, *told: counted(engine, met, *told))
    lake.run(NOON + timedelta(days=1))
    assert 0 < met[0] < 100 * 99 / 2


def counted(engine: Any, met: list[int], *told: Any) -> pa.Table:
    links = news.link_news(engine, *told)
    met.append(engine.execute("select count(*) from met").fetchall()[0][0])
    return links


def test_a_run_without_news_compares_nobody_and_withdraws_nothing(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    before = lake.stated()
    figures, stored = lake.run(NOON + timedelta(days=1))
    assert figures["compared"] == 0
    assert stored["record"]["withdrawn"] == 0
    assert lake.stated() == before


def test_a_person_who_says_nothing_that_is_compared_is_read_once(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.tell(pa.table({"record_id": ["silent"], "shoe_size": ["43"]}), NOON, 2)
    lake.run(NOON)
    assert lake.run(NOON + timedelta(days=1))[0]["compared"] == 0


@pytest.mark.deep
def test_a_repeated_run_gives_the_same_documents(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    lake.tell(told().slice(300), NOON + timedelta(hours=1), 2)
    lake.run(NOON + timedelta(days=1))
    before = dict(lake.objects.bodies)
    figures, _ = lake.run(NOON + timedelta(days=1))
    assert figures["compared"] == 100
    for name in (RAW, f"{FOLDER}/parts.json"):
        key = next(key for key in before if key.endswith(name))
        assert lake.objects.bodies[key] == before[key]


def test_a_model_is_trained_anew_when_its_days_are_over(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    figures, _ = lake.run(NOON + timedelta(days=lake.settings.train_every_days))
    assert figures["trained"] == 1


def test_a_model_of_another_form_is_trained_anew(
    lake: Persons, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.tell(told().slice(0, 200), NOON, 1)
    with monkeypatch.context() as before:
        before.setattr(parts, "FORMAT", 1)
        lake.run(NOON)
    assert lake.run(NOON + timedelta(days=1))[0]["trained"] == 1


@pytest.mark.deep
def test_a_model_is_trained_anew_when_there_are_twice_as_many_persons(lake: Persons) -> None:
    lake.tell(told().slice(0, 200), NOON, 1)
    lake.run(NOON)
    lake.tell(told().slice(200), NOON + timedelta(hours=1), 2)
    figures, _ = lake.run(NOON + timedelta(days=1))
    assert (figures["trained"], figures["compared"]) == (1, 400)


def test_a_lake_with_few_persons_abstains_and_says_why(lake: Persons) -> None:
    lake.tell(told().slice(0, 20), NOON, 1)
    figures, stored = lake.run(NOON)
    assert figures["abstained"] == "20 records are too few; 50 are needed"
    assert stored["record"]["written"] == 0
    assert lake.models()[0]["why"] == figures["abstained"]


def test_the_report_says_that_nothing_is_calibrated_and_why(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    (row,) = lake.models()
    assert row["report"]["calibrated"] is False
    assert row["report"]["rules"]
    assert row["why"] == ("not calibrated: 0 positives and 0 negatives in all; needs 100 of each")
    run_id = f"links-{NOON:%Y%m%dT%H%M%S}"
    scores = pq.read_table(pa.BufferReader(lake.lake.document(run_id, RAW)))
    assert scores.column_names == ["a", "b", "probability", "reasons"]
    assert json.loads(lake.lake.document(run_id, ORDER))["version"] == row["version"]
