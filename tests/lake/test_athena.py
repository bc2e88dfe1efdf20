"""Views in Athena's dialect: each is SQL there, and tells the same columns as in DuckDB."""

import pytest
import sqlglot
from sqlglot import exp

from stamgast_lake.athena import OTHERWISE, athena_statement
from stamgast_lake.views import VIEWS, create_statement


def columns(statement: str, dialect: str) -> list[str]:
    """The names that the first SELECT of a statement gives."""
    select = sqlglot.parse_one(statement, read=dialect).find(exp.Select)
    assert select is not None
    return [one.alias_or_name for one in select.selects]


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_is_a_statement_of_athena(name: str) -> None:
    assert sqlglot.parse_one(athena_statement(VIEWS[name]), read="trino").find(exp.Create)


@pytest.mark.parametrize("name", sorted(OTHERWISE))
def test_a_view_of_another_form_has_the_same_columns(name: str) -> None:
    view = VIEWS[name]
    assert columns(athena_statement(view), "trino") == columns(create_statement(view), "duckdb")


def test_a_view_stands_after_those_that_it_reads() -> None:
    order = list(VIEWS)
    for name, view in VIEWS.items():
        assert all(order.index(read) < order.index(name) for read in view.reads if read in VIEWS)
