"""docs/profile.md says what the code does."""

from pathlib import Path

import pytest

from stamgast.metrics import Metric
from stamgast.profile.batch import POISON
from stamgast.profile.facts import (
    MOST_COUNTERS,
    MOST_CURRENCIES,
    NO_CURRENCY,
    OTHERS,
    RECENT_ORDERS,
)
from stamgast.profile.live import LAST_STEP_MS, TAIL_SIZE
from stamgast.profile.registers import LARGEST_VALUE_BYTES, LONGEST_NAME_BYTES, MOST_TRAITS
from stamgast.profile.ring import RING_SIZE
from stamgast.profile.store import MOST_TRIES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "profile.md").read_text("utf-8")


@pytest.mark.parametrize(
    "told",
    [
        *(f"| `{metric}` |" for metric in Metric if not metric.startswith(("Health", "Models"))),
        f"{MOST_TRAITS} traits",
        f"names up to {LONGEST_NAME_BYTES} bytes",
        f"values up to {LARGEST_VALUE_BYTES:,}",
        f"{MOST_COUNTERS} counters",
        f"{MOST_CURRENCIES} currencies",
        f"`{NO_CURRENCY}`",
        f"`{OTHERS}`",
        f"the {RECENT_ORDERS} newest",
        f"the {RING_SIZE} newest message ids",
        f"up to {TAIL_SIZE} digests",
        f"at most {MOST_TRIES} times",
        {1_000: "at most a write a second"}[LAST_STEP_MS],
        f"`{POISON}`",
    ],
)
def test_the_page_says(told: str) -> None:
    assert told in PAGE.replace("\n   ", " ")


@pytest.mark.parametrize("metric", [one for one in Metric if one.startswith("Models")])
def test_the_page_of_model_runs_says_what_it_counts(metric: Metric) -> None:
    assert f"`{metric}`" in (DOCS / "models-runs.md").read_text("utf-8")
