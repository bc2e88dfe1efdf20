"""Record linkage over generated persons whose truth is known, and over whole tables of a lake."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from bench.generated_records import records
from stamgast.identity.links import LinkKind
from stamgast.identity.records import COLUMNS, RecordSettings
from stamgast.identity.settings import DEFAULT
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.lake import Lake
from stamgast_lake.links.run import store_run
from stamgast_lake.records import blocking, comparisons, relation, train
from stamgast_lake.records.link import learn_and_link, link
from stamgast_lake.records.model import Model
from stamgast_lake.records.run import FOLDER, OUTCOME, SCORES, link_records_run, with_reasons
from stamgast_lake.records.truth import judge
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import IDENTITY, LINK_MODELS, LINKS, PERSONS, PROFILES
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.lake.world import MemoryObjects

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


def by_model(rows: pa.Table, model: Model, new: pa.Array | None = None) -> set[tuple[Any, ...]]:
    with session() as engine:
        return same(link(engine, rows.drop_columns(["truth"]), model, LEAST, new))


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


def test_keeping_duplicates_of_rows_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        relation, "NUMBERED", relation.NUMBERED.replace("select distinct", "select")
    )
    model, _ = linked(shuffled_and_doubled(told()))
    assert model.version != trained()[0].version


def halves() -> tuple[Model, set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """A pinned model, its links of all records, and those found in two steps."""
    model, _ = linked(told().slice(0, 300))
    ids = told()["record_id"].slice(300).combine_chunks()
    first = by_model(told().slice(0, 300), model)
    return model, by_model(told(), model), first | by_model(told(), model, ids)


def test_an_incremental_run_finds_what_a_full_one_finds() -> None:
    _, full, in_steps = halves()
    assert full == in_steps
    assert full


def test_comparing_new_records_with_one_another_alone_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_new = blocking.JOIN.replace("join worth r", f"join {blocking.NEW} r")
    monkeypatch.setattr(
        blocking,
        "_join",
        lambda engine, place, block, is_incremental=False, join=blocking._join: with_join(
            monkeypatch, only_new if is_incremental else blocking.JOIN, join
        )(engine, place, block, is_incremental),
    )
    _, full, in_steps = halves()
    assert in_steps < full


def with_join(
    monkeypatch: pytest.MonkeyPatch, statement: str, join: Callable[..., None]
) -> Callable[..., None]:
    def joined(*given: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(blocking, "JOIN", statement)
            join(*given)

    return joined


@cache
def f1(size: int) -> float:
    rows = records(size, seed=4, mistakes=0.08)
    with session() as engine:
        _, links = learn_and_link(engine, rows.drop_columns(["truth"]), RecordSettings(), LEAST)
        judged = judge(engine, links, rows.select(["record_id", "truth"]), [0.95])
    return judged.quality[0].f1


def test_most_pairs_of_a_thousand_generated_records_are_found_and_few_wrong() -> None:
    assert f1(1_000) >= 0.93


def test_taking_columns_of_an_address_for_independent_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = f1(1_000)
    monkeypatch.setattr(comparisons, "PARENTS", {})
    assert f1.__wrapped__(1_000) < found - 0.05


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
    with pytest.raises(train.TooFewRecordsError, match="49 records are too few"):
        linked(told().slice(0, 49))


class Objects(MemoryObjects):
    """Objects that answer as S3 does when there is none."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.bodies:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return super().get_object(Bucket=Bucket, Key=Key)


class Persons:
    """A lake of persons with the generated traits, and runs of links over it."""

    def __init__(self, settings: RecordSettings) -> None:
        self.catalogue, self.objects = MemoryCatalogue(), Objects()
        self.settings = settings
        workspace = Workspace("1", "UTC", {}, DEFAULT)
        self.lake = Lake(self.objects, "bucket", self.catalogue, lambda: workspace, None)  # type: ignore[arg-type]

    def tell(self, rows: pa.Table, moment: datetime, seq: int) -> None:
        told = [self._rows(row, moment, seq) for row in rows.to_pylist()]
        for place, table in enumerate((IDENTITY, PERSONS, PROFILES)):
            schema = arrow_schema(table)
            said = pa.Table.from_pylist([row[place] for row in told], schema=schema)
            self.catalogue.append(table, said.to_reader(), Commit(f"r{seq}", "told"))

    def _rows(self, row: dict[str, Any], moment: datetime, seq: int) -> tuple[dict[str, Any], ...]:
        person = f"person-{row['record_id']}"
        traits = {
            name: {"value": value}
            for name, value in row.items()
            if value and name not in ("record_id", "truth")
        }
        stamp = {"recorded_at": moment, "shard": 0, "run_id": f"r{seq}"}
        text = orjson.dumps(traits).decode()
        spent = {"orders": 0, "revenue_minor": 0, "spending": []}
        key = f"user_id:{row['record_id']}"
        return (
            {"identifier": key, "namespace": "user_id", "person_id": person, "cause": "founded",
             "support": "m", **stamp},
            {"person_id": person, "state": "active", "born_at": moment, "founding_source": "s",
             "founding_message": key, "founding_position": 0, "identifiers": 1, **stamp},
            {"person_id": person, "traits": text, "counters": "{}", **spent,
             "profile_hash": str(hash(text)), **stamp},
        )  # fmt: skip

    def run(self, moment: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
        run = Run(f"links-{moment:%Y%m%dT%H%M%S}", 1, moment)
        figures = link_records_run(self.lake, run, self.settings)
        days = {LinkKind.RECORD: self.settings.expiry_days}
        return figures, store_run(self.lake, run, days, lambda rows: len(list(rows)), moment)

    def stated(self) -> set[tuple[str, str]]:
        rows = self.catalogue.dataset(LINKS).to_table().to_pylist()
        newest: dict[tuple[str, str], dict[str, Any]] = {}
        for row in sorted(rows, key=lambda one: one["recorded_at"]):
            newest[row["a"], row["b"]] = row
        return {pair for pair, row in newest.items() if row["state"] == "standing"}


@pytest.fixture
def lake() -> Persons:
    return Persons(RecordSettings(is_on=True, rules=FEWER.rules))


def test_a_run_states_links_between_persons_and_the_next_compares_only_news(lake: Persons) -> None:
    lake.tell(told().slice(0, 320), NOON, 1)
    first, stored = lake.run(NOON)
    assert first["trained"] == 1
    assert stored["record"]["written"] == first["links"] > 5
    lake.tell(told().slice(320), NOON + timedelta(hours=1), 2)
    second, _ = lake.run(NOON + timedelta(days=1))
    assert (second["trained"], second["compared"]) == (0, 80)
    assert second["version"] == first["version"]
    model = Model.from_json(lake.objects.bodies[f"{FOLDER}/{first['version']}.json"])
    keys = {(f"user_id:{a}", f"user_id:{b}") for a, b, _ in by_model(told(), model)}
    assert lake.stated() == {tuple(sorted(pair)) for pair in keys}


def test_a_run_without_news_compares_nobody_and_withdraws_nothing(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    before = lake.stated()
    figures, stored = lake.run(NOON + timedelta(days=1))
    assert figures["compared"] == 0
    assert stored["record"]["withdrawn"] == 0
    assert lake.stated() == before


def test_a_model_is_trained_anew_when_its_days_are_over(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    figures, _ = lake.run(NOON + timedelta(days=lake.settings.train_every_days))
    assert figures["trained"] == 1


def test_a_lake_with_few_persons_abstains_and_says_why(lake: Persons) -> None:
    lake.tell(told().slice(0, 20), NOON, 1)
    figures, stored = lake.run(NOON)
    assert figures["abstained"] == "20 records are too few; 50 are needed"
    assert stored["record"]["written"] == 0


def test_the_report_says_that_nothing_is_calibrated(lake: Persons) -> None:
    lake.tell(told().slice(0, 300), NOON, 1)
    lake.run(NOON)
    (row,) = lake.catalogue.dataset(LINK_MODELS).to_table().to_pylist()
    report = json.loads(row["report"])
    assert report["calibrated"] is False
    assert report["rules"]
    run_id = f"links-{NOON:%Y%m%dT%H%M%S}"
    scores = pq.read_table(pa.BufferReader(lake.lake.document(run_id, SCORES)))
    assert scores.column_names == ["a", "b", "probability", "reasons"]
    assert json.loads(lake.lake.document(run_id, OUTCOME))["scored_by"] == row["version"]


def test_an_engine_of_one_thread_learns_the_same(engine: DuckDBPyConnection, tmp_path: Any) -> None:
    settings = EngineSettings(memory_mb=512, threads=1, folder=tmp_path)
    with session(settings) as alone:
        model, _ = learn_and_link(alone, told().drop_columns(["truth"]), FEWER, LEAST)
    assert model.version == trained()[0].version
