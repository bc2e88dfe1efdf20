"""The report on links says what holds, as rows and as a page that needs nothing else."""

from datetime import UTC, datetime
from html.parser import HTMLParser

from stamgast_cli.links_page import page_of, summary_of

BIN = {"count": 30, "stated": 0.7, "observed": 0.8, "low": 0.6, "high": 0.9}
HELD_OUT = {
    "version": "1",
    "is_calibrated": True,
    "brier": 0.05,
    "brier_low": 0.04,
    "brier_high": 0.06,
    "base_rate_brier": 0.2,
    "labels": 300,
    "curve": [BIN],
    "thresholds": [{"threshold": 0.8, "links": 40, "precision": 0.95, "recall": None}],
}
TRAINED = {
    "version": "2<b>",
    "trained_at": datetime(2026, 11, 20, tzinfo=UTC),
    "is_used": False,
    "abstained_because": "3 positives and 397 negatives in all; needs 100 of each",
    "labels": 400,
    "positives": 3,
}
DEVICE = {
    "last_trained": TRAINED,
    "in_use": HELD_OUT,
    "links": {"standing": 12, "confirmed": 3},
    "since": {"links": 4, "stated": 0.8, "confirmed": 0.75, "brier": 0.1},
}
RECORD = {"last_trained": None, "in_use": None, "links": {}, "since": None}


def test_rows_tell_the_figures_and_why_a_version_abstained() -> None:
    told = dict(summary_of(DEVICE))
    assert told["Brier score"] == "0.0500 (0.0400–0.0600)"
    assert told["from 0.80"] == "precision 0.950, recall none"
    assert told["abstained"].startswith("3 positives")
    assert (told["standing"], told["confirmed"]) == (12, 3)
    assert dict(summary_of(RECORD)) == {"model": "none was ever trained"}


def test_a_model_whose_scores_are_not_calibrated_is_said_to_be_so() -> None:
    why = "not calibrated: 3 positives and 4 negatives in all; needs 100 of each"
    trained = {**TRAINED, "is_used": True, "abstained_because": why}
    in_use = {"version": "0ca494", "is_calibrated": False}
    told = dict(summary_of({**RECORD, "last_trained": trained, "in_use": in_use}))
    assert told["probabilities"] == "the model's own: no log-ins stand behind them"
    assert told["note"] == why
    assert "abstained" not in told


def test_the_page_is_whole_escapes_what_it_shows_and_has_a_point_for_each_bin() -> None:
    page = page_of({"device": DEVICE, "record": RECORD})
    HTMLParser().feed(page)
    assert page.count("<circle") == 1
    assert "2&lt;b&gt;" in page
    assert "http" not in page
