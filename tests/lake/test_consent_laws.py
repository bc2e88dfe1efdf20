"""Of who does not allow it nothing is shown or leaves: live, after runs, merged and parted."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from csv import DictReader
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.consent.coverage import consent_of_row, coverage_of
from stamgast.consent.purposes import Purpose, Purposes
from stamgast.egress.decision import Why
from stamgast.identity.assurance import Assurance
from stamgast.lookup import own_api, person
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Desk, Request, respond
from stamgast_aws import live_persons
from stamgast_aws.live_persons import DynamoLivePersons
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_lake.tables import EGRESS_RECEIPTS, PROFILES
from tests.fakes.segment_desk import Counter
from tests.lake.test_cuts import Operators, key_of
from tests.lake.test_memberships import world
from tests.lake.thorough import thorough
from tests.lake.world import KEYRING, NOON_MS, World, latest

USER, MAIL = "u:1", "e:ada@x.nl"
SECRET = "Delft"
PURPOSES = Purposes(
    {"email": Purpose("email", ("lookup", "segments", "exports", "fields.traits.city"))}
)
READER = Reader("mailer", ("*",), purposes=("email",))


@dataclass(frozen=True)
class Say:
    """A word by one of the two identifiers; the later steps say later."""

    who: str
    is_granted: bool
    assurance: Assurance = Assurance.VERIFIED


Step = Say | str
MERGE, CUT, RUN = "merge", "cut", "run"
SAYING = st.builds(
    Say,
    st.sampled_from((USER, MAIL)),
    st.booleans(),
    st.sampled_from((Assurance.CLAIMED, Assurance.VERIFIED)),
)
STORIES = st.lists(SAYING, min_size=1, max_size=3).flatmap(
    lambda said: st.permutations([*said, MERGE, CUT]).map(
        lambda steps: [*steps[:3], RUN, *steps[3:]]
    )
)


class Story:
    """Two identifiers that are two persons, or one, and what each of them said."""

    def __init__(self) -> None:
        self.world: World = world(everybody="orders.count >= 1")
        self.world.workspace = replace(
            self.world.workspace,
            consents=PURPOSES,
            identity=replace(self.world.workspace.identity, consents=PURPOSES),
        )
        self.operators = Operators(self.world)
        self.said: dict[str, list[tuple[int, Say]]] = {USER: [], MAIL: []}
        self.is_one = self.is_cut = False
        self.count = 0
        for who in (USER, MAIL):
            self.send(who, Assurance.VERIFIED, event="Order Completed", type="track")

    def send(self, who: str, assurance: Assurance, **body: Any) -> None:
        self.count += 1
        names = {USER: {"userId": "1"}, MAIL: {"anonymousId": "d2"}}[who]
        traits = {"city": SECRET, **({"email": "ada@x.nl"} if who == MAIL else {})}
        told = {
            "messageId": f"m{self.count}",
            "type": "identify",
            "timestamp": NOON_MS - 100_000 + 1_000 * self.count,
            "traits": traits,
            "properties": {"revenue": 9, "currency": "EUR", "email": traits.get("email")},
            **names,
            **body,
        }
        told["properties"] = {name: v for name, v in told["properties"].items() if v}
        self.world.send(told, assurance=assurance, request_id=f"r{self.count}")

    def take(self, step: Step) -> None:
        if isinstance(step, Say):
            told = {"categoryPreferences": {"email": step.is_granted}}
            self.send(step.who, step.assurance, context={"consent": told})
            self.said[step.who].append((self.count, step))
        elif step == MERGE and not self.is_cut:
            self.send(USER, Assurance.VERIFIED, traits={"city": SECRET, "email": "ada@x.nl"})
            self.is_one = True
        elif step == CUT:
            self.operators.cut(USER, MAIL)
            self.is_one, self.is_cut = False, True
        elif step == RUN:
            self.world.run()

    def allows(self, who: str) -> bool:
        """The law over everything that was said by whoever this is now."""
        one = [*self.said[USER], *self.said[MAIL]] if self.is_one else self.said[who]
        refusals = [(at, word) for at, word in one if not word.is_granted]
        return any(
            all(at > no and word.assurance >= refusal.assurance for no, refusal in refusals)
            for at, word in one
            if word.is_granted
        )

    def home(self, who: str) -> str:
        homes = {key: one for one, keys in self.world.persons().items() for key in keys}
        return homes[key_of(who)]


def live_holds(story: Story) -> None:
    with ThreadPoolExecutor(1) as threads:
        store = (story.world.dynamodb, "profiles", threads, lambda _: None)
        found = DynamoLivePersons(*store).read([story.home(USER), story.home(MAIL)], frozenset())
        lookups = DynamoLookupStore(*store)
        for who in (USER, MAIL):
            consent = found[story.home(who)].consent
            assert coverage_of(consent, "email", PURPOSES).is_covered == story.allows(who)
            looked_up(story, who, lookups)


def looked_up(story: Story, who: str, store: DynamoLookupStore) -> None:
    """A look-up shows the manifest of the purpose, or nothing at all."""
    tokens: Any = type("Tokens", (), {"find": lambda *_: READER})()
    desk = Desk(store, store, tokens, story.world.workspace, KEYRING, NOON_MS)
    body = json.dumps({"identifiers": [who], "include": ["traits", "activity", "identifiers"]})
    request = Request("POST", "/v1/profiles:lookup", {}, "t", body)
    (result,) = respond(request, desk, own_api.ROUTES).body["results"]
    told = result["profile"]
    assert ("withheld" in told) is not story.allows(who)
    assert set(told.get("traits", {})) <= {"city"}
    assert not {"counters", "identifiers"} & told.keys()
    assert (SECRET in json.dumps(told)) <= story.allows(who)
    assert [one.is_allowed for one in desk.disclosures] == [story.allows(who)]


def lake_holds(story: Story) -> None:
    """After a run: the lake says the same, and exactly those who allow it leave."""
    profiles = latest(story.world.catalogue.rows(PROFILES), "person_id")
    for who in (USER, MAIL):
        row = json.loads(profiles[story.home(who)]["traits"])
        found = coverage_of(consent_of_row(row.get("consent")), "email", PURPOSES)
        assert found.is_covered == story.allows(who)
    counter = Counter(story.world)
    body = {"segment": "everybody", "purpose": "email", "fields": ["person_id", "traits.city"]}
    answer = counter.answer("export", **body)
    text = counter.file(answer).decode()
    left = {row["person_id"] for row in DictReader(StringIO(text, newline=""))}
    assert left == {story.home(who) for who in (USER, MAIL) if story.allows(who)}
    receipts = {row["person_id"]: row for row in story.world.catalogue.rows(EGRESS_RECEIPTS)}
    assert receipts.keys() == {story.home(USER), story.home(MAIL)}
    assert all((row["reason"] == Why.GRANTED) is row["is_allowed"] for row in receipts.values())


def holds(steps: Sequence[Step]) -> None:
    story = Story()
    for step in steps:
        story.take(step)
        live_holds(story)
    story.world.run()
    live_holds(story)
    lake_holds(story)


@pytest.mark.failure_line(38)
@thorough(1)
@given(STORIES)
def test_only_who_allows_it_is_shown_or_leaves(steps: list[Step]) -> None:
    """Line 38: no record, a withdrawal, a field outside the manifest: nothing leaves."""
    holds(steps)


@pytest.mark.deep
@pytest.mark.failure_line(38)
@thorough(60)
@given(STORIES)
def test_only_who_allows_it_is_shown_or_leaves_in_many_more_stories(steps: list[Step]) -> None:
    """Line 38: the same, for many more consents, merges and un-merges."""
    holds(steps)


# The refusal of one identifier is that of the person, until an operator says they are two.
REFUSED_ELSEWHERE: Sequence[Step] = (Say(MAIL, is_granted=False), Say(USER, is_granted=True))
MERGED_THEN_CUT: Sequence[Step] = (
    Say(USER, is_granted=True),
    Say(MAIL, is_granted=False),
    MERGE,
    CUT,
)


@pytest.mark.failure_line(38)
def test_a_merge_brings_the_refusal_and_a_cut_takes_it_back() -> None:
    """Line 38: what one of two identifiers refused is refused while they are one person."""
    holds(MERGED_THEN_CUT)


def only_the_first_anchor(patch: pytest.MonkeyPatch) -> None:
    whole = live_persons.joined_words
    patch.setattr(
        live_persons, "joined_words", lambda facts, anchors: whole(facts, sorted(anchors)[-1:])
    )


def only_what_is_in_sight(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(person, "joined_words", lambda facts, anchors: {})


BROKEN: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "one anchor speaks for all": only_the_first_anchor,
    "a look-up asks nobody": only_what_is_in_sight,
}


@pytest.mark.parametrize("variant", BROKEN)
def test_a_reading_that_leaves_anchors_out_is_found(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN[variant](monkeypatch)
    with pytest.raises(AssertionError):
        holds(MERGED_THEN_CUT)
