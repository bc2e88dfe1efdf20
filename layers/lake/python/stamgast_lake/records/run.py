"""The stage `link_records` of a run of links: persons in, links as documents of the run out.

Everything is kept below `models/records/`: `current.json` names the model in use, `<version>.json`
is the model, `<version>/compared.parquet` the persons that it has compared and `…/links.parquet`
what it found. Only persons that are new or say something else are compared again, with everybody.
Repeating a run gives the same documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from stamgast.identity.records import RecordSettings
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import keep
from stamgast_lake.records.link import learn_and_link, link
from stamgast_lake.records.model import Model
from stamgast_lake.records.persons import read_persons
from stamgast_lake.records.train import TooFewRecordsError
from stamgast_lake.runs import Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = "models/records"
SCORES, OUTCOME = "links/record-scores.parquet", "links/record-outcome.json"
UNCALIBRATED = "probabilities are the model's own: no later log-in has been compared with them"
KEPT = """
    select link.* from known_link link
    where a in (select person from unchanged) and b in (select person from unchanged)
"""
BOTH = """
    select least(ka.identifier, kb.identifier) as a, greatest(ka.identifier, kb.identifier) as b,
        links.probability, links.reasons
    from links join person_key ka on ka.person_id = links.a
    join person_key kb on kb.person_id = links.b order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the model in use has compared: each person's profile hash, and the links it found."""

    hashes: Mapping[str, str]
    links: pa.Table


def link_records_run(
    lake: Lake, run: Run, settings: RecordSettings, *, is_training: bool = False
) -> dict[str, Any]:
    """Links all persons, incrementally where a model is in use, and writes the documents of it.

    A model is trained when there is none, when its days are over, when settings changed, or when
    it is asked for.
    """
    with session() as engine:
        records, hashes = read_persons(engine, lake, settings)
        current = _json(lake, f"{FOLDER}/current.json")
        try:
            if is_training or current is None or _is_old(current, run, settings):
                model, links, figures = _anew(engine, records, settings)
            else:
                model = Model.from_json(_object(lake, _key(current["version"])) or b"")
                links, figures = _news(engine, lake, model, records, hashes, settings)
        except TooFewRecordsError as error:
            return _abstain(lake, run, str(error))
        is_new = current is None or current["version"] != model.version
        _keep(lake, run, settings, model, Known(hashes, links), is_new)
        keep(engine, "links", links)
        _tell(lake, run, model, engine.sql(BOTH).to_arrow_table(), is_new)
    return {"persons": len(hashes), "links": links.num_rows, "version": model.version, **figures}


def _anew(
    engine: "DuckDBPyConnection", records: pa.Table, settings: RecordSettings
) -> tuple[Model, pa.Table, dict[str, int]]:
    model, scored = learn_and_link(engine, records, settings, settings.least_probability)
    return model, with_reasons(scored), {"trained": 1, "compared": records.num_rows}


def _news(
    engine: "DuckDBPyConnection",
    lake: Lake,
    model: Model,
    records: pa.Table,
    hashes: Mapping[str, str],
    settings: RecordSettings,
) -> tuple[pa.Table, dict[str, int]]:
    known = _known(lake, model.version)
    changed = [one for one, told in hashes.items() if known.hashes.get(one) != told]
    unchanged = [one for one, told in hashes.items() if known.hashes.get(one) == told]
    figures = {"trained": 0, "compared": len(changed)}
    keep(engine, "known_link", known.links)
    keep(engine, "unchanged", pa.table({"person": pa.array(unchanged, pa.string())}))
    kept = engine.sql(KEPT).to_arrow_table().cast(LINKS)
    if not changed:
        return kept, figures
    new = pa.array(changed, pa.string())
    found = link(engine, records, model, settings.least_probability, new)
    return pa.concat_tables([kept, with_reasons(found)]).sort_by(
        [("a", "ascending"), ("b", "ascending")]
    ), figures


LINKS = pa.schema(
    {"a": pa.string(), "b": pa.string(), "probability": pa.float64(), "reasons": pa.string()}
)


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


def _is_old(current: Mapping[str, Any], run: Run, settings: RecordSettings) -> bool:
    """Whether a model is past its days, or was trained under other settings."""
    days = timedelta(days=settings.train_every_days)
    trained_at = datetime.fromisoformat(current["trained_at"])
    return trained_at + days <= run.moment or bool(current["settings"] != settings.fingerprint)


def _keep(
    lake: Lake, run: Run, settings: RecordSettings, model: Model, known: Known, is_new: bool
) -> None:
    """Writes what the next run begins from; the pointer is last, so that it never leads nowhere."""
    if is_new:
        _put(lake, _key(model.version), model.to_json())
    compared = pa.table({"person": list(known.hashes), "hash": list(known.hashes.values())})
    _put(lake, f"{FOLDER}/{model.version}/compared.parquet", parquet(compared))
    _put(lake, f"{FOLDER}/{model.version}/links.parquet", parquet(known.links))
    if is_new:
        told = {
            "version": model.version,
            "trained_at": run.moment.isoformat(),
            "settings": settings.fingerprint,
        }
        _put(lake, f"{FOLDER}/current.json", orjson.dumps(told))


def _tell(lake: Lake, run: Run, model: Model, links: pa.Table, is_new: bool) -> None:
    lake.put_document(run.run_id, SCORES, parquet(links))
    outcome = {
        "version": model.version,
        "scored_by": model.version,
        "is_new": is_new,
        "is_used": True,
        "why": None,
        "model": {"version": model.version, "object": _key(model.version)},
        "report": report(model),
    }
    lake.put_document(run.run_id, OUTCOME, orjson.dumps(outcome))


def report(model: Model) -> dict[str, Any]:
    """What a model tells of itself: how it was trained, what blocking reaches, what it left out."""
    return {
        "records": model.records,
        "expected_matches": round(model.reach.found),
        "blocking_recall": round(model.reach.recall, 4),
        "calibrated": False,
        "calibration": UNCALIBRATED,
        "columns": list(model.columns),
        "rules": [
            {
                "rule": block.rule,
                "comparisons": block.comparisons,
                "not_made": block.refused_comparisons,
                "matches": round(model.reach.found_by_rule[block.rule]),
            }
            for block in model.blocks
        ],
        "notes": list(model.notes),
    }


def _abstain(lake: Lake, run: Run, why: str) -> dict[str, Any]:
    lake.put_document(run.run_id, SCORES, parquet(LINKS.empty_table()))
    outcome: dict[str, Any] = {
        "version": run.run_id, "scored_by": None, "is_new": False, "is_used": False,
        "why": why, "model": None, "report": {},
    }  # fmt: skip
    lake.put_document(run.run_id, OUTCOME, orjson.dumps(outcome))
    return {"links": 0, "abstained": why}


def _known(lake: Lake, version: str) -> Known:
    compared = _object(lake, f"{FOLDER}/{version}/compared.parquet")
    links = _object(lake, f"{FOLDER}/{version}/links.parquet")
    if compared is None or links is None:
        return Known({}, LINKS.empty_table())
    rows = pq.read_table(BytesIO(compared))
    hashes = dict(zip(rows["person"].to_pylist(), rows["hash"].to_pylist(), strict=True))
    return Known(hashes, pq.read_table(BytesIO(links)).cast(LINKS))


def parquet(rows: pa.Table) -> bytes:
    """Rows as a Parquet object."""
    sink = BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def _key(version: str) -> str:
    return f"{FOLDER}/{version}.json"


def _put(lake: Lake, key: str, body: bytes) -> None:
    lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)


def _json(lake: Lake, key: str) -> dict[str, Any] | None:
    text = _object(lake, key)
    return None if text is None else orjson.loads(text)


def _object(lake: Lake, key: str) -> bytes | None:
    try:
        body: bytes = lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return body
