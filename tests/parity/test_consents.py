"""The two readings of a consent agree: Python's, by which people leave, and SQL's, which counts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.consent.coverage import consent_of_row, coverage_of
from stamgast_lake.consents import covers_sql, register_sql
from stamgast_lake.engine import EngineSettings, session

PURPOSES = st.sampled_from(("email", "phone", "e_mail", "value"))
JSON = st.recursive(
    st.one_of(st.booleans(), st.none(), st.text(max_size=4), st.integers(-3, 3), st.floats(-1, 1)),
    lambda below: st.one_of(
        st.lists(below, max_size=2), st.dictionaries(PURPOSES, below, max_size=2)
    ),
    max_leaves=4,
)
SAID = st.one_of(
    st.dictionaries(PURPOSES, st.one_of(st.booleans(), st.booleans(), JSON), max_size=3), JSON
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(256, 1, folder)) as connection:
        yield connection


def traits_of(said: Any) -> str:
    told = {"value": said, "assurance": "verified", "event_ms": 1, "message_key": "m" * 26}
    return json.dumps({"city": {"value": {"email": True}}, "consent": told})


def by_sql(engine: DuckDBPyConnection, traits: str, purpose: str) -> tuple[bool, Any]:
    asked = f"select {covers_sql('told', purpose)}, cast({register_sql('told')} as varchar)"
    rows = engine.execute(f"{asked} from (select ?::varchar as told)", [traits]).fetchall()
    return bool(rows[0][0]), rows[0][1]


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
@given(SAID, PURPOSES)
def test_sql_and_python_cover_the_same(engine: DuckDBPyConnection, said: Any, purpose: str) -> None:
    told, register = by_sql(engine, traits_of(said), purpose)
    consent = consent_of_row(json.loads(register))
    assert told == coverage_of(consent, purpose).is_covered


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("traits", ["{}", '{"consent": null}', '{"consent": {"value": true}}'])
def test_no_consent_is_none_in_sql(engine: DuckDBPyConnection, traits: str) -> None:
    """Line 38: without a record nothing is covered."""
    assert by_sql(engine, traits, "email")[0] is False


def test_a_text_that_says_true_grants_nothing_in_either_reading(
    engine: DuckDBPyConnection,
) -> None:
    told, register = by_sql(engine, traits_of({"email": "true"}), "email")
    assert told is False
    assert not coverage_of(consent_of_row(json.loads(register)), "email").is_covered
