"""Each line of the threat model names tests that are there and that run."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
LINES = [
    line
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| who | with what |")
]


def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return {
        one.name
        for one in tree.body
        if isinstance(one, ast.FunctionDef)
        and not any("deep" in ast.unparse(mark) for mark in one.decorator_list)
    }


def missing(line: str) -> list[str]:
    return [name for file, name in NAMED.findall(line) if name not in names_in(file)]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_each_threat_is_met_by_tests_that_are_there(line: str) -> None:
    assert NAMED.findall(line)
    assert missing(line) == []


def test_a_test_that_is_gone_is_found_out() -> None:
    assert missing("| a | b | c | `docs/test_threats.py::test_of_nothing` |") == ["test_of_nothing"]


def test_every_attacker_that_the_company_fears_has_a_line() -> None:
    told = PAGE.read_text("utf-8").lower()
    feared = (
        "public write key",
        "enumeration",
        "of another",
        "replayed",
        "formula",
        "call-back to an inner address",
        "oversized",
        "poison merges",
        "reader's token",
        "curious employee",
    )
    assert [one for one in feared if one not in told] == []
