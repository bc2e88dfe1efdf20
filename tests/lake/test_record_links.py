"""Record linkage over generated persons whose truth is known, and over whole tables of a lake."""

import json
import random
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from bench.generated_records import records
from stamgast.identity.records import COLUMNS, RecordSettings
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.records import comparisons, relation, train
from stamgast_lake.records.link import learn_and_link, link
from stamgast_lake.records.model import Model
from stamgast_lake.records.run import with_reasons
from stamgast_lake.records.truth import judge

SIZE = 400
FEWER = RecordSettings(rules=("names", "surname:sound + postcode", "birth_date", "email", "house"))
LEAST = 0.5
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def told() -> pa.Table:
    return records(SIZE, seed=3)


@pytest.fixture(autouse=True)
def _small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random pairs enough for hundreds of records; thousands are drawn otherwise."""
    monkeypatch.setattr(train, "SAMPLE", train.SAMPLE.replace("1500", "500"))


def linked(rows: pa.Table, settings: RecordSettings = FEWER) -> tuple[Model, pa.Table]:
    with session() as engine:
        return learn_and_link(engine, rows.drop_columns(["truth"]), settings, LEAST)


@cache
def trained() -> tuple[Model, pa.Table]:
    return linked(told())


def by_model(rows: pa.Table, model: Model, least: float = LEAST) -> set[tuple[Any, ...]]:
    with session() as engine:
        return same(link(engine, rows.drop_columns(["truth"]), model, least))


def same(links: pa.Table) -> set[tuple[Any, ...]]:
    return {
        (row["a"], row["b"], round(row["probability"], 9))
        for row in links.select(["a", "b", "probability"]).to_pylist()
    }


def shuffled_and_doubled(rows: pa.Table) -> pa.Table:
    order = list(range(rows.num_rows)) + list(range(0, rows.num_rows, 7))
    random.Random(5).shuffle(order)
    return rows.take(order)


def test_order_and_duplicates_of_rows_change_neither_the_model_nor_a_link() -> None:
    model, links = linked(shuffled_and_doubled(told()))
    assert model.version == trained()[0].version
    assert same(links) == same(trained()[1])


@pytest.mark.deep
def test_keeping_duplicates_of_rows_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        relation, "NUMBERED", relation.NUMBERED.replace("select distinct", "select")
    )
    model, _ = linked(shuffled_and_doubled(told()))
    assert model.version != trained()[0].version


@cache
def f1(size: int) -> float:
    rows = records(size, seed=4, mistakes=0.08)
    with session() as engine:
        _, links = learn_and_link(engine, rows.drop_columns(["truth"]), RecordSettings(), LEAST)
        judged = judge(engine, links, rows.select(["record_id", "truth"]), [0.95])
    return judged.quality[0].f1


def test_most_pairs_of_a_thousand_generated_records_are_found_and_few_wrong() -> None:
    assert f1(1_000) >= 0.93


@pytest.mark.deep
def test_taking_columns_of_an_address_for_independent_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = f1(1_000)
    monkeypatch.setattr(comparisons, "PARENTS", {})
    assert f1.__wrapped__(1_000) < found - 0.05


AT_HOME = RecordSettings(
    rules=("names", "surname:sound + postcode", "birth_date", "email", "house + street")
)


def precision_among_twins() -> float:
    """Half of all further members of a household share the birth date of the one before."""
    rows = records(600, seed=6, mistakes=0.08, twins=0.5)
    with session() as engine:
        _, links = learn_and_link(engine, rows.drop_columns(["truth"]), AT_HOME, LEAST)
        judged = judge(engine, links, rows.select(["record_id", "truth"]), [0.95])
    return judged.quality[0].precision


def test_twins_of_one_household_are_not_called_one_person() -> None:
    assert precision_among_twins() >= 0.99


@pytest.mark.deep
def test_learning_names_and_birth_dates_from_households_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parents = {name: one for name, one in comparisons.PARENTS.items() if name != "birth_date"}
    monkeypatch.setattr(comparisons, "PARENTS", parents)
    monkeypatch.setattr(train, "living", lambda columns: ())
    assert precision_among_twins() < 0.98


def test_a_rule_beyond_its_bound_is_tightened_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "LEAST_BUDGET", 0)
    model, _ = linked(told(), RecordSettings(rules=("names", "region"), comparisons_a_record=10))
    region = next(block for block in model.blocks if block.rule == "region")
    assert sum(block.comparisons for block in model.blocks) <= 10 * SIZE
    assert region.stopped
    assert region.refused_comparisons > 0
    assert any("'region': tightened" in note for note in model.notes)


def test_a_column_without_values_or_with_one_value_is_left_out_with_its_reason() -> None:
    rows = told().drop_columns(["phone", "region"])
    rows = rows.append_column("country", pa.array(["nl"] * SIZE))
    model, _ = linked(rows)
    assert "phone" not in model.columns
    assert "phone: not compared, 0 of 400 records have it" in model.notes
    assert "country: not compared, all of its values are equal" in model.notes


def test_a_model_reads_back_as_it_was_written() -> None:
    model, _ = trained()
    assert Model.from_json(model.to_json()) == model


def test_a_model_holds_no_value_of_a_record() -> None:
    text = trained()[0].to_json().decode()
    values = {
        value for name in ("surname", "street", "email") for value in told()[name].to_pylist()
    }
    assert not [value for value in values if value and value in text]


def test_reasons_are_weights_by_column() -> None:
    links = with_reasons(trained()[1])
    for text in links["reasons"].to_pylist():
        weights = json.loads(text)
        assert set(weights) <= set(COLUMNS)
        assert all(isinstance(bits, float) for bits in weights.values())


def test_weights_of_columns_and_prior_add_up_to_the_weight() -> None:
    model, links = trained()
    odds = model.prior / (1 - model.prior)
    for row in links.slice(0, 50).to_pylist():
        added = sum(bits for name, bits in row.items() if name.startswith("weight_"))
        assert 2 ** (row["weight"] - added) == pytest.approx(odds, rel=1e-6)


def test_too_few_records_are_refused() -> None:
    with pytest.raises(train.CannotLearnError, match="49 records are too few"):
        linked(told().slice(0, 49))


def test_an_engine_of_one_thread_learns_the_same(engine: DuckDBPyConnection, tmp_path: Any) -> None:
    settings = EngineSettings(memory_mb=512, threads=1, folder=tmp_path)
    with session(settings) as alone:
        model, _ = learn_and_link(alone, told().drop_columns(["truth"]), FEWER, LEAST)
    assert model.version == trained()[0].version
