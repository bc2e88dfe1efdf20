"""Lifetime models: CDNOW beside the paper and `lifetimes`, and the fit of a million customers.

    python bench/lifetime.py [--customers 1000000] [--json]

CDNOW's 2,357 customers (published by its authors, carried by the package `lifetimes`) are fitted on
their first 39 weeks and judged by the next 39: mean absolute and root mean squared error of each
customer's purchases. The million are drawn from CDNOW's histories, each at an age of its own, so
that no two are alike. CPU seconds.
"""

import argparse
import csv
import json
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from stamgast_learn.lifetime import bg_nbd
from stamgast_learn.lifetime.histories import Counts, Floats, Histories

CUT_OFF, END = date(1997, 9, 30), date(1998, 6, 30)
PAPER = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
WEEKS = 39.0


def cdnow() -> tuple[Histories, Counts]:
    """Histories at the cut-off in weeks, and the days with a purchase in the 39 weeks after it."""
    package = find_spec("lifetimes")
    if package is None or package.origin is None:
        raise SystemExit("CDNOW comes with the package `lifetimes`: run `make setup` first")
    days: dict[str, set[date]] = {}
    with (Path(package.origin).parent / "datasets" / "CDNOW_sample.txt").open() as lines:
        for row in csv.reader(lines, delimiter=" ", skipinitialspace=True):
            days.setdefault(row[0], set()).add(date.fromisoformat(row[2]))
    told = [_history(sorted(bought)) for bought in days.values()]
    x, recency, age, later = (np.array(column) for column in zip(*told, strict=True))
    return Histories(x, recency / 7, age / 7), later


def _history(bought: list[date]) -> tuple[int, float, float, int]:
    until = [day for day in bought if day <= CUT_OFF]
    first, last = until[0], until[-1]
    later = sum(CUT_OFF < day <= END for day in bought)
    return len(until) - 1, float((last - first).days), float((CUT_OFF - first).days), later


def ours(of: Histories) -> tuple[dict[str, float], Floats]:
    """The parameters, and the purchases expected of each customer."""
    model, _ = bg_nbd.fit(of)
    return model.to_json(), bg_nbd.expected_purchases(model, of, WEEKS)


def lifetimes(of: Histories) -> tuple[dict[str, float], Floats]:
    """The same by `lifetimes`."""
    from lifetimes import BetaGeoFitter  # type: ignore[import-untyped]

    model = BetaGeoFitter()
    model.fit(of.repeats, of.recency, of.age)
    told = {name: float(value) for name, value in model.params_.items()}
    expected = model.conditional_expected_number_of_purchases_up_to_time(
        WEEKS, of.repeats, of.recency, of.age
    )
    return told, np.asarray(expected)


def drawn(of: Histories, customers: int) -> Histories:
    """So many customers of these histories, each at an age of its own."""
    random = np.random.default_rng(1)
    chosen = of.at(random.integers(0, len(of), customers))
    return Histories(chosen.repeats, chosen.recency, chosen.age + random.random(customers))


def measure(name: str, customers: int) -> dict[str, Any]:
    """One subject: its parameters, its errors after the cut-off, and its CPU seconds."""
    subject = {"ours": ours, "lifetimes": lifetimes}[name]
    of, later = cdnow()
    parameters, expected = subject(of)
    errors = expected - later
    many, began = drawn(of, customers), process_time()
    fit(name, many)
    return {
        "subject": name,
        **{key: round(value, 4) for key, value in parameters.items()},
        "mae": round(float(np.abs(errors).mean()), 4),
        "rmse": round(float(np.sqrt((errors**2).mean())), 4),
        "fit_cpu_seconds": round(process_time() - began, 1),
    }


def fit(name: str, of: Histories) -> None:
    """A fit alone."""
    if name == "ours":
        bg_nbd.fit(of)
        return
    from lifetimes import BetaGeoFitter

    BetaGeoFitter().fit(of.repeats, of.recency, of.age)


def main() -> None:
    """Prints a line a subject, the paper's parameters above them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    arguments = parser.parse_args()
    rows = [{"subject": "paper", **PAPER}]
    rows += [measure(name, arguments.customers) for name in ("ours", "lifetimes")]
    if arguments.json:
        print(json.dumps(rows))
        return
    heads = list(rows[-1])
    print("".join(f"{head:>16}" for head in heads))
    for row in rows:
        print("".join(f"{row.get(head, '')!s:>16}" for head in heads))


if __name__ == "__main__":
    main()
