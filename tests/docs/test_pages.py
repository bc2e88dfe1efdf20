"""What is deployed, configured or counted stands in the docs; every link between pages leads."""

import re
from pathlib import Path

import pytest

from stamgast.metrics import Metric

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
EXAMPLES = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(EXAMPLE.findall(page.read_text("utf-8")))
]


def everything() -> str:
    return "\n".join(page.read_text("utf-8") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("block", EXAMPLES)
def test_every_example_runs(block: str) -> None:
    told: dict[str, object] = {}
    exec(compile(block, "an example", "exec"), told)
    assert told.keys() - {"__builtins__"}


def test_pages_have_examples_to_run() -> None:
    assert len(EXAMPLES) > 5


def test_every_function_is_named_in_the_docs() -> None:
    functions = [path.parent.name for path in (ROOT / "functions").glob("*/handler.py")]
    told = everything()
    assert [name for name in functions if f"`{name}`" not in told] == []


def test_every_metric_is_named_in_the_docs() -> None:
    told = everything()
    assert [metric.value for metric in Metric if metric.value not in told] == []


def test_decisions_are_numbered_once_and_titled_by_their_number() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [record.name[:4] for record in records]
    assert len(set(numbers)) == len(numbers)
    for record in records:
        assert record.read_text("utf-8").startswith(f"# {record.name[:4]} ")
