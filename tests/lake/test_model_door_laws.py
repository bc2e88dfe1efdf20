"""What is recommended to somebody leaves by no door without them allowing it; a card names nobody.

The judge is that of the law of doors, over a score whose reasons are items.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any
from unittest import mock

import pytest
from threadpoolctl import threadpool_limits

from stamgast.erasure.subject import Subject
from stamgast.lookup.purpose import Errand
from stamgast.models import live
from stamgast.models.declaration import models_of
from stamgast.moments import ms_of
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_cli.modelling.card import card_of
from stamgast_cli.reports.model_page import page_of
from stamgast_lake.features import allowed
from stamgast_learn.recommend import run
from tests.fakes.kind_world import PEOPLE, happened
from tests.fakes.model_world import lake_of, moment, workspace
from tests.lake import test_door_laws as doors
from tests.lake.test_consent_laws import CUT, MAIL, MERGE, RUN, USER, Say
from tests.lake.test_cuts import key_of
from tests.lake.test_door_laws import LIFT, SUPPRESS, Step, Story, get, path
from tests.lake.world import KEYRING, NOON_MS

ITEM = {USER: "cellar-box-7731", MAIL: "tea-caddy-1199"}
BOTH = (USER, MAIL)
OFFERED = {"category": "gifts", "probability": 0.31, "because": "bought together"}


class Offered(Story):
    """Two people to each of whom an item is offered; one person has both."""

    def look(self, reader: Any, method: str, path: str, body: Any = None, **query: str) -> str:
        """The API's answer, with the items that a run of models stored."""
        items = {who: self._items(who) for who in BOTH}
        with mock.patch.object(doors, "score_of", wraps=doors.score_of) as made:
            made.side_effect = lambda row: self._kept(row, items)
            self.left = list(BOTH)
            return super().look(reader, method, path, body, **query)

    def _items(self, who: str) -> str:
        return json.dumps([{"item": ITEM[one], **OFFERED} for one in self.of_one(who)])

    def _kept(self, row: Mapping[str, Any], items: Mapping[str, str]) -> dict[str, Any]:
        return KEPT({**row, "reasons": items[self.left.pop(0)]})

    def erase(self, who: str) -> None:
        """The live part of an erasure."""
        tables = DynamoErasure(
            self.world.dynamodb, "profiles", "control", lambda _: None, lambda: KEYRING
        )
        tables.erase(tables.resolve(Subject("erasure", 2 * NOON_MS, frozenset((key_of(who),)))))


KEPT = doors.score_of
VERBOSE = {"include": "scores", "verbose": "true"}
OPEN, COVERED, BRIEF = "profile", "profile of another purpose", "profile without reasons"
"""At the first alone who allows it is offered something."""
DOORS: Mapping[str, Callable[[Story, str], str]] = {
    OPEN: get(path, "", "service", **VERBOSE),
    COVERED: get(path, "", "mailer", **VERBOSE),
    BRIEF: get(path, "", "service", include="scores"),
}


def faults(steps: Sequence[Step]) -> set[str]:
    """The doors at which the law fails at the end of a story."""
    story = Offered()
    for step in steps:
        story.take(step)
    return {name for name in DOORS for who in BOTH if not holds(story, name, who)}


def holds(story: Offered, name: str, who: str) -> bool:
    text = DOORS[name](story, who)
    told = {one for one in BOTH if ITEM[one] in text}
    allowed = set(story.of_one(who)) if name == OPEN and story.may_pass(who) else set()
    return told == allowed


GRANTED: Sequence[Step] = (Say(USER, is_granted=True), Say(MAIL, is_granted=False), RUN)
STORIES: Mapping[str, Sequence[Step]] = {
    "one allows it": GRANTED,
    "taken back": (*GRANTED, Say(USER, is_granted=False)),
    "suppressed": (*GRANTED, SUPPRESS),
    "lifted": (*GRANTED, SUPPRESS, LIFT),
    "merged with who refuses": (*GRANTED, MERGE),
    "merged and parted": (*GRANTED, MERGE, CUT),
}


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("name", STORIES)
def test_what_is_recommended_leaves_by_one_door_to_who_may_pass(name: str) -> None:
    """Line 38: nobody is told of an item that another purpose, or nobody's, does not cover."""
    assert faults(STORIES[name]) == set()


@pytest.mark.deep
def test_a_door_that_asks_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Errand, "allows", lambda *_: True)
    assert faults(STORIES["suppressed"]) == {OPEN}


@pytest.mark.deep
def test_a_door_that_forgets_what_a_purpose_covers_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doors.everything_is_shown(monkeypatch)
    assert faults(GRANTED) == {COVERED}


@pytest.mark.deep
def test_a_short_answer_that_gives_reasons_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    told = live.answers_of
    monkeypatch.setattr(
        live, "answers_of", lambda rows, now, **asked: told(rows, now, **{**asked, **LOUD})
    )
    assert faults(GRANTED) == {BRIEF}


LOUD = {"verbose": True}


def erased(*, is_whole: bool = True) -> str:
    """What the profile says of who was erased, whose scores a run had stored."""
    story = Offered()
    for step in GRANTED:
        story.take(step)
    assert ITEM[USER] in DOORS[OPEN](story, USER)
    home = story.home(USER)
    story.erase(USER) if is_whole else None
    left = story.world.dynamodb.scan(TableName="profiles")["Items"]
    return json.dumps([one for one in left if one["PK"]["S"] == f"P#{home}"])


@pytest.mark.failure_line(36)
def test_what_was_recommended_goes_with_the_erased() -> None:
    """Line 36: the item of a score is data of the person."""
    assert ITEM[USER] not in erased()
    assert ITEM[USER] in erased(is_whole=False)


# Cards: two and a half seconds of CPU for a model, for it has to learn before it can tell.

RECOMMENDS = """
models:
  next_products:
    kind: recommendation
    purpose: scoring
    cutoffs: {number: 4, every_days: 30}
    recommend: {number: 5, least_buyers: 15, not_bought_within_days: 365}
"""
NAMES = re.compile(r"\bp\d{4}[a-z0-9]\b|u:1:|\bm\d{4}-")
"""How persons, identifiers and messages of the generated shop are called."""


@pytest.fixture
def briefly() -> Iterator[None]:
    with (
        mock.patch("stamgast_learn.predict.ranking.REPLICATES", 40),
        threadpool_limits(limits=1),
    ):
        yield


def card() -> dict[str, Any]:
    """The card of a recommendation that only people with even numbers allow."""
    told = workspace(RECOMMENDS, "segments: {}")
    lake = lake_of(told, people=PEOPLE, happened=happened())
    (model,) = models_of(told.models)
    return card_of(lake, model, ms_of(moment()), lambda _: nullcontext())


@cache
def told_by_the_card() -> dict[str, Any]:
    return card()


def names_in(told: dict[str, Any]) -> set[str]:
    return set(NAMES.findall(json.dumps(told, default=str) + page_of(told)))


@pytest.mark.failure_line(38)
def test_a_card_names_nobody_and_counts_who_allows_it(briefly: None) -> None:
    """Line 38: who does not allow it is neither learnt of nor offered anything."""
    told = told_by_the_card()
    assert told["is_used"], told["why"]
    assert names_in(told) == set()
    assert (told["report"]["people"], told["now"]["scored"]) == (PEOPLE // 2, PEOPLE // 2)


def test_a_card_that_names_who_was_offered_most_would_be_seen(
    briefly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = told_by_the_card()
    told = {**told, "now": {**told["now"], "most_offered": [{"item": "x", "people": "p0004e"}]}}
    assert names_in(told) == {"p0004e"}


@pytest.mark.deep
def test_a_model_that_asks_nobody_would_be_seen(
    briefly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowed, "covers_sql", lambda *_: "true")
    monkeypatch.setattr(run, "_require_better", lambda *_: None)
    assert card()["report"]["people"] == PEOPLE
