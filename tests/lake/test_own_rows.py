"""Whose a row about a person is: by hand, of ids that were of two, and are of one or of nobody."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from stamgast_lake.erasure import own_rows
from stamgast_lake.logs import keep
from stamgast_lake.tables import EGRESS_RECEIPTS, MEMBERSHIPS, PROFILES, RFM, SCORES, LakeTable

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINE, BOTH, NOBODY = ["a"], ["a", "b"], list[str]()
# Who had an id from which run on.
STOOD = {
    "kept": {1: MINE, 3: BOTH, 5: MINE},
    "dissolved": {1: BOTH, 5: NOBODY},
    "taken in": {1: MINE, 5: NOBODY},
    "not cut yet": {1: BOTH},
    "theirs by now": {1: BOTH, 5: ["b"]},
}


def stamp(run: int) -> dict[str, Any]:
    return {"recorded_at": NOON + timedelta(hours=run), "run_id": f"r{run}"}


def shown(
    engine: DuckDBPyConnection,
    table: LakeTable,
    rows: Iterable[tuple[str, int]],
    last_settled: int = 9,
    **more: str,
) -> list[dict[str, Any]]:
    """Those of the rows (id, run) that who is `a` alone is shown; runs after the last failed."""
    stood = [
        {
            "person_id": name,
            "state": "active" if members else "gone",
            "members": members,
            "is_settled": run <= last_settled,
            **stamp(run),
        }
        for name, told in STOOD.items()
        for run, members in told.items()
    ]
    found = [
        {"person_id": name, "run": run, **stamp(run), "as_of": stamp(run)["recorded_at"], **more}
        for name, run in rows
    ]
    keep(engine, "own_key", pa.table({"key": MINE}))
    keep(engine, "own_person", pa.table({"key": [one for one in STOOD if one != "theirs by now"]}))
    keep(engine, "person_row", pa.Table.from_pylist(stood))
    keep(engine, "found_rows", pa.Table.from_pylist(found))
    engine.execute(own_rows.STOOD)
    told: list[dict[str, Any]] = engine.sql(own_rows.own_rows(table)).to_arrow_table().to_pylist()
    return told


def runs(*told: Any, **more: Any) -> list[int]:
    return [row["run"] for row in shown(*told, **more)]


def of(name: str, *at: int) -> list[tuple[str, int]]:
    return [(name, run) for run in at]


def test_what_was_said_of_two_is_shown_to_neither(engine: DuckDBPyConnection) -> None:
    for table in (PROFILES, RFM, SCORES):
        assert runs(engine, table, of("kept", 1, 2, 3, 4, 5, 6)) == [1, 2, 5, 6]
    assert runs(engine, PROFILES, of("dissolved", 1, 5)) == []
    assert runs(engine, PROFILES, of("not cut yet", 1, 2)) == []


def test_what_was_said_before_a_person_was_taken_in_stays_their_own(
    engine: DuckDBPyConnection,
) -> None:
    assert runs(engine, PROFILES, of("taken in", 1, 2)) == [1, 2]


def test_what_still_holds_is_shown_although_it_was_said_of_two_first(
    engine: DuckDBPyConnection,
) -> None:
    """A log of changes is silent of what stays as it was."""
    assert runs(engine, PROFILES, of("kept", 3, 4)) == [4]
    told = {"segment": "everybody", "change": "entered"}
    assert runs(engine, MEMBERSHIPS, of("kept", 4), **told) == [4]
    assert runs(engine, MEMBERSHIPS, of("kept", 4), **{**told, "change": "left"}) == []


def test_what_no_finished_run_has_looked_at_since_is_shown_to_nobody(
    engine: DuckDBPyConnection,
) -> None:
    """Also a score: its model has not been asked since."""
    assert runs(engine, PROFILES, of("kept", 4), last_settled=4) == []
    assert runs(engine, SCORES, of("kept", 4)) == []


@pytest.mark.parametrize(("run", "version"), [(2, "m"), (4, None)])
def test_what_left_is_told_and_not_by_whose_word_unless_it_was_theirs(
    run: int, version: str | None, engine: DuckDBPyConnection
) -> None:
    word = {"consent_version": "m", "consent_at": "noon"}
    (row,) = shown(engine, EGRESS_RECEIPTS, of("kept", run), last_settled=9, **word)
    assert (row["run"], row["consent_version"]) == (run, version)


def test_what_left_under_an_id_that_is_somebody_elses_by_now_is_told_without_the_id(
    engine: DuckDBPyConnection,
) -> None:
    word = {"consent_version": "m", "consent_at": "noon"}
    (row,) = shown(engine, EGRESS_RECEIPTS, of("theirs by now", 2, 6), **word)
    assert (row["run"], row["person_id"], row["consent_version"]) == (2, None, None)


@pytest.mark.parametrize(
    ("name", "part", "instead"),
    [("LEFT", "stood.holds_own", "true"), ("LEFT", "or stood.holds_own", "")],
)
def test_what_left_of_somebody_else_and_what_is_not_told_would_be_seen(
    name: str,
    part: str,
    instead: str,
    engine: DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, word = getattr(own_rows, name), {"consent_version": "m", "consent_at": "noon"}
    monkeypatch.setattr(own_rows, name, whole.replace(part, instead))
    assert runs(engine, EGRESS_RECEIPTS, of("theirs by now", 2, 6), **word) != [2]


@pytest.mark.parametrize(
    ("name", "part", "instead", "at"),
    [
        ("STOOD", "list_has_all(", "true or list_has_all(", of("not cut yet", 1)),
        ("STOOD", "case when state = 'active' then members end", "members", of("dissolved", 5)),
        ("STOOD", "and is_settled", "", of("kept", 4)),
        ("SHOWN", "is_own and is_standing and", "", of("not cut yet", 1)),
    ],
)
def test_a_question_left_out_shows_more(
    name: str,
    part: str,
    instead: str,
    at: list[tuple[str, int]],
    engine: DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = runs(engine, PROFILES, at, 4)
    whole = getattr(own_rows, name)
    assert part in whole
    monkeypatch.setattr(own_rows, name, whole.replace(part, instead))
    assert set(runs(engine, PROFILES, at, 4)) > set(right)
