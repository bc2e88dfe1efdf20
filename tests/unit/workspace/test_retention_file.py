"""`retention.yaml`: what ends has to end everywhere, and a mistake names its place and the fix."""

import pytest

from stamgast.retention import PropertyClass
from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast.workspace.model import workspace_of

SOURCES = "sources:\n  web: {name: Web}\n"
WHOLE = """
retention:
  raw_events: 90
  imports: 30
  events: 730
  history: 365
  egress_receipts: 400
  properties:
    places: {days: 90, paths: [traits.address, properties.store, context.ip]}
"""


def faults_of(text: str, **files: str) -> list[str]:
    with pytest.raises(WorkspaceError) as raised:
        compile_files({"sources.yaml": SOURCES, "retention.yaml": text, **files})
    return [f"{one.line}: {one.message}" for one in raised.value.faults]


def test_days_and_classes_are_what_the_file_says() -> None:
    told = workspace_of(compile_files({"sources.yaml": SOURCES, "retention.yaml": WHOLE})).retention
    assert told.days == {
        "raw_events": 90,
        "imports": 30,
        "events": 730,
        "history": 365,
        "egress_receipts": 400,
    }
    paths = (("traits", "address"), ("properties", "store"), ("context", "ip"))
    assert told.classes == (PropertyClass("places", 90, paths),)


def test_a_workspace_that_says_nothing_is_the_version_that_it_was() -> None:
    silent = compile_files({"sources.yaml": SOURCES})
    assert "retention" not in silent
    assert compile_files({"sources.yaml": SOURCES, "retention.yaml": "retention: {}"}) == silent
    assert workspace_of(silent).retention.is_idle


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("events: 30", "write `raw_events: 30` or less"),
        (
            "events: 30\n  imports: 31\n  raw_events: 30",
            "imports is 31, but `events` ends after 30",
        ),
        (
            "raw_events: 9\n  imports: 9\n  properties: {x: {days: 8, paths: [properties.a]}}",
            "raw_events is 9, but `properties.x` ends after 8 days",
        ),
        ("rejected_events: 31", "30"),
        ("properties: {x: {days: 8, paths: [traits.consent]}}", "what a person agreed to"),
        ("properties: {x: {days: 8, paths: [properties.revenue]}}", "it ends with `events`"),
        ("properties: {x: {days: 8, paths: [colour]}}", "no property"),
        (
            "raw_events: 8\n  imports: 8\n  properties: {x: {days: 8, paths: [traits.Email]}}",
            "tells an identifier (email)",
        ),
    ],
)
def test_a_mistake_names_its_line_and_the_fix(said: str, told: str) -> None:
    found = faults_of(f"retention:\n  {said}\n")
    assert any(told in one for one in found), found
    assert all(int(one.partition(":")[0]) > 0 for one in found)
