"""The whole demo, phase by phase, each timed: from an empty machine to a checked report."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from stamgast.moments import iso_of, ms_of
from stamgast_cli.commands.running import follow, start
from stamgast_cli.demo import history, households, lookups, models, sent
from stamgast_cli.demo.casting import Story, expected_last, prepare
from stamgast_cli.demo.dropping import drain, upload
from stamgast_cli.demo.figures import Lake
from stamgast_cli.demo.live import Sender
from stamgast_cli.demo.page import write_page
from stamgast_cli.demo.reading import facts_of, figures_of
from stamgast_cli.demo.story import Act
from stamgast_cli.demo.summary import show
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import StamgastError
from stamgast_cli.lake import opened
from stamgast_cli.local.places import Places, default_places
from stamgast_cli.local.up import up
from stamgast_cli.output import Output

PROBES, TIMED_LOOKUPS, WAIT_SECONDS = 8, 200, 120.0
GENERATED = (
    "Purchases, products, prices, discounts and demographics are real. Every identifier (accounts, "
    "loyalty cards, addresses and their typing errors, phones, cookies, devices) is GENERATED from "
    "a seed, and so is which of them a purchase was seen with."
)


Result = TypeVar("Result")


class DemoError(StamgastError):
    """The demo's figures do not agree with its input."""


@dataclass(slots=True)
class Phases:
    """What took how long."""

    output: Output
    told: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """One phase."""
        began = time.monotonic()
        with self.output.step(name):
            yield
        self.told.append({"phase": name, "seconds": round(time.monotonic() - began, 1)})


def run_demo(
    *, households: int = 100, with_models: bool = False, is_json: bool = False
) -> dict[str, Any]:
    """Runs the demo on this machine and returns its report; raises DemoError when it is wrong."""
    output, places = Output(is_json=is_json), default_places()
    began, phases = time.monotonic(), Phases(output)
    folder = places.home / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with phases("Deploying onto the emulator, and writing a year of purchases as files"):
        told, files = _beside(
            lambda: _written(households, folder, is_whole=with_models),
            lambda: up(places, step=_quiet),
        )
    report = _play(told, files, find(None), folder, phases, output)
    report["phases"] = phases.told
    report["seconds"] = round(time.monotonic() - began, 1)
    _write(report, folder)
    report["verification"] = _verified(places, phases)
    write_page(report, folder / "report.html")
    if with_models:
        with phases("Training and scoring models"):
            report["models"] = models.told(find(None), folder, output)
    report["seconds"] = round(time.monotonic() - began, 1)
    _write(report, folder)
    write_page(report, folder / "report.html")
    show(report, folder, output)
    if not report["verification"]["agrees"]:
        raise DemoError("the report's figures do not agree with its input")
    return report


def _written(
    live_households: int, folder: Path, *, is_whole: bool
) -> tuple[Story, history.History]:
    """The story and its files; models need everybody's last weeks, or they would learn the draw."""
    told = prepare(live_households, is_whole=is_whole)
    return told, history.write(told.past, folder / "imports")


def _beside(work: Callable[[], Result], other: Callable[[], object]) -> Result:
    """The result of work that was done while something else was."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        other()
        return done.result()


def _play(
    told: Story,
    files: history.History,
    deployment: Deployment,
    folder: Path,
    phases: Phases,
    output: Output,
) -> dict[str, Any]:
    with opened(deployment) as session:
        before = Lake(session).receipts()["states"]
    with phases("Uploading them to the drop zone"):
        upload(files, folder / "imports", deployment)
    span = "a year" if told.is_whole else "ten months"
    with phases(f"First run: {span} of history"):
        first = follow(deployment, start(deployment), output)
    sender = Sender(deployment.ingest_url, str(deployment.write_key))
    with phases("Sending the last weeks live"):
        sender.send(told.present)
    with phases("Waiting until look-ups show them"), lookups.readers(deployment) as reader:
        drain(deployment)  # a question that is asked too early only takes time from what it awaits
        unseen = reader.wait_until(expected_last(told.present), WAIT_SECONDS)
        probes, seen = _probe(sender, reader, told)
        sender.send_trouble(told.present)
        drain(deployment)
    sent_rows = list(sent.rows(told.past, told.present, probes))
    sent.write(sent_rows, folder / "sent.parquet")
    with phases("Second run: the live events"):
        second = follow(deployment, start(deployment), output)
    with phases("Timing look-ups"), lookups.readers(deployment) as reader:
        timing = _look(reader, told)
    with phases("Reading the figures"), opened(deployment) as session:
        figures = figures_of(session, told, deployment, before, len(sent_rows))
    return {
        "about": GENERATED,
        **facts_of(told, files),
        "runs": [first, second],
        "live": {"unseen": len(unseen), "seen_after_ms": seen},
        **timing,
        **figures,
    }


def _probe(
    sender: Sender, reader: lookups.Readers, told: Story
) -> tuple[list[Act], dict[str, float | int]]:
    """Some single events, each followed until a look-up shows it."""
    members = {act.user_id: act for act in told.present if act.user_id}
    probes, spent = [], []
    for number, act in enumerate(list(members.values())[:PROBES]):
        now = datetime.now(UTC)
        probe = replace(
            act, call="view", message_id=f"probe-{now:%Y%m%dT%H%M%S%f}-{number}", at=now,
            loyalty_card=None, email=None, phone=None, device_id=None, basket=None, traits={},
        )  # fmt: skip
        began = time.perf_counter()
        sender.send_now(probe)
        expected = {f"user_id:{act.user_id}": iso_of(ms_of(now) - 1000)}
        if not reader.wait_until(expected, WAIT_SECONDS, pause=0.02):
            spent.append((time.perf_counter() - began) * 1000)
        probes.append(probe)
    figures = lookups.Latency(tuple(spent)).figures() if len(spent) > 1 else {}
    return probes, figures


def _look(reader: lookups.Readers, told: Story) -> dict[str, Any]:
    """Timed look-ups of the people who came live; of the busiest the timeline, and why one."""
    named = sorted(expected_last(told.present))
    draw = random.Random(households.SEED)  # noqa: S311
    latency = reader.timed([draw.choice(named) for _ in range(TIMED_LOOKUPS)])
    members: dict[str, int] = {}
    for act in told.present:
        if act.user_id:
            members[act.user_id] = members.get(act.user_id, 0) + 1
    busiest = f"user_id:{max(members, key=lambda one: (members[one], one))}"
    everything = "traits,segments,rfm,activity,identifiers"
    return {
        "lookup_ms": latency.figures(),
        "lookups": [round(one, 2) for one in latency.milliseconds],
        "person": {
            "looked_up_by": busiest,
            "profile": reader.profile(busiest, everything),
            "timeline": reader.timeline(busiest)["events"],
        },
        "health": reader.health(),
        "explained": reader.explained(busiest),
    }


def _verified(places: Places, phases: Phases) -> dict[str, Any]:
    """The verdict of the independent script, run as its own process."""
    command = [sys.executable, "-m", "stamgast_cli.demo.verify", "--home", str(places.home)]
    with phases("Checking every figure against the input"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if not done.stdout:
        raise DemoError(f"the verification failed: {done.stderr[-2000:]}")
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def _write(report: dict[str, Any], folder: Path) -> None:
    text = json.dumps(report, indent=1, ensure_ascii=False, default=str)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")


@contextmanager
def _quiet(_label: str) -> Iterator[None]:
    yield
