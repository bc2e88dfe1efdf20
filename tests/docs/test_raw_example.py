"""The mapping on the page about files is one that the workspace takes, and reads its own row."""

import re
from pathlib import Path

from stamgast.ingestion.spellings import spelling_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.import_mapping import ImportMapping
from stamgast.workspace.model import workspace_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "raw.md"


def test_the_spreadsheet_of_the_page_is_read_by_its_mapping() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (document,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    workspace = workspace_of(compile_files({"sources.yaml": document}))

    mapping = ImportMapping(**workspace.sources["shop"].imports[0])
    read = {place: spelling_of(form, mapping.time_zone) for place, form in mapping.formats.items()}

    assert read["timestamp"]("03.11.2026 14:05") == "2026-11-03T13:05:00.000Z"
    assert read["properties.revenue"]("1.234,50") == 1234.5
    assert mapping.encoding == "cp1252"
