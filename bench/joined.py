"""Joined: what is stated of people of past cut-offs as identity knew them then, beside persons of
today, and beside what comes.

    python bench/joined.py [--worlds 3] [--first 0] [--people 2500] [--of propensity uplift
        lifetime_value] [--cost 0]

Buying tells who somebody is, in three worlds (`tests/fakes/joining_world.py`,
`bench/joined_worlds.py`). A version is made by the very functions of a run, twice: of people as
they were known at each cut-off, and of persons as they are known now, which was the way before.
What is stated stands beside what comes of people who are scored: the area and the mean of a
propensity; the effect of an offer, as it is among many others who all are offered it or none; the
error of a lifetime value, and the money that is stated in all over what comes. `--cost` measures
so many people at all cut-offs of the propensity, both ways, in seconds of CPU.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.coverage import area
from bench.joined_worlds import OFFERED, WORTH, customers, rate, visitors
from stamgast.models.declaration import models_of
from stamgast.moments import ms_of
from stamgast_lake.features import known_as, panel
from stamgast_lake.features.run import write_panel
from stamgast_learn.calibration import Floats
from stamgast_learn.kinds import learn_run, order_of, score_run
from stamgast_learn.parquet import Columns, read_columns
from tests.fakes.joining_world import BEYOND, MODELS, Happened, lake_of, lives
from tests.fakes.model_world import DAYS, ENDS_AT, workspace

WAYS = {"as known then": known_as.AS_THEN, "persons of today": frozenset()}
MOST_TOLD = 90
Told = tuple[dict[str, Any], Columns | None]


@contextmanager
def of(way: str) -> Iterator[None]:
    """People are measured this way."""
    with patch.object(panel, "AS_THEN", WAYS[way]):
        yield


def version(models: str, happened: list[Happened]) -> Told:
    """What is said of a version that is made now, and its scores, if it may be used."""
    told = workspace(models, "segments: {}")
    (model,) = models_of(told.models)
    with TemporaryDirectory() as folder:
        file, scores = (Path(folder) / name for name in ("panel", "scores"))
        written = write_panel(lake_of(told, happened), model, ms_of(ENDS_AT), file)
        order = order_of(model, "1", written.history_days)
        outcome, made = learn_run(order, file, None)
        report = {"why": outcome.why, **outcome.report}
        if made is None:
            return report, None
        score_run(order, made, file, scores)
        return report, read_columns(scores)


def humans(scores: Columns) -> Floats:
    """Who each of those who are scored is, in truth."""
    return np.array([int(one.partition(":")[2][:5]) for one in scores["person_id"]])


def spent(happened: list[Happened], people: int) -> tuple[Floats, Floats]:
    """How often everybody orders in the days that come, and what they pay."""
    told = [one for one in happened if one.event == "Order Completed" and one.day >= DAYS]
    who = np.array([one.human for one in told if one.day < DAYS + BEYOND], dtype=np.int64)
    paid = [one.cents / 100 for one in told if one.day < DAYS + BEYOND]
    return np.bincount(who, minlength=people), np.bincount(who, paid, minlength=people)


def propensity(people: int, seed: int) -> Iterator[str]:
    """The area and the mean that are stated, and those of people now."""
    happened = lives(people, seed)
    bought = spent(happened, people)[0] > 0
    for way in WAYS:
        with of(way):
            report, scores = version(MODELS, happened)
        ranking = report.get("judgement", {}).get("ranking", {})
        line = _line(way, "area", ranking.get("auc"), report)
        if scores is not None:
            came, value = bought[humans(scores)], scores["value"]
            line += (
                f" is {area(value, came * 1.0):.3f}; mean {value.mean():.3f} of {came.mean():.3f}"
            )
        yield line


def uplift(people: int, seed: int) -> Iterator[str]:
    """The effect that is stated, and that of many others who all are offered it, or none are."""
    happened, others = visitors(2 * people, seed), range(4 * people)
    both = [rate(visitors(len(others), seed + 10_000, one), others) for one in (1.0, 0.0)]
    for way in WAYS:
        with of(way):
            report, _ = version(OFFERED, happened)
        stated = report.get("judgement", {}).get("effect")
        yield f"{_line(way, 'effect', stated, report)}; is {both[0] - both[1]:.3f}"


def lifetime(people: int, seed: int) -> Iterator[str]:
    """The money that is stated in all over what comes: at the newest cut-off, and now."""
    happened = customers(people, seed)
    _, money = spent(happened, people)
    for way in WAYS:
        with of(way):
            report, scores = version(WORTH, happened)
        judged = report.get("judgement", {})
        errors = judged.get("errors", {}).get(judged.get("chosen"), {})
        line = _line(way, f"{judged.get('chosen')}, error", errors.get("mae"), report)
        if scores is not None:
            who = humans(scores)
            came = (money / np.maximum(np.bincount(who, minlength=people), 1))[who]
            off = np.abs(scores["value"] - came).mean()
            line += f"; is {off:.2f}; in all {scores['value'].sum() / came.sum():.2f} of what comes"
        yield line


def cost(people: int) -> Iterator[str]:
    """Seconds of CPU to measure people at five past cut-offs and now."""
    happened, told = lives(people, 1), workspace(MODELS, "segments: {}")
    lake, (model,) = lake_of(told, happened), models_of(told.models)
    for way in WAYS:
        with of(way), TemporaryDirectory() as folder:
            began = time.process_time()
            write_panel(lake, model, ms_of(ENDS_AT), Path(folder) / "panel")
            spent_on = time.process_time() - began
        yield f"{way:16} {len(happened):,} events measured in {spent_on:.1f} s of CPU"


def _line(way: str, name: str, stated: Any, report: dict[str, Any]) -> str:
    told = f"{way:16} {name} "
    if stated is None:
        return f"{told}not stated: {report['why']}"
    told += f"{stated['value']:.3f} ({stated['low']:.3f} to {stated['high']:.3f})"
    return told if report["why"] is None else f"{told}, not used: {report['why'][:MOST_TOLD]}"


KINDS: dict[str, Callable[[int, int], Iterator[str]]] = {
    "propensity": propensity,
    "uplift": uplift,
    "lifetime_value": lifetime,
}


def main() -> None:
    """Prints a row a world and way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--people", type=int, default=2_500)
    parser.add_argument("--of", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--cost", type=int, default=0, help="people to measure both ways")
    asked = parser.parse_args()
    for kind in asked.of:
        for seed in range(asked.first, asked.first + asked.worlds):
            for line in KINDS[kind](asked.people, seed):
                print(f"{kind:14} {seed:3}  {line}", flush=True)
    for line in cost(asked.cost) if asked.cost else ():
        print(f"cost                {line}", flush=True)


if __name__ == "__main__":
    main()
