"""Training without labels: what random pairs show, and what the pairs that blocking reaches say."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stamgast.identity.records import COLUMNS, BlockingRule, RecordSettings
from stamgast_lake.logs import count
from stamgast_lake.records import expectation
from stamgast_lake.records.blocking import Block, choose_pairs
from stamgast_lake.records.comparisons import (
    BORN_WITH,
    MOST_DIFFERENT,
    MOST_DIFFERENT_ELSEWHERE,
    PRIOR_OF_EQUAL,
    columns_in,
    comparisons_of,
    edges_of,
    living,
    named_apart,
    place_sql,
    vouched,
)
from stamgast_lake.records.dependence import Edge, Floats, Ints
from stamgast_lake.records.expectation import Beliefs, Fitted, Patterns
from stamgast_lake.records.linker import UNIQUE_ID, linking, settings_of
from stamgast_lake.records.model import (
    Compared,
    Dependence,
    Frequencies,
    Level,
    Model,
    Reach,
    prior_levels,
    rounded,
)
from stamgast_lake.records.notes import crowded, tightened
from stamgast_lake.records.relation import (
    USUAL,
    add_frequencies,
    filled,
    find_crowd,
    frequencies_of,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEAST_FILLED = 0.01
FEWEST_RECORDS = 50
SAMPLED_RECORDS = 1_500
SAMPLED_PAIRS = 2_000_000
LEAST_BUDGET = 4_000_000
MATCHES_A_RECORD = 0.2
EXCLUDED = "record_id"
SAMPLE = f"""
    create or replace temp table record_sample as
    select * from record where {USUAL} order by md5({EXCLUDED}) limit {SAMPLED_RECORDS}
"""
PATTERNS = """
    with compared as (select {columns}, found from {source})
    select {places}, found, count(*) as pairs from compared group by all order by all
"""
PRIME = 2_147_483_647
PAIRED = f"""pair
    join record l on l.{UNIQUE_ID} = a join record r on r.{UNIQUE_ID} = b
    where (a::bigint * 1103515245 + b::bigint * 1664525177) % {PRIME} * {{of}} < {PRIME}
"""
"""One pair in `of`, by a multiplicative hash over a prime field (Carter and Wegman, 1979).

A remainder by `of` itself would go by the places of two records: neighbours, such as the copies in
a sorted file, would all be drawn or none.
"""
FEW_RECORDS = 800
FEW = f"(select *, 0 as found from record_sample order by md5({EXCLUDED}) limit {FEW_RECORDS})"
AMONG = f"{FEW} l join {FEW.replace(', 0 as found', '')} r on l.{UNIQUE_ID} < r.{UNIQUE_ID}"


class CannotLearnError(ValueError):
    """Nothing can be learnt from these records; the message is the reason that is told.

    `hint` says what would help.
    """

    def __init__(self, message: str, hint: str = "Give more records.") -> None:
        super().__init__(message)
        self.hint = hint


def train(engine: "DuckDBPyConnection", settings: RecordSettings, records: int) -> Model:
    """A model of relation `record`, which gains the model's columns; raises CannotLearnError."""
    if records < FEWEST_RECORDS:
        raise CannotLearnError(f"{records} records are too few; {FEWEST_RECORDS} are needed")
    columns, notes = _usable(engine, settings, records)
    if not columns:
        why = (
            "; ".join(note for note in notes if f" 0 of {records} " not in note) or "all are empty"
        )
        raise CannotLearnError(
            f"no column tells records apart: {why}", "Give records of several people."
        )
    rules = _rules_over(settings, columns, notes)
    budget = max(settings.comparisons_a_record * records, LEAST_BUDGET)
    blocks = choose_pairs(engine, rules, budget)
    notes += [*tightened(blocks), *crowded(find_crowd(engine, records), records)]
    frequencies = {column: frequencies_of(engine, column) for column in columns}
    add_frequencies(engine, frequencies)
    return _fit(engine, comparisons_of(settings, columns), blocks, frequencies, records, notes)


def _usable(
    engine: "DuckDBPyConnection", settings: RecordSettings, records: int
) -> tuple[list[str], list[str]]:
    """The columns that tell records apart, and a note for each of the others."""
    columns, notes = [], []
    for column in COLUMNS:
        values, different = filled(engine, column)
        if column in settings.leave_out:
            notes.append(f"{column}: left out by the workspace")
        elif values < LEAST_FILLED * records:
            notes.append(f"{column}: not compared, {values} of {records} records have it")
        elif different < 2:
            notes.append(f"{column}: not compared, all of its values are equal")
        else:
            columns.append(column)
    return columns, notes


def _rules_over(
    settings: RecordSettings, columns: Sequence[str], notes: list[str]
) -> list[BlockingRule]:
    has = {*columns}
    has |= {"email_local"} if "email" in has else set()
    has |= {"names"} if {"given_name", "surname"} <= has else set()
    rules = [rule for rule in settings.blocking if all(key.column in has for key in rule.keys)]
    if not rules:
        notes.append("no blocking rule has all of its columns: nothing can be compared")
    return rules


def _fit(
    engine: "DuckDBPyConnection",
    comparisons: list[dict[str, Any]],
    blocks: Sequence[Block],
    frequencies: dict[str, Frequencies],
    records: int,
    notes: list[str],
) -> Model:
    columns = [one["output_column_name"] for one in comparisons]
    edges = edges_of(columns)
    patterns, finders = _patterns(engine, comparisons, records)
    beliefs = Beliefs(
        observed=_observed(engine, comparisons),
        random=_random_patterns(engine, comparisons),
        m=[np.array(prior_levels(one, PRIOR_OF_EQUAL)) for one in comparisons],
        most_different=[
            MOST_DIFFERENT if one in BORN_WITH else MOST_DIFFERENT_ELSEWHERE for one in columns
        ],
        edges=edges,
        prior=MATCHES_A_RECORD * records / patterns.all_pairs,
        living=living(columns),
        named_apart=named_apart(columns),
        vouched=vouched(columns),
    )
    fitted = expectation.fit(patterns, beliefs)
    return Model(
        records=records,
        prior=rounded(fitted.prior),
        comparisons=tuple(
            _compared(told, m, u)
            for told, m, u in zip(comparisons, fitted.m, fitted.u, strict=True)
        ),
        blocks=tuple(blocks),
        frequencies=frequencies,
        reach=_reach(blocks, finders, fitted),
        dependences=tuple(
            _dependence(edge, columns, gains)
            for edge, gains in zip(edges, fitted.gains, strict=True)
        ),
        notes=tuple(notes),
    ).named()


def _dependence(edge: Edge, columns: Sequence[str], gains: Sequence[Floats]) -> Dependence:
    names = [columns[place] for place in edge.columns]
    return Dependence(
        names[0],
        tuple(tuple(names[at] for at in parent) for parent in edge.parents),
        tuple(
            tuple(tuple(rounded(bits) for bits in row) for row in one / math.log(2))
            for one in gains
        ),
    )


def _observed(engine: "DuckDBPyConnection", comparisons: list[dict[str, Any]]) -> list[Floats]:
    """How often random pairs of records show each level, by Splink's random sampling."""
    engine.execute(SAMPLE)
    settings = settings_of(comparisons)
    with linking(engine, settings, "record_sample") as (linker, _):
        linker.training.estimate_u_using_random_sampling(
            max_pairs=SAMPLED_RECORDS**2, min_count_per_level=None, num_chunks=1
        )
        told = linker.misc.save_model_to_json()
    floor = 1 / SAMPLED_RECORDS**2
    return [
        np.array(
            [
                max(floor, _number(level.get("u_probability")))
                for level in one["comparison_levels"]
                if not level.get("is_null_level")
            ]
        )
        for one in told["comparisons"]
    ]


def _number(told: object) -> float:
    return float(told) if isinstance(told, int | float) else 0.0


def _patterns(
    engine: "DuckDBPyConnection", comparisons: list[dict[str, Any]], records: int
) -> tuple[Patterns, Ints]:
    """Agreement patterns of the pairs that blocking reaches, and which rules find each of them."""
    of = max(1, -(-count(engine, "select count(*) from pair") // SAMPLED_PAIRS))
    source = PAIRED.format(of=of)
    return _grouped(engine, comparisons, source, of, records)


def _random_patterns(engine: "DuckDBPyConnection", comparisons: list[dict[str, Any]]) -> Patterns:
    """Agreement patterns of all pairs among a few random records."""
    few = min(FEW_RECORDS, count(engine, "select count(*) from record_sample"))
    return _grouped(engine, comparisons, AMONG, 1, few)[0]


def _grouped(
    engine: "DuckDBPyConnection",
    comparisons: list[dict[str, Any]],
    source: str,
    of: int,
    records: int,
) -> tuple[Patterns, Ints]:
    places = ", ".join(f"{place_sql(one)} as place_{i}" for i, one in enumerate(comparisons))
    columns = ", ".join(
        f'l."{one}" as "{one}_l", r."{one}" as "{one}_r"' for one in columns_in(comparisons)
    )
    statement = PATTERNS.format(columns=columns, places=places, source=source)
    found = engine.execute(statement).fetchnumpy()
    values = list(found.values())
    told = Patterns(
        levels=np.stack(values[:-2], axis=1).astype(np.int64),
        pairs=np.asarray(values[-1], dtype=np.float64) * of,
        all_pairs=records * (records - 1) / 2,
        filled=np.array(
            [(filled(engine, one["output_column_name"])[0] / records) ** 2 for one in comparisons]
        ),
    )
    return told, np.asarray(values[-2], dtype=np.int64)


def _reach(blocks: Sequence[Block], finders: Ints, fitted: Fitted) -> Reach:
    """Matches by rule, and an estimate of all by those that one rule and two rules find.

    Chao (1987), the bias-corrected lower bound for a population that is caught unequally often.
    """
    times = np.bitwise_count(finders)
    found = float(fitted.matches.sum())
    once = float(fitted.matches[times == 1].sum())
    twice = float(fitted.matches[times == 2].sum())
    missed = once * max(0.0, once - 1) / (2 * (twice + 1))
    return Reach(
        found_by_rule={
            block.rule: rounded(float(fitted.matches[finders >> place & 1 == 1].sum()))
            for place, block in enumerate(blocks)
        },
        found=rounded(found),
        estimated=rounded(found + missed),
    )


def _compared(told: dict[str, Any], m: Floats, u: Floats) -> Compared:
    parameters = iter(zip(m, u, strict=True))
    levels = []
    for level in told["comparison_levels"]:
        if level.get("is_null_level"):
            levels.append(Level(level, 1.0, 1.0))
        else:
            of_matches, of_others = next(parameters)
            levels.append(Level(level, rounded(float(of_matches)), rounded(float(of_others))))
    return Compared(told["output_column_name"], tuple(levels))
