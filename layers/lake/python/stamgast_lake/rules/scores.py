"""The scores that rules read: of each person those that hold at a moment, as one JSON document."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stamgast.segments.language.rules import Rule, nodes_of
from stamgast.segments.language.tree import Column
from stamgast_lake.lake import Lake
from stamgast_lake.logs import latest, see
from stamgast_lake.rules.literals import moment_sql
from stamgast_lake.tables import SCORES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCORED = "rule_score"
HOLDING = """
    create or replace temp table {into} as
    select person_id, json_group_object(model, json_object(
        'value', value, 'percentile', percentile, 'band', band, 'low', low, 'high', high)) as scores
    from score_now where value is not null and valid_until > {moment}
    group by person_id
"""


def names_scores(rules: Iterable[Rule]) -> bool:
    """Whether any of the rules names a model's score."""
    nodes = (node for rule in rules for node in nodes_of(rule.tree))
    return any(isinstance(node, Column) and node.path[0] == "scores" for node in nodes)


def see_scores(engine: "DuckDBPyConnection", lake: Lake, now_ms: int) -> None:
    """Makes table `rule_score`: person_id and scores (JSON by model), those that hold."""
    see(engine, lake, SCORES)
    latest(engine, SCORES.name, "model, person_id", "score_now")
    engine.execute(HOLDING.format(into=SCORED, moment=moment_sql(now_ms)))
