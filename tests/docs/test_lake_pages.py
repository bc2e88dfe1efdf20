"""docs/raw.md and docs/lake.md show the declared columns and views, each exactly as declared."""

from pathlib import Path

import pytest

from stamgast_lake.past import MACROS
from stamgast_lake.tables import TABLES
from stamgast_lake.tables.markdown import BLOCK, rendered
from stamgast_lake.views import VIEWS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["raw.md", "lake.md"])
def test_the_page_shows_the_tables_as_they_are_declared(name: str) -> None:
    page = (DOCS / name).read_text("utf-8")
    assert rendered(page, TABLES) == page


def test_every_table_stands_on_one_page() -> None:
    pages = [(DOCS / name).read_text("utf-8") for name in ("raw.md", "lake.md")]
    shown = [
        table for page in pages for found in BLOCK.finditer(page) for table in found[2].split()
    ]
    assert sorted(shown) == sorted(TABLES)


def test_every_view_stands_on_the_page_with_its_sentence() -> None:
    page = (DOCS / "lake.md").read_text("utf-8")
    for view in VIEWS.values():
        assert f"| `{view.name}` | {view.doc} |" in page


def test_every_table_macro_stands_on_the_page_with_its_sentence() -> None:
    page = (DOCS / "lake.md").read_text("utf-8")
    for macro in MACROS.values():
        assert f"| `{macro.name}(moment)` | {macro.doc} |" in page
