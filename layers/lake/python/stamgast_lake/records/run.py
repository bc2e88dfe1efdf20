"""The stage `link_records` of a run of links: persons in, scored pairs and labels out.

Only persons that are new or say something else are compared, with everybody; a model is trained
when there is none, when its days are over, when there are twice as many persons, when settings
or the form of models changed, or when it is asked for. Repeating a run gives the same documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.identity.links import LinkKind
from stamgast.identity.records import RecordSettings
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.links.models import is_training_due, model_in_use
from stamgast_lake.logs import keep
from stamgast_lake.records import parts
from stamgast_lake.records.labels import labels_of
from stamgast_lake.records.link import learn_and_link
from stamgast_lake.records.model import FORMAT, Model
from stamgast_lake.records.news import find_news, index_persons, link_news
from stamgast_lake.records.parts import FOUND, Part
from stamgast_lake.records.persons import read_records, see_persons
from stamgast_lake.records.report import report
from stamgast_lake.records.train import CannotLearnError
from stamgast_lake.runs import Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RAW, LABELS = "links/record-raw.parquet", "links/record-labels.parquet"
ORDER = "links/record-order.json"
LEAST_SCORED = 0.05
"""Pairs are kept from here on, so that calibration sees what is not stated, too."""
CALIBRATED_EVERY_DAYS = 7
GROWN = 2
"""With so many times the persons that a model was trained on, it is trained anew."""
PART_LINK = """
    create or replace temp table part_link as
    select found.a, found.b, probability, reasons, ka.identifier as key_a, kb.identifier as key_b,
        {moment} as scored_at
    from found join person_key ka on ka.person_id = found.a
    join person_key kb on kb.person_id = found.b
"""
EVERY_LINK = """
    create or replace temp view every_link as
    select * from part_link union all by name select * from kept_link
"""
TOLD = """
    select least(ka.identifier, kb.identifier) as a, greatest(ka.identifier, kb.identifier) as b,
        probability, reasons
    from every_link join person_key ka on ka.person_id = every_link.a
    join person_key kb on kb.person_id = every_link.b order by 1, 2
"""
SCORED_EVER = "(select * from part_link union all by name select * exclude (nth) from every_links)"


@dataclass(frozen=True, slots=True)
class Stage:
    """What the steps of one run share."""

    engine: "DuckDBPyConnection"
    lake: Lake
    run: Run
    settings: RecordSettings
    folder: Path

    @property
    def moment(self) -> str:
        """The run's moment in SQL."""
        return f"cast('{self.run.moment.isoformat()}' as timestamptz)"

    @property
    def least(self) -> float:
        """From which score on a pair is kept."""
        return min(LEAST_SCORED, self.settings.least_probability)


def link_records_run(
    lake: Lake, run: Run, settings: RecordSettings, *, is_training: bool = False
) -> dict[str, Any]:
    """Links all persons, incrementally where a model is in use; the figures of it.

    Writes the scored pairs, the labels where calibration is due, and what is asked of the stage
    `train_links`, which states calibrated probabilities.
    """
    with session() as engine, TemporaryDirectory(prefix="stamgast-records-") as folder:
        stage = Stage(engine, lake, run, settings, Path(folder))
        persons = see_persons(engine, lake)
        now = parts.current(lake)
        before = parts.parts_before(lake, run)
        try:
            if is_training or now is None or _is_old(now, run, settings, persons):
                model, figures = _anew(stage, before, persons)
            else:
                model, figures = _news(stage, before, parts.model_of(lake, now["version"]))
        except CannotLearnError as error:
            _abstain(lake, run, str(error))
            return {"persons": persons, "abstained": str(error)}
        is_new = now is None or now["version"] != model.version
        links = _tell(stage, before, model, is_calibrating=is_new or is_training)
    return {"persons": persons, "links": links, "version": model.version, **figures}


def _anew(stage: Stage, before: list[Part], persons: int) -> tuple[Model, dict[str, int]]:
    engine, settings = stage.engine, stage.settings
    records = read_records(engine, stage.lake, settings, "person_told")
    model, scored = learn_and_link(engine, records, settings, stage.least)
    index_persons(engine, model, "person_told")
    _found(stage, scored)
    keep(engine, "kept_link", FOUND.empty_table())
    part = Part(model.version, stage.run.run_id, stage.run.moment.isoformat())
    parts.keep_part(engine, stage.lake, part, stage.folder, before)
    parts.keep_model(stage.lake, stage.run, model, settings.fingerprint, persons)
    return model, {"trained": 1, "compared": records.num_rows}


def _news(stage: Stage, before: list[Part], model: Model) -> tuple[Model, dict[str, int]]:
    engine, lake = stage.engine, stage.lake
    own = [one for one in before if one.version == model.version]
    for name in (parts.PERSONS, parts.LINKS):
        parts.open_parts(engine, lake, own, name, stage.folder)
    news = find_news(engine)
    figures = {"trained": 0, "compared": news}
    if not news:
        _found(stage, None)
        return model, figures

    def read(which: str) -> pa.Table:
        return read_records(engine, lake, stage.settings, which)

    _found(stage, link_news(engine, model, read, stage.least))
    part = Part(model.version, stage.run.run_id, stage.run.moment.isoformat())
    parts.keep_part(engine, lake, part, stage.folder, before)
    return model, figures


def _found(stage: Stage, scored: pa.Table | None) -> None:
    """Makes `part_link`: what this run found, with its reasons."""
    if scored is None:
        keep(stage.engine, "part_link", FOUND.empty_table())
        return
    keep(stage.engine, "found", with_reasons(scored))
    stage.engine.execute(PART_LINK.format(moment=stage.moment))


LINKS = pa.schema(
    {"a": pa.string(), "b": pa.string(), "probability": pa.float64(), "reasons": pa.string()}
)
LABEL = pa.schema({"probability": pa.float64(), "label": pa.int32(), "panel": pa.int64()})


def with_reasons(scored: pa.Table) -> pa.Table:
    """Links with what each column weighs, in bits, as JSON; names of columns and no values."""
    names = [name for name in scored.column_names if name.startswith("weight_")]
    weights = [scored[name].to_pylist() for name in names]
    short = [name.removeprefix("weight_") for name in names]
    reasons = [
        orjson.dumps(
            {name: round(bits, 2) for name, bits in zip(short, row, strict=True) if bits}
        ).decode()
        for row in zip(*weights, strict=True)
    ]
    columns = [scored["a"], scored["b"], scored["probability"], pa.array(reasons, pa.string())]
    return pa.table(columns, schema=LINKS)


def _is_old(now: Mapping[str, Any], run: Run, settings: RecordSettings, persons: int) -> bool:
    """Whether a model is past its days, has outgrown its data, or is of other settings or form."""
    days = timedelta(days=settings.train_every_days)
    is_past = datetime.fromisoformat(now["trained_at"]) + days <= run.moment
    is_other = now["settings"] != settings.fingerprint or now.get("format") != FORMAT
    return is_past or is_other or persons >= GROWN * now["persons"]


def _tell(stage: Stage, before: list[Part], model: Model, *, is_calibrating: bool) -> int:
    """Writes the documents of the run; how many pairs it scored in all."""
    engine, lake, run = stage.engine, stage.lake, stage.run
    engine.execute(EVERY_LINK)
    pairs = engine.sql(TOLD).to_arrow_table()
    lake.put_document(run.run_id, RAW, parquet(pairs))
    is_calibrating = is_calibrating or is_due(lake, run)
    labels = _labels(stage, before) if is_calibrating else LABEL.empty_table()
    lake.put_document(run.run_id, LABELS, parquet(labels))
    order = {
        "version": model.version,
        "is_calibrating": is_calibrating,
        "least_labels": stage.settings.least_labels,
        "least_probability": stage.settings.least_probability,
        "pinned": model_in_use(lake, LinkKind.RECORD),
        "model": {"version": model.version, "object": parts.model_key(model.version)},
        "report": report(model),
        "why": None,
    }
    lake.put_document(run.run_id, ORDER, orjson.dumps(order))
    return len(pairs)


def is_due(lake: Lake, run: Run) -> bool:
    """Whether a week has passed since scores were last calibrated, or that was tried."""
    return is_training_due(lake, LinkKind.RECORD, run.moment, CALIBRATED_EVERY_DAYS)


def _labels(stage: Stage, before: list[Part]) -> pa.Table:
    """Labelled pairs of every run there was, under whatever model it scored them."""
    if before:
        parts.open_parts(stage.engine, stage.lake, before, parts.LINKS, stage.folder)
    else:
        keep(stage.engine, "no_links", FOUND.empty_table())
        stage.engine.execute(
            "create or replace temp view every_links as select *, 0 as nth from no_links"
        )
    identity = stage.lake.workspace().identity
    return labels_of(stage.engine, SCORED_EVER, identity, stage.moment).cast(LABEL)


def _abstain(lake: Lake, run: Run, why: str) -> None:
    """Asks for nothing but that the reason is told, once a week."""
    lake.put_document(run.run_id, RAW, parquet(LINKS.empty_table()))
    lake.put_document(run.run_id, LABELS, parquet(LABEL.empty_table()))
    order = {
        "version": run.run_id, "is_calibrating": is_due(lake, run), "least_labels": 0,
        "least_probability": 1.0, "pinned": None, "model": None, "report": {}, "why": why,
    }  # fmt: skip
    lake.put_document(run.run_id, ORDER, orjson.dumps(order))


def parquet(rows: pa.Table) -> bytes:
    """Rows as a Parquet object."""
    sink = BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()
