"""docs/ingestion.md names every path, code, bound and note of the code, and nothing else."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from stamgast.ingestion.bounds import DEFAULT
from stamgast.ingestion.cors import MAX_AGE_SECONDS
from stamgast.ingestion.envelope import COMPRESSED_FROM, LARGEST_MESSAGE
from stamgast.ingestion.instants import OLDEST_MS
from stamgast.ingestion.key_cache import FRESH_MS, STALE_MS
from stamgast.ingestion.payload import LEFT_OUT
from stamgast.ingestion.rate import BURST_SECONDS
from stamgast.ingestion.reasons import EVENT_FAULTS, REQUEST_FAULTS
from stamgast.ingestion.request import Refusal
from stamgast.ingestion.routes import _fetched, _posted, route_of

PAGE = (Path(__file__).parents[2] / "docs" / "ingestion.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_path_on_the_page_is_served_by_the_method_beside_it() -> None:
    named = [(row[0], path) for row in rows("Paths") for path in re.findall(r"`(/[^`]+)`", row[1])]
    assert named
    for method, path in named:
        assert not isinstance(route_of(method, path.replace("{writeKey}", "key")), Refusal), path


def test_every_path_served_is_on_the_page() -> None:
    for name in [*_posted(), *_fetched()]:
        long = {"beacon/batch": "beacon/v1/batch", "import": "v1/import"}.get(name, name)
        assert re.search(rf"`/(v1/)?{long}/?`", PAGE), name


def test_every_code_of_a_refused_request_is_there_with_its_status() -> None:
    told = {(row[1].strip("`"), row[0]) for row in rows("Answers") if row[0].isdigit()}
    assert told == {(code, str(status)) for code, (status, _) in REQUEST_FAULTS.items()}


def test_every_code_of_a_refused_event_is_there() -> None:
    told = [row[0].strip("`") for row in rows("Answers") if row[0].startswith("`")]
    assert sorted(told) == sorted(EVENT_FAULTS)


def test_every_bound_is_there_with_its_value() -> None:
    told = {row[0].strip("`"): row[1] for row in rows("Bounds") if row[0].startswith("`")}
    assert told.keys() == asdict(DEFAULT).keys()
    for name, value in asdict(DEFAULT).items():
        assert f"{value:,}" in told[name]


@pytest.mark.parametrize(
    "told",
    [
        f"{MAX_AGE_SECONDS:,} s",
        f"{FRESH_MS // 1000} seconds",
        f"{STALE_MS // 60_000} minutes",
        f"From {COMPRESSED_FROM:,} bytes",
        f"exceeds {LARGEST_MESSAGE:,} bytes",
        f"the {OLDEST_MS // (366 * 86_400_000)} years before",
        {10: "ten"}[BURST_SECONDS] + " seconds' worth",
        *(f"`{name}`" for name in sorted(LEFT_OUT)),
        *("not_finite", "number_to_text", "message_id_made", "time_unreadable", "time_clamped"),
    ],
)
def test_the_page_says(told: str) -> None:
    assert told in PAGE
