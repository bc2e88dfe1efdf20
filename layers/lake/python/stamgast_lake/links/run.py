"""The stages `pair_devices` and `store_links` of a run of links, over documents of the run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from stamgast.identity.device_features import FEATURES
from stamgast.identity.link_settings import device_settings_of
from stamgast.identity.links import LOGGED_IN, LinkKind
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.links.devices import gather_devices
from stamgast_lake.links.models import Tried, is_training_due, keep_model, model_in_use
from stamgast_lake.links.pairs import measure, panels
from stamgast_lake.links.publish import PutAll, publish_links
from stamgast_lake.links.settle import settle
from stamgast_lake.links.store import Statement, expire, store
from stamgast_lake.logs import count
from stamgast_lake.runs import LINKS_STAGE, Run, close_stage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAIRS, ORDER = "links/{kind}-pairs.parquet", "links/{kind}-order.json"
SCORES, OUTCOME = "links/{kind}-scores.parquet", "links/{kind}-outcome.json"
SCORED_ROWS = """
    select cast(a as varchar) as a, cast(b as varchar) as b,
        cast(probability as double) as probability, cast(reasons as varchar) as reasons
    from read_parquet('{path}')
"""


def version_of(run_id: str) -> str:
    """The version of a model that this run trains."""
    return run_id.removeprefix("links-")


def pair_run(lake: Lake, run: Run, *, is_training: bool = False) -> dict[str, int]:
    """Measures the pairs of devices, writes them and what is asked of the model; the figures.

    Training falls due by the workspace's interval, or when it is asked for. The model in use is
    written down here, so that a run knows one model from its beginning to its end.
    """
    workspace = lake.workspace()
    settings, identity = device_settings_of(workspace.linking), workspace.identity
    every = settings.train_every_days
    is_training = is_training or is_training_due(lake, LinkKind.DEVICE, run.moment, every)
    names = tuple(n.name for n in identity.namespaces if n.kind in LOGGED_IN[LinkKind.DEVICE])
    with session() as engine:
        gather_devices(engine, lake, settings, run.moment, names)
        found = panels(run.moment, settings, is_training)
        for panel in found:
            measure(engine, settings, panel, f"panel_{panel.number}")
        told = " union all ".join(f"select * from panel_{panel.number}" for panel in found)
        engine.execute(f"create or replace temp view every_pair as {told}")
        figures = {
            "pairs": count(engine, "select count(*) from every_pair where label < 0"),
            "labels": count(engine, "select count(*) from every_pair where label >= 0"),
            "positives": count(engine, "select count(*) from every_pair where label = 1"),
        }
        _put_parquet(engine, lake, run, "every_pair", PAIRS.format(kind=LinkKind.DEVICE))
    order = {
        "version": version_of(run.run_id),
        "features": list(FEATURES),
        "is_training": is_training,
        "least_labels": settings.least_labels,
        "least_probability": settings.least_probability,
        "pinned": model_in_use(lake, LinkKind.DEVICE),
    }
    name = ORDER.format(kind=LinkKind.DEVICE)
    lake.put_document(run.run_id, name, orjson.dumps(order))
    return figures


def store_run(
    lake: Lake,
    run: Run,
    expiry_days: Mapping[LinkKind, int],
    put_all: PutAll,
    closed_at: datetime,
) -> dict[str, Any]:
    """Settles what stands, states what the run scored of these kinds, ends what is over, tells.

    `put_all` writes items of the live view and returns how many it wrote. The caller holds the
    run's lease. Repeating it changes nothing.
    """
    figures: dict[str, Any] = {}
    with session() as engine:
        figures["settled"] = settle(engine, lake, run, lake.workspace().identity)
        for kind, days in expiry_days.items():
            figures[kind.value] = _state(engine, lake, run, kind, days)
        figures["expired"] = expire(engine, lake, run)
        figures["published"] = publish_links(engine, lake, run, put_all)
    close_stage(lake, run, LINKS_STAGE, figures, closed_at)
    return figures


def _state(
    engine: "DuckDBPyConnection", lake: Lake, run: Run, kind: LinkKind, days: int
) -> dict[str, int]:
    outcome = orjson.loads(lake.document(run.run_id, OUTCOME.format(kind=kind)))
    if outcome["is_new"]:
        told = {name: outcome[name] for name in ("version", "is_used", "why", "model", "report")}
        keep_model(lake, run, kind, Tried(**told))
    if outcome["scored_by"] is None:
        return {"stated": 0, "written": 0, "withdrawn": 0}
    statement = Statement(kind, outcome["scored_by"], run.moment + timedelta(days=days))
    with _document(lake, run, SCORES.format(kind=kind)) as path:
        engine.execute(f"create or replace temp table scored as {SCORED_ROWS.format(path=path)}")
    return store(engine, lake, run, statement, "scored")


def _put_parquet(engine: "DuckDBPyConnection", lake: Lake, run: Run, rows: str, name: str) -> None:
    with TemporaryDirectory(prefix="stamgast-links-") as folder:
        path = Path(folder) / "rows.parquet"
        engine.sql(f"select * from {rows}").write_parquet(str(path), compression="zstd")
        lake.put_document(run.run_id, name, path.read_bytes())


@contextmanager
def _document(lake: Lake, run: Run, name: str) -> Iterator[Path]:
    """A document of the run as a file of this machine."""
    with TemporaryDirectory(prefix="stamgast-links-") as folder:
        path = Path(folder) / "rows.parquet"
        path.write_bytes(lake.document(run.run_id, name))
        yield path
