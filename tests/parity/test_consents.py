"""The readings of a consent agree: Python's, by which people leave, and those of SQL."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.consent.coverage import (
    consent_of_row,
    consent_of_traits,
    coverage_of,
    row_of_consent,
    values_of,
)
from stamgast.consent.purposes import ALL, SUPPRESSED, UNDECLARED, Purpose, Purposes
from stamgast.consent.words import word_name
from stamgast.identity.assurance import Assurance
from stamgast_lake import consents
from stamgast_lake.consents import covers_sql, register_sql, values_sql, words_sql
from stamgast_lake.engine import EngineSettings, session
from tests.fakes.consents import Saying, joined, word

ODD = 'e"mail'
DEFAULTS = Purposes({name: Purpose(name, is_default_granted=True) for name in ("email", "ads")})
SAYINGS = st.lists(
    st.builds(
        word,
        st.booleans(),
        st.sampled_from(("email", "email", "ads", ODD, SUPPRESSED)),
        st.integers(1, 3),
        st.sampled_from(tuple(Assurance)),
    )
    | st.builds(word, st.just(False), st.just(ALL), st.integers(1, 3)),
    max_size=6,
)
EVENTS = """
    create or replace temp table person_event as
    select 'p' as person_id, traits, make_timestamptz(ms * 1000) as event_at, message_key
    from (select unnest(?::varchar[]) as traits, unnest(?::bigint[]) as ms,
        unnest(?::varchar[]) as message_key)
"""
# Without any rule of time, of assurance, and of who is suppressed.
DIRECTED: Sequence[Sequence[Saying]] = (
    (word(False, at_ms=2), word(True, at_ms=2)),
    (word(False, at_ms=1), word(True, at_ms=2, assurance=Assurance.CLAIMED)),
    (word(True), word(False, SUPPRESSED, assurance=Assurance.CLAIMED)),
    (word(True), word(False, ALL, 9)),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(256, 1, folder)) as connection:
        yield connection


def profile_of(told: Sequence[Saying]) -> str:
    consent = consent_of_traits(joined(told))
    traits: dict[str, Any] = {"city": {"value": {"email": True}}}
    if consent is not None:
        traits["consent"] = {"message_key": "m", **row_of_consent(consent)}
    return json.dumps(traits)


def of_profile(
    engine: DuckDBPyConnection, traits: str, purpose: str, purposes: Purposes = UNDECLARED
) -> tuple[bool, Any]:
    covered = covers_sql("told", purpose, purposes)
    asked = f"select {covered}, cast({register_sql('told')} as varchar)"
    rows = engine.execute(f"{asked} from (select ?::varchar as told)", [traits]).fetchall()
    return bool(rows[0][0]), rows[0][1]


def of_events(engine: DuckDBPyConnection, told: Sequence[Saying]) -> dict[str, bool]:
    traits = [
        json.dumps({word_name(one.purpose, one.assurance, is_grant=one.is_grant): {"by": "trait"}})
        for one in told
    ]
    rows = [traits, [one.at_ms for one in told], [one.key for one in told]]
    engine.execute(EVENTS, rows)
    found = engine.execute(values_sql(words_sql("person_event"))).fetchall()
    return dict(json.loads(found[0][1])) if found else {}


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
@given(SAYINGS, st.sampled_from(("email", "ads", ODD)), st.sampled_from((UNDECLARED, DEFAULTS)))
def test_sql_and_python_cover_the_same(
    engine: DuckDBPyConnection, told: list[Saying], purpose: str, purposes: Purposes
) -> None:
    covered, row = of_profile(engine, profile_of(told), purpose, purposes)
    consent = consent_of_row(json.loads(row)) if row else None
    assert covered == coverage_of(consent, purpose, purposes).is_covered
    assert consent == consent_of_traits(joined(told))


def agrees(engine: DuckDBPyConnection, told: Sequence[Saying]) -> None:
    assert of_events(engine, told) == values_of(consent_of_traits(joined(told)))


def agree(engine: DuckDBPyConnection, many: Sequence[Sequence[Saying]]) -> None:
    for told in many:
        agrees(engine, told)


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
@given(SAYINGS)
def test_events_at_a_past_moment_come_to_the_same(
    engine: DuckDBPyConnection, told: list[Saying]
) -> None:
    agrees(engine, told)


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("word.said_ms > greatest(", "word.said_ms >= greatest("),
        ("coalesce(greatest(own.surest, every.surest), 0)", "0"),
        ("and person_id not in (select person_id from closed)", ""),
        ("every.purpose = '$all'", "every.purpose = 'no'"),
    ],
)
def test_a_statement_without_one_of_its_rules_is_found(
    engine: DuckDBPyConnection, rule: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = consents.values_sql

    def without(words: str) -> str:
        assert rule in whole(words)
        return whole(words).replace(rule, broken)

    monkeypatch.setitem(globals(), "values_sql", without)
    with pytest.raises(AssertionError):
        agree(engine, DIRECTED)


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("traits", ["{}", '{"consent": null}', '{"consent": {"value": true}}'])
def test_no_consent_is_none_in_sql(engine: DuckDBPyConnection, traits: str) -> None:
    """Line 38: without a record nothing is covered."""
    assert of_profile(engine, traits, "email")[0] is False


def test_a_purpose_that_is_none_is_covered_for_nobody_in_sql(engine: DuckDBPyConnection) -> None:
    purposes = Purposes({"ads": Purpose("ads")})
    assert of_profile(engine, profile_of([word(True)]), "email", purposes)[0] is False
