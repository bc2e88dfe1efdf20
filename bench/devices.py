"""How good device links are in a generated world, and what they cost per million events.

    python bench/devices.py [--persons 6000] [--days 150] [--json]

The world is generated from a seed and labelled so: nothing in it is real. Its truth judges the
links of the run's moment, of devices that had not logged in, and that no label told the model of.
Beside the model, in the same run, stands the naive rule: one address, one person. CPU seconds of
this process, with one thread of the engine.
"""

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from stamgast.identity.link_settings import DeviceSettings
from stamgast.identity.links import LinkKind
from stamgast.identity.settings import DEFAULT
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.lake import Lake
from stamgast_lake.links.devices import gather_devices
from stamgast_lake.links.pairs import measure, panels
from stamgast_lake.links.run import ORDER, OUTCOME, PAIRS, SCORES, pair_run, store_run
from stamgast_lake.runs import Run
from stamgast_lake.tables import EVENTS, IDENTITY, LINKS
from stamgast_learn.run import Order, learn_run
from tests.fakes.device_world import DeviceWorld, generate
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.fakes.linking import linking_of

SEED = 20_261
THRESHOLDS = (0.5, 0.8, 0.9, 0.95)
DEVICE = LinkKind.DEVICE


class Objects:
    """Documents of runs in memory."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803, ARG002
        self.bodies[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803, ARG002
        return {"Body": BytesIO(self.bodies[Key])}


def lake_of(world: DeviceWorld, settings: DeviceSettings) -> Lake:
    """A lake in memory with the world in it."""
    catalogue: Any = MemoryCatalogue()
    for table, rows in ((EVENTS, world.events), (IDENTITY, world.identity)):
        catalogue.append(table, rows.to_reader(), Commit("r1", "load"))
    purposes = {"frequency_capping": 0.8}
    workspace = Workspace("1", "UTC", {}, DEFAULT, purposes=purposes, linking=linking_of(settings))

    def no_keyring() -> Any:
        raise LookupError("links need no keyring")

    return Lake(Objects(), "bucket", catalogue, lambda: workspace, no_keyring)


def one_night(lake: Lake, run: Run, settings: DeviceSettings, *, is_training: bool) -> Any:
    """A whole run of links in this process: CPU seconds by stage, and what was learnt."""
    spent: dict[str, float] = {}
    paired = timed(spent, "pair_devices", lambda: pair_run(lake, run, is_training=is_training))
    outcome = timed(spent, "train_links", lambda: learn(lake, run))
    days = {DEVICE: settings.expiry_days}
    timed(spent, "store_links", lambda: store_run(lake, run, days, put_all, run.moment))
    return spent, paired, outcome


def learn(lake: Lake, run: Run) -> Any:
    """The stage `train_links` over documents in memory."""
    with TemporaryDirectory() as folder:
        pairs, scores = Path(folder) / "pairs.parquet", Path(folder) / "scores.parquet"
        pairs.write_bytes(lake.document(run.run_id, PAIRS.format(kind=DEVICE)))
        order = Order.of(json.loads(lake.document(run.run_id, ORDER.format(kind=DEVICE))))
        outcome = learn_run(order, pairs, scores)
        lake.put_document(run.run_id, SCORES.format(kind=DEVICE), scores.read_bytes())
        lake.put_document(run.run_id, OUTCOME.format(kind=DEVICE), outcome.to_json())
    return outcome


def put_all(rows: Iterable[Any]) -> int:
    """A live view that costs nothing."""
    return len(list(rows))


def timed(spent: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """The work's result; its CPU seconds go under its name."""
    began = process_time()
    result = work()
    spent[name] = round(process_time() - began, 2)
    return result


def quality(lake: Lake, world: DeviceWorld, settings: DeviceSettings) -> list[dict[str, Any]]:
    """The model's links and the naive rule's against the world's truth, by threshold."""
    with session(EngineSettings(1_024, 1, Path("/tmp"))) as engine:
        gather_devices(engine, lake, settings, world.ends_at, ("user_id",))
        measure(engine, settings, panels(world.ends_at, settings, False)[0], "naive")
        naive = engine.execute("select a, b from naive").fetchall()
        engine.register("links", lake.catalogue.dataset(LINKS))
        stated = engine.execute("select a, b, probability from links").fetchall()
    possible = sum(world.owner[a] == world.owner[b] for a, b in naive)
    told = [_judged("one address, one person", naive, world, possible)]
    for threshold in THRESHOLDS:
        taken = [(a, b) for a, b, probability in stated if probability >= threshold]
        told.append(_judged(f"model from {threshold}", taken, world, possible))
    return told


def _judged(
    name: str, links: list[tuple[str, str]], world: DeviceWorld, possible: int
) -> dict[str, Any]:
    right = sum(world.owner[a] == world.owner[b] for a, b in links)
    return {
        "rule": name,
        "links": len(links),
        "precision": round(right / len(links), 4) if links else None,
        "recall of reachable": round(right / possible, 4) if possible else None,
    }


def main() -> None:
    """Generate, train, score a second night, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=6_000)
    parser.add_argument("--days", type=int, default=150)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    world = generate(options.persons, options.days, SEED)
    settings = DeviceSettings(is_on=True, history_days=options.days - 35, least_probability=0.05)
    lake, millions = lake_of(world, settings), world.events.num_rows / 1e6
    first, paired, outcome = one_night(
        lake, Run("links-1", 1, world.ends_at), settings, is_training=True
    )
    judged = quality(lake, world, settings)
    later = Run("links-2", 2, world.ends_at + timedelta(minutes=5))
    second, _, _ = one_night(lake, later, settings, is_training=False)
    held_out = outcome.report.get("held_out")
    if held_out is None:
        sys.exit(f"the training abstained: {outcome.why}; take more persons or days")
    told = {
        "world": f"generated from seed {SEED}",
        "events": world.events.num_rows,
        "devices": len(world.owner),
        "pairs": paired,
        "held_out": {
            name: held_out[name]
            for name in ("labels", "brier", "brier_low", "brier_high", "base_rate_brier")
        },
        "quality": judged,
        "cpu_seconds_training_night": first,
        "cpu_seconds_other_night": second,
        "cpu_seconds_per_million_events": {
            "training night": round(sum(first.values()) / millions, 2),
            "other night": round(sum(second.values()) / millions, 2),
        },
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told) if options.json else json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
