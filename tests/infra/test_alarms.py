"""Each alarm has a page that says what it means and what to do, and each page has an alarm."""

import json
from pathlib import Path

import pytest

from stamgast.metrics import Metric
from tests.infra.assembly import CHECKED, ROOT, assembly

PAGES = ROOT / "docs" / "operations" / "alarms"
SECTIONS = ("## What it means", "## What to do")
FREE_METRICS = 50


def alarms(name: str) -> set[str]:
    """Return the names of an environment's alarms, as their descriptions begin."""
    told = assembly(name).of_type("AWS::CloudWatch::Alarm").values()
    return {alarm["AlarmDescription"].split(":")[0] for alarm in told}


def test_every_alarm_has_a_page_and_every_page_an_alarm() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")}
    assert pages == set().union(*(alarms(name) for name in CHECKED))


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_a_page_says_what_it_means_and_what_to_do(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.stem}\n")
    assert all(section in text for section in SECTIONS)


def test_every_alarm_but_a_canarys_tells_the_topic() -> None:
    for name, alarm in assembly("prod").of_type("AWS::CloudWatch::Alarm").items():
        assert "Canary" in name or alarm["AlarmActions"], name


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    [dashboard] = assembly("prod").of_type("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["DashboardBody"])
    assert not [metric.value for metric in Metric if metric.value not in body]
    assert body.count('\\"stat\\"') <= FREE_METRICS
