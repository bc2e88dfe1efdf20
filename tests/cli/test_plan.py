"""`stamgast plan` tells what would change, what cannot be shown, and no value in full."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_cli import previews
from stamgast_cli.commands import plan
from stamgast_cli.errors import InputError
from stamgast_lake.preview import Change, Example, Preview
from stamgast_lake.rules import planned as rules_planned
from stamgast_lake.rules.planned import Because, PlannedSegment

SOURCES = "sources: {web: {name: Web}}\n"
KEY = "email:1abcdefghijklmnopqrstuvwxyz"[:32]
NOTHING = Change(0, 0, {}, ())
PARTS = (("p1aaaaaaaaaaaa", 2, (KEY,)), ("p1bbbbbbbbbbbb", 1, ("phone:1x",)))
SPLIT = Change(1, 3, {"value_limit:email": 1}, (Example("p1", 3, PARTS, {"value_limit:email": 2}),))
FOUND = Preview(1, 2, 3, 1, SPLIT, NOTHING)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A deployment with the default configuration, and folders that differ from it."""
    in_force = workspace_of(compile_files({"sources.yaml": SOURCES}))
    monkeypatch.setattr(plan, "find", lambda stack: None)
    monkeypatch.setattr(plan, "store", lambda _: SimpleNamespace(current=lambda: in_force))
    monkeypatch.setattr(previews, "preview_of", lambda *_: FOUND)
    monkeypatch.setattr(previews, "values_of", lambda *_, **__: {KEY: "email:a•••@e•••.org"})

    def write(identity: str) -> Path:
        (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
        (tmp_path / "identity.yaml").write_text(identity, "utf-8")
        return tmp_path

    return write


def test_a_changed_limit_lists_the_persons_that_split_and_why(
    folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    plan.plan(folder("identity:\n  person_limit: 20\n"))
    told = capsys.readouterr().out
    assert "person_limit" in told
    assert "identity.namespaces.email.value_limit" in told
    assert "a•••@e•••.org" in told
    assert "1 → 2" in told


def test_what_reaches_new_events_alone_is_said_to_have_no_preview(
    folder: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(previews, "preview_of", None)
    plan.plan(folder("identity:\n  default_region: NL\n"))
    assert "cannot be previewed" in capsys.readouterr().out


def test_the_same_configuration_changes_nothing(
    folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    plan.plan(folder("{}"), json=True)
    assert json.loads(capsys.readouterr().out)["changes"] == []


def test_a_machine_reads_the_same_as_json(
    folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    plan.plan(folder("identity:\n  person_limit: 20\n"), json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["changes"][0]["reach"] == "all_evidence"
    assert told["persons"]["splits"]["examples"][0]["causes"] == {"value_limit:email": 2}


def test_a_folder_with_a_mistake_is_planned_not_at_all(folder: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=r"identity\.yaml:2: identity\.person_limit"):
        plan.plan(folder("identity:\n  person_limit: 0\n"))


def test_an_edited_segment_tells_who_would_enter_and_leave(
    folder: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = PlannedSegment("buyers", Because.NEW, None, 2, 2, 0, ("p1aaaaaaaaaaaa",), ())
    monkeypatch.setattr(previews, "lake_of", lambda _: None)
    monkeypatch.setattr(rules_planned, "planned", lambda *_: ([found], []))
    told = folder("{}")
    (told / "segments.yaml").write_text("segments:\n  buyers:\n    rule: orders.count > 0\n")
    plan.plan(told)
    shown = capsys.readouterr().out
    assert "a new segment" in shown
    assert "p1aaaaaaaaaaaa" in shown
    plan.plan(told, json=True)
    assert json.loads(capsys.readouterr().out)["segments"][0]["entering"] == 2


def test_other_days_are_told_with_what_is_past_them(
    folder: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from stamgast_lake.lake import Lake
    from stamgast_lake.retention import plan as retention_plan

    def endings(lake: Lake, _today: object) -> list[retention_plan.PlannedEnding]:
        days = lake.workspace().retention.days["raw_events"]
        return [retention_plan.PlannedEnding("raw_events", days, 1_200, "objects")]

    monkeypatch.setattr(retention_plan, "planned_endings", endings)
    nothing = Lake(None, "", None, lambda: None, lambda: None)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(previews, "lake_of", lambda _: nothing)
    place = folder("identity: {}\n")
    (place / "retention.yaml").write_text("retention: {raw_events: 30}\n", "utf-8")
    plan.plan(place)
    shown = capsys.readouterr()
    told = shown.out + shown.err
    assert "1,200" in told
    assert "nothing brings it back" in told
    plan.plan(place, json=True)
    [one] = json.loads(capsys.readouterr().out)["retention"]
    assert (one["name"], one["before"], one["days"], one["ends"]) == ("raw_events", None, 30, 1200)
