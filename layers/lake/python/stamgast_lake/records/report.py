"""What a model of records tells of itself: its data, what blocking reaches, what it left out."""

from typing import Any

from stamgast_lake.records.model import Model

UNCALIBRATED = "probabilities are the model's own: no later log-in has been compared with them"


def report(model: Model) -> dict[str, Any]:
    """The report of a model; names of columns and rules, and no value of a record."""
    return {
        "records": model.records,
        "expected_matches": round(model.reach.found),
        "blocking_recall": round(model.reach.recall, 4),
        "columns": list(model.columns),
        "rules": [
            {
                "rule": block.rule,
                "comparisons": block.comparisons,
                "not_made": block.refused_comparisons,
                "matches": round(model.reach.found_by_rule[block.rule]),
            }
            for block in model.blocks
        ],
        "notes": list(model.notes),
    }
