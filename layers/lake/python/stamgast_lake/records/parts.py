"""What record linkage keeps beside the tables: the model in use, and parts, one of each run.

Below `models/records/`: `current.json` names the model in use, `<version>.json` is the model,
`parts.json` lists the runs; `<version>/<run>/persons.parquet` has the persons that a run compared
with their blocking keys, `…/links.parquet` what it found. Keys are hashes; no value is kept.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError

from stamgast_lake.lake import Lake
from stamgast_lake.records.model import FORMAT, Model
from stamgast_lake.runs import Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = "models/records"
KEPT_DAYS = 400
"""How long the pairs that an older model scored may still become labels."""
PERSONS, LINKS = "persons", "links"
FOUND = pa.schema(
    {
        "a": pa.string(),
        "b": pa.string(),
        "probability": pa.float64(),
        "reasons": pa.string(),
        "key_a": pa.string(),
        "key_b": pa.string(),
        "scored_at": pa.timestamp("us", "UTC"),
    }
)
"""A pair of persons as a run scored it, with the identifiers that stood for both."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one run added to what a model has compared."""

    version: str
    run_id: str
    moment: str


def current(lake: Lake) -> dict[str, Any] | None:
    """The version in use, when it was trained and under which settings; None before the first."""
    told: dict[str, Any] | None = _json(lake, f"{FOLDER}/current.json")
    return told


def model_of(lake: Lake, version: str) -> Model:
    """A model that was kept."""
    return Model.from_json(_object(lake, model_key(version)) or b"")


def model_key(version: str) -> str:
    """Where a model is kept."""
    return f"{FOLDER}/{version}.json"


def parts_before(lake: Lake, run: Run) -> list[Part]:
    """The parts of all earlier runs, oldest first; a run that is repeated begins anew."""
    told = _json(lake, f"{FOLDER}/parts.json") or []
    parts = [Part(**one) for one in told]
    return [one for one in parts if one.run_id != run.run_id]


def keep_part(
    engine: "DuckDBPyConnection", lake: Lake, part: Part, folder: Path, before: list[Part]
) -> None:
    """Keeps relations `part_person` and `part_link` as a run's part, and names it in the list."""
    for name, relation in ((PERSONS, "part_person"), (LINKS, "part_link")):
        path = folder / f"kept-{name}.parquet"
        engine.sql(f"select * from {relation}").write_parquet(str(path), compression="zstd")
        _put(lake, _key(part, name), path.read_bytes())
    since = datetime.fromisoformat(part.moment) - timedelta(days=KEPT_DAYS)
    kept = [
        one
        for one in before
        if one.version == part.version or datetime.fromisoformat(one.moment) >= since
    ]
    _put(lake, f"{FOLDER}/parts.json", orjson.dumps([asdict(one) for one in (*kept, part)]))


def keep_model(lake: Lake, run: Run, model: Model, fingerprint: str, persons: int) -> None:
    """Keeps a model, and last that it is the one in use, so that this never leads nowhere."""
    _put(lake, model_key(model.version), model.to_json())
    told = {
        "version": model.version,
        "trained_at": run.moment.isoformat(),
        "settings": fingerprint,
        "format": FORMAT,
        "persons": persons,
    }
    _put(lake, f"{FOLDER}/current.json", orjson.dumps(told))


def open_parts(
    engine: "DuckDBPyConnection", lake: Lake, parts: list[Part], name: str, folder: Path
) -> None:
    """Makes view `every_<name>`: the rows of these parts with `nth`, the place of the part."""
    paths = []
    for place, part in enumerate(parts):
        path = folder / f"{name}-{place}.parquet"
        path.write_bytes(_object(lake, _key(part, name)) or b"")
        paths.append(path)
    told = " union all by name ".join(
        f"select *, {place} as nth from read_parquet('{path}')" for place, path in enumerate(paths)
    )
    engine.execute(f"create or replace temp view every_{name} as {told}")


def _key(part: Part, name: str) -> str:
    return f"{FOLDER}/{part.version}/{part.run_id}/{name}.parquet"


def _put(lake: Lake, key: str, body: bytes) -> None:
    lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)


def _json(lake: Lake, key: str) -> Any:
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
