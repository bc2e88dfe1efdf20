"""How links fare against a known truth: F1, precision, recall, and what was compared at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast_lake.logs import count, keep

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99)
ALL_TRUE = """
    select cast(coalesce(sum(n * (n - 1) // 2), 0) as bigint) from (
        select count(*) as n from known_truth where truth is not null group by truth)
"""
TRUE_PAIRS = """
    select count(*) from {pairs} p
    join known_truth l on l.record_id = p.a join known_truth r on r.record_id = p.b
    where l.truth = r.truth and {which}
"""
REACHED = """
    select count(*) from pair
    join record ra on ra.unique_id = pair.a join record rb on rb.unique_id = pair.b
    join known_truth l on l.record_id = ra.record_id
    join known_truth r on r.record_id = rb.record_id
    where l.truth = r.truth
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """Pairs from a probability on: how many are right, and how many of the true ones there are."""

    threshold: float
    precision: float
    recall: float
    f1: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Quality by threshold, the share of true pairs that were compared at all, and all of them."""

    quality: tuple[Quality, ...]
    blocking_recall: float
    true_pairs: int


def judge(
    engine: "DuckDBPyConnection",
    links: pa.Table,
    truth: pa.Table,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Judged:
    """Judges links in the session that made them; `truth` has `record_id` and `truth`."""
    keep(engine, "known_truth", truth)
    keep(engine, "judged_link", links.select(["a", "b", "probability"]))
    every = count(engine, ALL_TRUE)
    told = tuple(_quality(engine, every, threshold) for threshold in thresholds)
    return Judged(told, count(engine, REACHED) / max(1, every), every)


def _quality(engine: "DuckDBPyConnection", every: int, threshold: float) -> Quality:
    which = f"p.probability >= {threshold}"
    pairs = count(engine, f"select count(*) from judged_link p where {which}")
    right = count(engine, TRUE_PAIRS.format(pairs="judged_link", which=which))
    precision, recall = right / max(1, pairs), right / max(1, every)
    f1 = 2 * precision * recall / max(1e-12, precision + recall)
    return Quality(threshold, precision, recall, f1, pairs)
