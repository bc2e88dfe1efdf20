"""Recommendations of many products: CPU seconds to learn and judge, to offer, and the most memory.

    python bench/recommendations.py [--people 20000] [--products 10000] [--json]

People of fifty tastes buy within theirs, some products far oftener than others, for 240 days; four
cut-offs a month apart are learnt of, and everybody is offered ten products.
"""

import argparse
import json
import resource
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np

from stamgast_learn.parquet import write_columns
from stamgast_learn.predict.run import Order
from stamgast_learn.recommend.run import learn_run, score_run

START, DAYS, TASTES, BOUGHT = 20_000, 240, 50, 25
CUTS = (START + 120, START + 150, START + 180, START + 210)
SETTINGS = {
    "of": "product",
    "number": 10,
    "least_buyers": 5,
    "not_bought_within_days": 0,
    "out_of_stock": [],
    "not_categories": [],
}
ORDER = Order(
    *("next", "1", (), 30, 100, 0.01, 365, True), kind="recommendation", settings=SETTINGS
)


def purchases(people: int, products: int) -> tuple[Any, Any, Any]:
    """Who bought what on which day."""
    random, each = np.random.default_rng(8), products // TASTES
    person = np.repeat(np.arange(people), BOUGHT)
    popular = np.minimum(random.geometric(4 / each, len(person)) - 1, each - 1)
    taste = np.where(random.random(len(person)) < 0.8, person % TASTES, person * 7 % TASTES)
    return person, START + random.integers(0, DAYS, len(person)), taste * each + popular


def panel(people: int, products: int, path: Path) -> Path:
    """The file that a run of the model reads."""
    person, day, item = purchases(people, products)
    meant = np.tile(np.arange(people), len(CUTS) + 1)
    label = np.append(np.zeros(len(CUTS) * people), np.full(people + len(person), np.nan))
    days = np.concatenate([np.repeat([*CUTS, START + DAYS], people), day])
    nothing = np.full(len(meant), None, dtype=object)
    columns = {
        "person_id": _names("p", np.append(meant, person)),
        "cut_on": days.astype("datetime64[D]").astype("datetime64[us]"),
        "label": label,
        "cell": np.full(len(days), None, dtype=object),
        "product": np.append(nothing, _names("i", item)),
        "category": np.append(nothing, _names("c", item % TASTES)),
    }
    write_columns(path, columns)
    return path


def _names(kind: str, numbers: Any) -> Any:
    return np.array([f"{kind}{number}" for number in numbers], dtype=object)


def measured(people: int, products: int) -> dict[str, Any]:
    """What it took, and what the model is worth beside its baselines."""
    with TemporaryDirectory() as folder:
        path = panel(people, products, Path(folder) / "panel.parquet")
        start = process_time()
        outcome, made = learn_run(ORDER, path, None)
        learnt = process_time()
        if made is None:
            raise SystemExit(outcome.why)
        score_run(replace(ORDER, is_training=False), made, path, Path(folder) / "scores.parquet")
        offered = process_time()
    figures = outcome.report["judgement"]["figures"]
    return {
        "products": products,
        "people": people,
        "learn_and_judge_cpu_s": round(learnt - start, 2),
        "offer_cpu_s": round(offered - learnt, 2),
        "offer_ms_a_person": round(1_000 * (offered - learnt) / people, 3),
        "most_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **{f"ndcg_{name}": round(one["ndcg"]["value"], 4) for name, one in figures.items()},
    }


def main() -> None:
    """Prints a figure a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    told = measured(asked.people, asked.products)
    print(json.dumps(told) if asked.json else "\n".join(f"{n:24} {one}" for n, one in told.items()))


if __name__ == "__main__":
    main()
