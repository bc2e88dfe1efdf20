"""Each line of docs/operations/failures.md that is ours so far has a test that names it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations" / "failures.md"
OURS = {*range(1, 33), *range(36, 41)}
MARK = re.compile(r"failure_line\(([\d, ]+)\)")


def marked_lines() -> set[int]:
    texts = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    found = (MARK.findall(text) for text in texts)
    return {int(number) for marks in found for mark in marks for number in mark.split(",")}


def listed_lines() -> set[int]:
    return {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)}


def test_every_line_that_is_ours_has_a_test() -> None:
    assert marked_lines() >= OURS


def test_the_page_lists_each_line_that_a_test_names() -> None:
    assert listed_lines() == marked_lines()
