"""Calls of the table and CPU seconds of a first run's publishing, phase by phase.

Run: `python -m bench.publish [PERSONS]` (300 unless said). Everybody comes by file, with ten
orders, under the worked example's workspace; the real stages run over the in-process DynamoDB,
whose own share is in the seconds. The real client's, some milliseconds a call, is not.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.live_wiring import live_rules
from stamgast_aws.person_rows import DynamoPersonRows
from stamgast_aws.recent_cuts import recent_cuts
from stamgast_lake.publishing import run as publishing
from stamgast_lake.publishing.run import Place, publish_run
from stamgast_lake.publishing.work import Publisher, Task
from stamgast_lake.runs import Run
from tests.lake.world import NOON_MS, TIMELINE_DAYS, World, evaluate, resolve, unify

FOLDER = Path(__file__).parents[1] / "workspace"
ORDERS, DAY_MS = 10, 86_400_000
SEED = 3
Phase = Callable[[Task], Iterator[str]]


def history(random: Random, person: int) -> Iterator[dict[str, Any]]:
    """One person's sign-up and orders of a year."""
    who = {"userId": f"person-{person}"}
    traits = {"household_size": random.choice("1234"), "age_band": random.choice(("25-34", "65+"))}
    yield {
        **who,
        "type": "identify",
        "anonymousId": f"cookie-{person}",
        "messageId": f"sign-up-{person}",
        "timestamp": NOON_MS - 360 * DAY_MS,
        "traits": {"email": f"person{person}@shop.example", **traits},
    }
    for n in range(ORDERS):
        line = {"product_id": "1", "category": random.choice(("BEERS/ALES", "SOAP")), "quantity": 1}
        told = {"order_id": f"{person}-{n}", "revenue": random.randrange(1, 200), "currency": "USD"}
        yield {
            **who,
            "type": "track",
            "event": "Order Completed",
            "messageId": f"order-{person}-{n}",
            "timestamp": NOON_MS - random.randrange(1, 360) * DAY_MS,
            "properties": {**told, "products": [{**line, "price": 2.5}]},
        }


def measured(world: World, name: str, phase: Phase) -> Phase:
    """The phase, which prints what it took."""

    def run(task: Task) -> Iterator[str]:
        before, began = Counter(world.dynamodb.calls), time.process_time()
        yield from phase(task)
        calls = Counter(world.dynamodb.calls) - before
        told = ", ".join(f"{number} {call}" for call, number in sorted(calls.items())) or "–"
        seconds = time.process_time() - began
        print(f"| {name} | {seconds:.2f} | {calls.total()} | {told} |")

    return run


def publish(world: World, run: Run, _load: Mapping[str, int]) -> Mapping[str, int]:
    """The stage as its function wires it, one thread at work."""
    rules = live_rules(
        world.workspace,
        world.dynamodb,
        "profiles",
        world.tell_memberships,
        lambda: world.now_ms,
        lambda _: None,
        is_run=True,
    )
    rows = DynamoPersonRows(world.dynamodb, "profiles", lambda _: None)
    stores, tells = (world.identity, world.facts, rows), (world.tell, world.tell_memberships)
    with ThreadPoolExecutor(1) as threads:
        cuts = recent_cuts(world.dynamodb, "profiles", "control")
        rest = (TIMELINE_DAYS, lambda _: None, lambda: False, threads, cuts, 1)
        live = rules and replace(rules, each=map)
        publisher = Publisher(world.lake, *stores, *tells, *rest, live)
        figures: Mapping[str, int] = publish_run(publisher, run, Place()).figures
    return figures


def main() -> None:
    """Prints the table."""
    persons, random = int(sys.argv[1]) if sys.argv[1:] else 300, Random(SEED)
    files = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.yaml")}
    world = World(workspace=workspace_of(compile_files(files)))
    for person in range(persons):
        world.put_file(*history(random, person), request_id=f"import-{person}")
    phases = publishing.PHASES
    publishing.PHASES = tuple((name, measured(world, name, phase)) for name, phase in phases)
    print("| phase | CPU s | calls | of them |\n|---|---|---|---|")
    figures = world.run((resolve, unify, evaluate, publish))
    print(f"\n{persons} persons, {ORDERS} orders each: {figures['publish']}")


if __name__ == "__main__":
    main()
