"""Models: training and scoring beside plain scikit-learn and LightGBM, on the same rows in one run.

    python bench/models.py [--train 40000] [--score 200000] [--features 40] [--threads 1] [--json]

Rows are drawn from a world whose odds are known: ten features matter, two of them together, and one
value in twenty is unknown. Half of the training rows are the cut-off that calibrates ours. Training
is that of a version, without the backtest; scoring is from arrays to calibrated probabilities with
their percentiles and bands, a block of rows at a time. CPU seconds of all threads, by default of
one: on a busy machine threads spin while they wait for each other. How far it is, is told on
stderr. `overhead` is scoring over the estimator's own time for the same rows, with at most 1.3
allowed. Reasons are told of those of whom a run says something new, so they are measured apart:
`explaining` is their time over that of scoring the same rows.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.estimate import trees
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import learn
from stamgast_learn.predict.ranking import auc_of
from stamgast_learn.predict.scores import scores_of

BLOCK = 200_000
MOST_FOR_AUC = 500_000
Scorer = Callable[[Floats], Floats]


def rows(count: int, features: int, seed: int) -> tuple[Floats, Labels]:
    """Measured rows, and whether it came true of each."""
    random = np.random.default_rng(seed)
    measured = random.normal(size=(count, features))
    slopes = np.linspace(0.6, 0.1, 10)
    log_odds = measured[:, :10] @ slopes + 0.8 * measured[:, 0] * measured[:, 1] - 1.0
    measured[random.random(measured.shape) < 0.05] = np.nan
    return measured, random.random(count) < 1 / (1 + np.exp(-log_odds))


def panel_of(measured: Floats, came: Labels) -> Panel:
    """The rows as two cut-offs: one to train on, one to calibrate on."""
    count = len(came)
    names = tuple(f"f{place}" for place in range(measured.shape[1]))
    cut_on = np.where(np.arange(count) < count // 2, 20_000, 20_030)
    return Panel(np.arange(count), cut_on, came.astype(np.float64), measured, names)


def ours(measured: Floats, came: Labels) -> Scorer:
    """A version of ours: fitted, calibrated, features taken by name."""
    predictor = learn(panel_of(measured, came))
    return lambda block: scores_of(predictor, people(block), is_explained=False).value


def people(block: Floats) -> Panel:
    """Rows as people who are to be scored."""
    nothing = np.zeros(len(block), np.int64)
    names = tuple(f"f{place}" for place in range(block.shape[1]))
    return Panel(nothing, nothing, np.full(len(block), np.nan), block, names)


def explaining(features: int) -> float:
    """How long scores with reasons take for as many people, over scores alone."""
    predictor, block = learn(panel_of(*rows(20_000, features, 4))), rows(20_000, features, 5)[0]
    told = []
    for is_explained in (False, True):
        start = process_time()
        scores_of(predictor, people(block), is_explained=is_explained)
        told.append(process_time() - start)
    return told[1] / told[0]


def estimator_alone(measured: Floats, came: Labels) -> Scorer:
    """The estimator of ours by itself: scikit-learn's, of as many rows as ours trains on."""
    half = len(came) // 2
    fitted = trees().fit(measured[:half], came[:half])
    return lambda block: np.asarray(fitted.predict_proba(block)[:, 1])


def plain_sklearn(measured: Floats, came: Labels) -> Scorer:
    """scikit-learn's boosted trees with its own settings, of all rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    fitted = HistGradientBoostingClassifier(random_state=1).fit(measured, came)
    return lambda block: np.asarray(fitted.predict_proba(block)[:, 1])


def lightgbm(measured: Floats, came: Labels) -> Scorer:
    """LightGBM with its own settings, of all rows."""
    import lightgbm as package  # type: ignore[import-untyped]

    told = {"objective": "binary", "verbosity": -1, "seed": 1}
    fitted = package.train(told, package.Dataset(measured, came), num_boost_round=100)
    return lambda block: np.asarray(fitted.predict(block))


SUBJECTS: dict[str, Callable[[Floats, Labels], Scorer]] = {
    "ours": ours,
    "its estimator alone": estimator_alone,
    "scikit-learn": plain_sklearn,
    "LightGBM": lightgbm,
}


def blocks(count: int, features: int) -> Iterator[tuple[Floats, Labels]]:
    """So many rows that nobody has seen, a block at a time."""
    for start in range(0, count, BLOCK):
        yield rows(min(BLOCK, count - start), features, 1_000 + start // BLOCK)


def measured(train: int, score: int, features: int) -> list[dict[str, Any]]:
    """A row a subject: CPU seconds to train and to score, area under the curve, Brier score."""
    for make in SUBJECTS.values():  # what is imported, and started, once is no one's time
        make(*rows(4_000, features, 2))(rows(1_000, features, 3)[0])
    lessons = rows(train, features, 1)
    told, scorers = [], {}
    for name, make in SUBJECTS.items():
        start = process_time()
        scorers[name] = make(*lessons)
        told.append({"subject": name, "train_cpu_s": process_time() - start, "score_cpu_s": 0.0})
        say(f"{name} is trained: {told[-1]['train_cpu_s']:.1f} s")
    stated: dict[str, list[Floats]] = {name: [] for name in scorers}
    labels: list[Labels] = []
    for block, came in blocks(score, features):
        say(f"scoring rows from {BLOCK * len(labels):,} of {score:,}")
        labels.append(came)
        for row in told:
            start = process_time()
            stated[row["subject"]].append(scorers[row["subject"]](block))
            row["score_cpu_s"] += process_time() - start
    came = np.concatenate(labels)
    return [{**row, **_figures(np.concatenate(stated[row["subject"]]), came)} for row in told]


def say(text: str) -> None:
    """How far it is, to whoever waits."""
    print(text, file=sys.stderr, flush=True)


def _figures(stated: Floats, came: Labels) -> dict[str, float]:
    few = slice(0, MOST_FOR_AUC)
    return {"auc": auc_of(stated[few], came[few]), "brier": float(((stated - came) ** 2).mean())}


def main() -> None:
    """Prints a row a subject, and the overhead of ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=40_000)
    parser.add_argument("--score", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)  # read when a package is first imported
    told = measured(asked.train, asked.score, asked.features)
    reasons = explaining(asked.features)
    alone = next(row for row in told if row["subject"] == "its estimator alone")
    overhead = told[0]["score_cpu_s"] / alone["score_cpu_s"]
    if asked.json:
        print(json.dumps({"rows": told, "overhead": overhead, "explaining": reasons}))
        return
    for row in told:
        print(
            f"{row['subject']:22} train {row['train_cpu_s']:8.2f} s  score"
            f" {row['score_cpu_s']:8.2f} s  auc {row['auc']:.4f}  brier {row['brier']:.5f}"
        )
    print(f"scoring over the estimator's own time: {overhead:.2f}")
    print(f"with reasons of everybody, over scores alone: {reasons:.1f}")


if __name__ == "__main__":
    main()
