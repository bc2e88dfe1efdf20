"""`stamgast run` tells a person what each stage counted, and a machine everything."""

import json
from typing import Any

import pytest

from stamgast_cli.commands import running

TOLD: dict[str, Any] = {
    "execution": "SUCCEEDED",
    "seconds": 1.5,
    "run_id": "r1",
    "inputs": 4,
    "place": {"phase": "persons", "after": ""},
    "figures": {
        "load_events": {"stored": 1200, "rejected": 0},
        "publish_profiles": {"anchors": 3},
        "resolve_identity": {"merged": 0},
    },
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the run answers."""
    answer = dict(TOLD)
    monkeypatch.setattr(running, "find", lambda _: None)
    monkeypatch.setattr(running, "start", lambda _, everything: "arn")
    monkeypatch.setattr(running, "follow", lambda *_: answer)
    return answer


@pytest.mark.usefixtures("told")
def test_a_person_reads_each_stage_that_counted_something(
    capsys: pytest.CaptureFixture[str],
) -> None:
    running.run()
    shown = capsys.readouterr().out
    assert "load events" in shown
    assert "stored 1,200" in shown
    assert "resolve identity" not in shown
    assert "place" not in shown


def test_a_run_without_news_says_so(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    told["figures"] = {"open_run": {"objects": 0}}
    running.run()
    assert "Nothing is new" in capsys.readouterr().err


@pytest.mark.usefixtures("told")
def test_a_machine_reads_everything(capsys: pytest.CaptureFixture[str]) -> None:
    running.run(json=True)
    assert json.loads(capsys.readouterr().out) == TOLD


@pytest.mark.parametrize("conflict", [0, 1300])
def test_messages_that_came_with_another_payload_are_told_with_what_to_do(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str], conflict: int
) -> None:
    told["figures"] = {"load_events": {"stored": 1, "conflict": conflict}}
    running.run()
    shown = " ".join("".join(capsys.readouterr()).split())
    assert ("1,300 messages came again with another payload" in shown) == bool(conflict)
    assert ("docs/raw.md" in shown) == bool(conflict)
