"""Clusters are found again or not stated, have names apart, and leave out who fits none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from stamgast_learn.calibration import Floats
from stamgast_learn.cluster.run import learn_run, score_run
from stamgast_learn.cluster.stability import agreement
from stamgast_learn.cluster.valleys import MOST_ONE_HUMP, one_hump, spread_out
from stamgast_learn.parquet import read_columns
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.run import Order, Outcome
from tests.learn.predict.worlds import FIRST_DAY, write

NAMES = ("orders", "visits", "tickets")
ORDER = Order(
    *("groups", "1", NAMES, 30, 100, 0.01, 0, True),
    kind="clusters",
    settings={"most": 4, "least_agreement": 0.8},
)
CENTRES = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 3.0], [0.0, 6.0, 3.0]])


def people(measured: Floats) -> Panel:
    """People to be scored."""
    rows = len(measured)
    person = np.array([f"p{n:04}" for n in range(rows)], dtype=object)
    return Panel(person, np.full(rows, FIRST_DAY), np.full(rows, np.nan), measured, NAMES)


def groups(outliers: int = 0) -> tuple[Panel, np.ndarray]:
    """Three groups, whose is whose, and some who are far from all."""
    random = np.random.default_rng(1)
    of = random.integers(0, 3, 600)
    measured = CENTRES[of] + random.normal(size=(600, 3))
    measured[:outliers] = 40.0
    return people(measured), of


def run(told: Panel, folder: Path, order: Order = ORDER) -> tuple[Outcome, bytes | None]:
    """The outcome of a run."""
    return learn_run(order, write(told, folder / "panel.parquet"), None)


def test_groups_are_found_named_apart_and_told_of_each_person(tmp_path: Path) -> None:
    told, of = groups()
    outcome, made = run(told, tmp_path)
    assert made is not None
    judgement = outcome.report["judgement"]
    assert judgement["clusters"] == 3
    assert judgement["tried"][1]["agreement"]["low"] > 0.95
    names = [one["name"] for one in judgement["personas"]]
    assert len(set(names)) == 3
    score_run(ORDER, made, tmp_path / "panel.parquet", tmp_path / "scores.parquet")
    value = read_columns(tmp_path / "scores.parquet")["value"]
    table = np.array([[np.sum((of == a) & (value == b)) for b in (1, 2, 3)] for a in range(3)])
    assert table.max(axis=1).sum() > 0.97 * len(told)


def test_agreement_is_that_of_people_who_share_nobody() -> None:
    """Its interval holds what others agree to; that of people drawn again does not."""
    crowd = np.random.default_rng(7).normal(size=(400, 3))
    stated, true = agreement(crowd, 4).agreement, agreement_with_others(crowd, 4)
    assert stated.low < true < stated.high
    again = [agreed(crowd, drawn(crowd, n), crowd, 4) for n in range(20)]
    assert true < np.mean(again) - 1.96 * np.std(again) / np.sqrt(20)


def agreement_with_others(points: Floats, number: int) -> float:
    """How well their clusters agree with those of as many others, over people of neither."""
    crowds = np.random.default_rng(8).normal(size=(20, *points.shape))
    people = np.random.default_rng(9).normal(size=(4_000, points.shape[1]))
    return float(np.mean([agreed(points, others, people, number) for others in crowds]))


def drawn(points: Floats, seed: int) -> Floats:
    """As many of these people, with some twice and some not at all."""
    return points[np.random.default_rng(seed).integers(0, len(points), len(points))]


def agreed(one: Floats, other: Floats, over: Floats, number: int) -> float:
    """The adjusted Rand index of clusters made of one crowd and of another, over a third."""
    made = [KMeans(number, n_init=3, random_state=1).fit(points) for points in (one, other)]
    return float(adjusted_rand_score(*(clusters.predict(over) for clusters in made)))


def test_whoever_is_far_from_all_belongs_to_none(tmp_path: Path) -> None:
    told, _ = groups(outliers=6)
    outcome, made = run(told, tmp_path)
    assert made is not None
    assert outcome.report["judgement"]["fit_none"] >= 6
    score_run(ORDER, made, tmp_path / "panel.parquet", tmp_path / "scores.parquet")
    assert set(read_columns(tmp_path / "scores.parquet")["band"][:6]) == {"none"}


def test_a_single_cloud_has_no_groups(tmp_path: Path) -> None:
    told = people(np.random.default_rng(2).normal(size=(600, 3)))
    outcome, made = run(told, tmp_path)
    assert made is None
    assert "is found again" in str(outcome.why)


def test_a_long_cloud_is_cut_the_same_way_each_time_and_still_has_no_groups(tmp_path: Path) -> None:
    drawn = np.random.default_rng(3).normal(size=600)
    noise = np.random.default_rng(4).normal(size=(600, 3))
    order = replace(ORDER, settings={"most": 4, "least_agreement": 0.5})
    outcome, _ = run(people(drawn[:, None] + 0.05 * noise), tmp_path, order)
    assert "people differ by degrees, not in groups" in str(outcome.why)


def test_few_people_make_no_groups(tmp_path: Path) -> None:
    told, _ = groups()
    outcome, _ = run(told.at(np.arange(len(told)) < 150), tmp_path)
    assert outcome.why == "150 people; needs 200"


def test_what_is_unknown_or_says_the_same_is_no_obstacle(tmp_path: Path) -> None:
    told, _ = groups()
    measured = told.measured.copy()
    measured[:40, 1] = np.nan
    constant = np.column_stack([measured, np.ones(len(measured))])
    wide = replace(told, measured=constant, features=(*NAMES, "same"))
    outcome, _ = run(wide, tmp_path, replace(ORDER, features=wide.features))
    assert outcome.is_used
    assert outcome.report["constant"] == ["same"]


def test_the_same_people_make_the_same_clusters(tmp_path: Path) -> None:
    told, _ = groups()
    assert run(told, tmp_path)[1] == run(told, tmp_path)[1]


def test_even_and_skewed_habits_of_one_kind_have_no_groups(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    settings = {"most": 2, "least_agreement": 0.3}
    order = replace(ORDER, features=NAMES[:1], settings=settings)
    for habit in (random.uniform(size=300), np.log1p(random.exponential(size=300))):
        told = replace(people(habit[:, None]), features=NAMES[:1])
        outcome, made = run(told, tmp_path, order)
        assert made is None
        assert "halves of one hump" in str(outcome.why)


def test_between_counts_there_is_nobody_and_that_is_no_valley() -> None:
    counts = np.random.default_rng(6).poisson(1.0, (400, 1)).astype(np.float64)
    centres, labels = np.array([[0.0], [1.0]]), (counts[:, 0] > 0).astype(np.int32)
    assert one_hump(counts, labels, centres) == 0
    assert one_hump(spread_out(counts), labels, centres) > MOST_ONE_HUMP
