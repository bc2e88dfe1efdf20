"""Scores in look-ups: those that hold now, with what moved them where it is asked for."""

import json
from dataclasses import replace
from typing import Any

import pytest

from stamgast.consent.purposes import Purpose, Purposes
from stamgast.identity.assurance import Assurance
from stamgast.lookup import own_api
from stamgast.lookup.person import Person
from stamgast.lookup.reader import Reader
from stamgast.moments import iso_of
from tests.fakes.consents import Saying
from tests.fakes.lookup import NOW_MS, MemoryLookupStore
from tests.unit.lookup.test_own_api import get
from tests.unit.lookup.test_purpose import desk_of, look

REASONS = [{"feature": "since", "value": 3.0, "log_odds": 0.4}]
NUMBERS = {"value": 0.25, "percentile": 81.5, "band": "high", "low": None, "high": None}


def item(until_ms: int, **told: Any) -> dict[str, Any]:
    """A score as the live view keeps it."""
    return {
        "score": json.dumps(NUMBERS),
        "version": "v1",
        "reasons": json.dumps(REASONS),
        "detail": None,
        "scored_on": "2026-11-20",
        "valid_until": iso_of(until_ms),
        "run": 7,
        **told,
    }


@pytest.fixture
def scored(store: MemoryLookupStore) -> MemoryLookupStore:
    """The people, each with a score that holds and one whose time is over."""
    told = {"buys": item(NOW_MS + 1), "leaves": item(NOW_MS)}
    for name, person in store.people.items():
        assert isinstance(person, Person)
        store.people[name] = replace(person, rows={**person.rows, "scores": told})
    return store


def test_a_score_that_holds_is_told_with_its_version_and_time(scored: MemoryLookupStore) -> None:
    told = get(scored, "/v1/profiles/user_id:u1", include="scores").body["scores"]
    until = iso_of(NOW_MS + 1)
    rest = {"version": "v1", "scored_on": "2026-11-20", "valid_until": until}
    assert told == {"buys": {**NUMBERS, **rest}}


@pytest.mark.failure_line(31)
def test_a_score_whose_time_is_over_is_not_told_though_its_item_is_there(
    scored: MemoryLookupStore,
) -> None:
    """Line 31: an item that has not been deleted yet is filtered when it is read."""
    told = get(scored, "/v1/profiles/user_id:u1", include="scores", verbose="true").body
    assert "leaves" not in told["scores"]
    assert told["scores"]["buys"]["reasons"] == REASONS


@pytest.mark.parametrize(
    ("told", "is_denied", "is_told"),
    [(None, False, True), (None, True, False), (True, True, True), (False, False, False)],
)
def test_of_who_objects_to_profiling_no_score_is_told(
    told: bool | None, is_denied: bool, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [] if told is None else [Saying("profiling", told, Assurance.VERIFIED, 5, "m")]
    declared = Purposes({"profiling": Purpose("profiling", is_default_granted=not is_denied)})
    desk = desk_of(*said, reader=Reader("shop", ("*",)), purposes=declared)
    people = desk.profiles.people  # type: ignore[attr-defined]
    for name, person in people.items():
        rows = {**person.rows, "scores": {"buys": item(NOW_MS + 1)}}
        people[name] = replace(person, rows=rows)
    assert bool(look(desk, include="scores").body["scores"]) is is_told
    monkeypatch.setattr(own_api, "may_be_profiled", lambda *_: True)
    assert look(desk, include="scores").body["scores"], "one that does not ask tells it"


def test_who_came_by_a_claim_is_told_no_score(scored: MemoryLookupStore) -> None:
    told = get(scored, "/v1/profiles/anonymous_id:stranger", include="scores").body
    assert told["scores"] == {}
