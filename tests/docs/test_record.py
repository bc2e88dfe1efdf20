"""The committed record of processing is what the workspace and the registry of stores say."""

from pathlib import Path

from stamgast.erasure.processing import record_of_processing
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of

ROOT = Path(__file__).parents[2]
SOURCES = "sources:\n  web: {name: Web}\n"
CONSENT = """
purposes:
  mail: {legal_basis: consent, covers: [exports]}
  news: {legal_basis: consent, covers: [events]}
  inner: {legal_basis: contract, covers: [models]}
never_stored: {drop: [traits.passport]}
"""
RETENTION = """
retention:
  raw_events: 9
  imports: 8
  properties: {places: {days: 9, paths: [traits.town]}}
"""


def test_the_page_is_the_record_of_the_workspace() -> None:
    files = {path.name: path.read_text("utf-8") for path in (ROOT / "workspace").glob("*.yaml")}
    page = (ROOT / "docs/record-of-processing.md").read_text("utf-8")
    told = record_of_processing(workspace_of(compile_files(files)))
    assert page == told, "stamgast record workspace --out docs/record-of-processing.md"


def test_recipients_properties_and_days_stand_in_it() -> None:
    files = {"sources.yaml": SOURCES, "consent.yaml": CONSENT, "retention.yaml": RETENTION}
    told = record_of_processing(workspace_of(compile_files(files)))
    for line in (
        "| mail | consent | denied | exports | who is given an export |",
        "| news | consent | denied | events | who listens to the event bus |",
        "| inner | contract | denied | models | nobody |",
        "| places | traits.town | 9 |",
        "| never stored | traits.passport | 0 |",
        "| raw/ | 9 | workspace |",
        "| rejected/ | 30 | platform |",
        "| timelines | 90 | platform, workspace |",
    ):
        assert line in told.splitlines(), line
