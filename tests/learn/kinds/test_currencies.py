"""Amounts of people who pay in several currencies have no sum, no mean and no order."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import write_columns
from stamgast_learn.predict.honesty import require_one_currency

PEOPLE = 400


def reported(folder: Path, *, in_yen: int, unknown: int = 0) -> dict[str, Any]:
    """What a report tells of so many people, each at two cut-offs."""
    principal = np.full(PEOPLE, "EUR", dtype=object)
    principal[:in_yen] = "JPY"
    principal[in_yen : in_yen + unknown] = None
    person = np.array([f"p{n}" for n in range(PEOPLE)], dtype=object)
    path = folder / "panel.parquet"
    write_columns(path, {"person_id": np.tile(person, 2), "principal": np.tile(principal, 2)})
    report: dict[str, Any] = {}
    require_one_currency(path, report)
    return report


def test_of_one_currency_the_report_names_it(tmp_path: Path) -> None:
    assert reported(tmp_path, in_yen=0, unknown=50) == {"currencies": {"EUR": 350}}


def test_of_few_who_pay_otherwise_the_report_tells(tmp_path: Path) -> None:
    assert reported(tmp_path, in_yen=19) == {"currencies": {"EUR": 381, "JPY": 19}}


def test_where_many_pay_otherwise_it_abstains_and_says_how_to_make_a_model_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AbstainedError, match=r"`orders.currency = 'EUR'` in the population"):
        reported(tmp_path, in_yen=20)
    monkeypatch.setattr("stamgast_learn.predict.honesty.FOREIGN", 0.5)
    assert reported(tmp_path, in_yen=20)["currencies"]["JPY"] == 20


def test_a_panel_that_tells_no_currency_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "panel.parquet"
    write_columns(path, {"person_id": np.array(["a"], dtype=object)})
    require_one_currency(path, {})
