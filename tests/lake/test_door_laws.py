"""One law over every door: nobody passes without the purpose, and nothing but what it covers.

The judge is written from the pages on consent alone: who said what of which purpose, whom an
operator calls one person, and which fields each purpose covers. It asks no code of the platform.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partialmethod
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.consent.coverage import coverage_of
from stamgast.consent.purposes import SUPPRESSED, Purpose, Purposes
from stamgast.erasure.subject import Subject
from stamgast.identity.assurance import Assurance
from stamgast.identity.explain.masking import HIDDEN
from stamgast.lookup import explain_api, own_api, purpose, segment_api
from stamgast.lookup.explain_api import ExplainDesk
from stamgast.lookup.purpose import Errand
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.routes import Desk, Request, respond
from stamgast.models.live import item_of as score_of
from stamgast_aws.dynamo_values import item_of
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_cli.errors import InputError
from stamgast_cli.reports import segment
from stamgast_cli.reports.segment import Asked, segment_report
from stamgast_lake.engine import session
from stamgast_lake.erasure import record
from stamgast_lake.erasure.resolve import resolve_in_lake
from stamgast_lake.logs import see_runs
from stamgast_lake.query import LakeSession
from stamgast_lake.rules import preview_answer
from stamgast_lake.tables import EVENTS
from tests.fakes.segment_desk import Counter
from tests.lake.test_consent_laws import CUT, MAIL, MERGE, RUN, USER, Say
from tests.lake.test_consent_laws import Story as Told
from tests.lake.test_cuts import key_of
from tests.lake.test_export_laws import ask_nobody_again
from tests.lake.thorough import thorough
from tests.lake.world import KEYRING, NOON_MS

BOTH = (USER, MAIL)
CITY = {USER: "Delft", MAIL: "Gouda"}
SCORE, EVENT, ADDRESS = "0.4242", "Order Completed", "ada@x.nl"
FEATURE = "731.5"
REASONS = f'[{{"feature": "orders_90d", "value": {FEATURE}, "log_odds": 0.2}}]'
MASKED = json.dumps(HIDDEN)[1:-1]
DAY_OF_EVENTS = "2026-11-21T"
PURPOSES = Purposes(
    {
        "email": Purpose("email", ("lookup", "segments", "exports", "fields.traits.city")),
        "service": Purpose("service", ("lookup", "fields.timeline", "fields.scores.likely")),
    }
)
MAILER = Reader("mailer", ("*",), ("*",), tuple(Action), purposes=("email",))
SERVICE = replace(MAILER, name="service", purposes=("service",))
ALL = ["traits", "activity", "identifiers", "rfm", "computed", "scores", "segments", "consents"]
SUPPRESS, LIFT = "suppress", "lift"
Step = Say | str


class Story(Told):
    """Two identifiers that are two persons or one; what they said, and who is suppressed."""

    def __init__(self) -> None:
        self.hushed: dict[str, list[tuple[int, bool]]] = {USER: [], MAIL: []}
        self.readers = {"mailer": MAILER, "service": SERVICE}
        super().__init__()
        identity = replace(self.world.workspace.identity, consents=PURPOSES)
        self.world.workspace = replace(self.world.workspace, consents=PURPOSES, identity=identity)
        self.counter = Counter(self.world)
        self.counter.tokens.readers |= self.readers
        self.threads = ThreadPoolExecutor(1)

    def send(self, who: str, assurance: Assurance, **body: Any) -> None:
        traits = {**body.pop("traits", {}), "city": CITY[who]}
        super().send(
            who, assurance, traits={**({"email": ADDRESS} if who == MAIL else {}), **traits}, **body
        )

    def take(self, step: Step) -> None:
        if isinstance(step, Say):
            told = dict.fromkeys(("email", "service"), step.is_granted)
            self.send(step.who, step.assurance, context={"consent": {"categoryPreferences": told}})
            self.said[step.who].append((self.count, step))
        elif step in (SUPPRESS, LIFT):
            self.send(
                USER, Assurance.VERIFIED, context={"consent": {"suppressed": step == SUPPRESS}}
            )
            self.hushed[USER].append((self.count, step == SUPPRESS))
        else:
            super().take(step)

    def of_one(self, who: str) -> Sequence[str]:
        """The identifiers of whoever this is by now."""
        return BOTH if self.is_one else (who,)

    def may_pass(self, who: str) -> bool:
        """The law: who allows it, and is not suppressed."""
        hushed = sorted(word for one in self.of_one(who) for word in self.hushed[one])
        return self.allows(who) and not (hushed and hushed[-1][1])

    # asking

    def look(self, reader: Reader, method: str, path: str, body: Any = None, **query: str) -> str:
        """What the look-up API answers this reader, without an echo of the question."""
        store = DynamoLookupStore(self.world.dynamodb, "profiles", self.threads, lambda _: None)
        tokens: Any = type("Tokens", (), {"find": lambda *_: reader})()
        desk = Desk(store, store, tokens, self.world.workspace, KEYRING, NOON_MS)
        self.scored()
        request = Request(method, path, query, "t", "" if body is None else json.dumps(body))
        told = respond(request, desk, (*own_api.ROUTES, *segment_api.ROUTES)).body
        told = told["results"][0]["profile"] if "results" in told else told
        return json.dumps(told)

    def scored(self) -> None:
        """Each person has a score, as a run stores it."""
        row = {
            **dict.fromkeys(("percentile", "band", "low", "high", "detail")),
            "value": float(SCORE),
            "version": "v1",
            "reasons": REASONS,
            "scored_on": "2026-11-01",
            "valid_until_ms": NOON_MS + 10**9,
        }
        for who in BOTH:
            key = {"PK": {"S": f"P#{self.home(who)}"}, "SK": {"S": "S#likely"}}
            item = {**key, **item_of(score_of(row)), "run": {"N": "1"}}
            self.world.dynamodb.put_item(TableName="profiles", Item=item)

    def explained(self, who: str) -> str:
        """What an operator's question about identity is answered."""
        tokens: Any = type("Tokens", (), {"find": lambda *_: self.readers["mailer"]})()
        told = (self.world.identity, None, self.world.workspace, KEYRING, NOON_MS, lambda _: None)
        desk = ExplainDesk(tokens, *told)  # type: ignore[arg-type]
        body = json.dumps({"identifier": who, "details": False})
        request = Request("POST", "/v1/identity:explain", {}, "t", body)
        return json.dumps(respond(request, desk, explain_api.ROUTES).body)

    def asked(self, path: str, **body: Any) -> str:
        """What the paths about segments answer, without the counts of a preview."""
        self.counter.tokens.readers |= self.readers
        response = self.counter.ask(path, body, "mailer").body
        if path == "explain":
            return json.dumps(response)
        told = response["answer"]
        change = told.get("change") or {}
        return json.dumps(
            [told.get("sample"), change.get("entering_sample"), change.get("leaving_sample")]
        )

    def recorded(self, who: str, only: Callable[[Any], Any] = lambda told: told) -> str:
        """What a person is handed who asks for their record: as JSON, and as a page."""
        live = DynamoErasure(
            self.world.dynamodb, "profiles", "control", lambda _: None, lambda: KEYRING
        )
        named = live.resolve(Subject("record", 0, frozenset((key_of(who),))))
        whole = resolve_in_lake(self.world.lake, named)
        told = only(record.record_of(self.world.lake, whole, NOON_MS))
        return json.dumps(told, default=str) + record.page_of(told)

    def exported(self, form: str) -> str:
        """The rows of an export, whatever their form."""
        body = {"segment": "everybody", "purpose": "email", "format": form}
        asked = {**body, "fields": ["person_id", "traits.city"]}
        answer = self.counter.ask("export", asked, "mailer").body["answer"]
        files = [self.counter.file(answer, place) for place in range(len(answer["files"]))]
        if form == "csv":
            return b"".join(files).decode()
        return json.dumps([pq.read_table(BytesIO(one)).to_pylist() for one in files], default=str)

    def reported(self, **asked: Any) -> str:
        """A segment's report, of which page and terminal are made; empty before the first run."""
        with session() as engine:
            lake = LakeSession(engine, self.world.catalogue, None, "")  # type: ignore[arg-type]
            with suppress(InputError):
                told = Asked("everybody", weeks=2, conversion="page: none", **asked)
                return json.dumps(segment_report(lake, self.world.workspace, told), default=str)
        return ""


@dataclass(frozen=True)
class Door:
    """A way out: what asks there for one person, and the mark that it shows of who may pass.

    `beside` are marks that it may show of anybody, or of who may pass only if it is of runs.

    What a run left is shown as of that run: a grant since then lets nobody out before the next. A
    right is answered whatever was said of purposes: to who it belongs to, and of nobody else.

    What only `counts` is a figure as of the run: what was said since it changes nothing in it.
    """

    ask: Callable[[Story, str], str]
    shows: str | None = None
    beside: tuple[str, ...] = ("person",)
    is_of_runs: bool = False
    is_right: bool = False
    counts: bool = False


def path(who: str, part: str = "") -> str:
    return f"/v1/profiles/{quote(who, safe=':')}{part}"


def spaces(who: str, part: str) -> str:
    return f"/v1/spaces/s/collections/users/profiles/{quote(who, safe=':')}/{part}"


def look_up(reader: str) -> Callable[[Story, str], str]:
    body = {"include": ALL}
    return lambda story, who: story.look(
        story.readers[reader], "POST", "/v1/profiles:lookup", {**body, "identifiers": [who]}
    )


def get(
    place: Callable[..., str], part: str = "", reader: str = "mailer", **query: str
) -> Callable[[Story, str], str]:
    return lambda story, who: story.look(story.readers[reader], "GET", place(who, part), **query)


TIMED = ("person", "moment")
EVERYTHING = ("person", "moment", "address", "event", "masked")
FIGURES = ("event", "moment")  # names of steps, and the moment of the run
TOLD = (*TIMED, "address")  # an event's own properties are of the timeline that it stands in
DOORS: Mapping[str, Door] = {
    "look-up": Door(look_up("mailer"), "city"),
    "score in a look-up": Door(look_up("service"), "score"),
    "profile": Door(get(path, verbose="true", include=",".join(ALL)), "city", TIMED),
    "score in a profile": Door(get(path, "", "service", include="scores"), "score"),
    "reasons of a score": Door(
        get(path, "", "service", include="scores", verbose="true"), "score", TIMED
    ),
    "timeline": Door(get(path, "/timeline", "service"), "event", TOLD),
    "timeline of another purpose": Door(get(path, "/timeline")),
    "Segment's traits": Door(get(spaces, "traits", verbose="true"), "city", TIMED),
    "Segment's computed traits": Door(get(spaces, "traits", **{"class": "computed_trait"})),
    "Segment's scores": Door(
        get(spaces, "traits", "service", **{"class": "computed_trait"}), "score"
    ),
    "Segment's events": Door(get(spaces, "events", "service"), "event", TOLD),
    "Segment's external ids": Door(get(spaces, "external_ids", verbose="true")),
    "Segment's metadata": Door(get(spaces, "metadata")),
    "CSV": Door(lambda story, _: story.exported("csv"), "city", is_of_runs=True),
    "Parquet": Door(lambda story, _: story.exported("parquet"), "city", is_of_runs=True),
    "preview": Door(
        lambda story, _: story.asked("preview", segment="everybody", sample=10),
        "person",
        is_of_runs=True,
    ),
    "segment report": Door(
        lambda story, _: story.reported(), None, FIGURES, is_of_runs=True, counts=True
    ),
    "figures of a segment": Door(
        lambda story, _: story.reported(least=1, purpose="email"),
        "city",
        FIGURES,
        is_of_runs=True,
        counts=True,
    ),
    "access": Door(Story.recorded, "city", EVERYTHING, is_of_runs=True, is_right=True),
    "portability": Door(
        lambda story, who: story.recorded(who, record.portable),
        "city",
        EVERYTHING,
        is_of_runs=True,
        is_right=True,
    ),
    "explanation of a person": Door(Story.explained),
    "explanation of a segment": Door(
        lambda story, who: story.asked("explain", segment="everybody", identifier=who)
    ),
}


def marks(story: Story, who: str, text: str) -> set[str]:
    """Which marks of whoever this is stand in a text."""
    ones = story.of_one(who)
    found = {
        "city": any(CITY[one] in text for one in ones),
        "score": SCORE in text,
        "feature": FEATURE in text,
        "event": EVENT in text,
        "address": ADDRESS in text,
        "masked": MASKED in text,
        "moment": DAY_OF_EVENTS in text,
        "person": any(f'"{story.home(one)}"' in text for one in ones),
    }
    return {name for name, is_there in found.items() if is_there}


def tells_of_another(story: Story, who: str, text: str) -> bool:
    """Whether somebody stands in a text that is about this one alone."""
    others = [one for one in BOTH if one not in story.of_one(who)]
    return any(CITY[one] in text or story.home(one) in text for one in others)


def door_holds(story: Story, name: str, *, is_after_run: bool) -> None:
    """The law at one door; an answer about everybody is asked for once."""
    door = DOORS[name]
    if door.is_right:
        right_holds(story, door, is_after_run=is_after_run)
        return
    if door.counts and not is_after_run:
        return
    texts = dict.fromkeys(BOTH, door.ask(story, USER)) if door.is_of_runs else {}
    for who in BOTH:
        text = texts.get(who) or door.ask(story, who)
        found = marks(story, who, text)
        assert found <= {door.shows, *door.beside}, found
        assert door.is_of_runs or not tells_of_another(story, who, text)
        if door.shows and (is_after_run or not door.is_of_runs):
            assert (door.shows in found) is story.may_pass(who)
        elif door.shows:
            assert (door.shows in found) <= story.may_pass(who)


def right_holds(story: Story, door: Door, *, is_after_run: bool) -> None:
    """A person's own record holds what they said, and no mark of anybody else."""
    for who in BOTH:
        text = door.ask(story, who)
        assert not tells_of_another(story, who, text)
        found = marks(story, who, text)
        assert found <= {door.shows, *door.beside}, found
        assert door.shows in found or not (is_after_run and story.said[who])


def faults(steps: Sequence[Step], doors: Collection[str] = tuple(DOORS)) -> dict[str, str]:
    """The doors at which the law fails in a story, and how.

    What a run left is asked for after each of the last two steps: it takes long.
    """
    of_runs = {name for name in doors if DOORS[name].is_of_runs}
    told = steps if of_runs else [one for one in steps if one != RUN]
    story, found = Story(), dict[str, str]()
    for place, step in enumerate(told):
        story.take(step)
        is_late = place >= len(told) - 2
        for name in doors if is_late else set(doors) - of_runs:
            try:
                door_holds(story, name, is_after_run=step == RUN)
            except AssertionError as error:
                found[name] = str(error)
    return found


SAYING = st.builds(
    Say,
    st.sampled_from(BOTH),
    st.sampled_from((True, True, False)),
    st.sampled_from((Assurance.CLAIMED, Assurance.VERIFIED)),
)
STORIES = st.tuples(
    st.lists(SAYING, min_size=1, max_size=3), st.sampled_from(((), (SUPPRESS,), (SUPPRESS, LIFT)))
).flatmap(
    lambda told: st.permutations([*told[0], *told[1], MERGE, CUT]).map(
        lambda steps: [*steps[:3], RUN, *steps[3:]]
    )
)


@pytest.mark.failure_line(38)
@thorough(1)
@given(STORIES)
def test_no_door_lets_out_anybody_without_the_purpose_or_anything_it_does_not_cover(
    steps: list[Step],
) -> None:
    """Line 38: no record, a withdrawal, a field outside the manifest: nothing leaves."""
    assert faults([*steps, RUN]) == {}


@pytest.mark.deep
@pytest.mark.failure_line(38)
@thorough(60)
@given(STORIES)
def test_no_door_lets_out_more_in_many_more_stories(steps: list[Step]) -> None:
    """Line 38: the same, for many more consents, merges and un-merges."""
    assert faults([*steps, RUN]) == {}


# One grants and one refuses, at a run; then the one who granted takes it back.
WITHDRAWN: Sequence[Step] = (
    Say(MAIL, is_granted=True),
    Say(USER, is_granted=False),
    RUN,
    Say(MAIL, is_granted=False),
)


# Two are one person at a run, and parted since: what the run said of the one is of both.
PARTED: Sequence[Step] = (
    Say(MAIL, is_granted=False),
    MERGE,
    SUPPRESS,
    RUN,
    CUT,
    LIFT,
    RUN,
)


def anybody_is_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Errand, "allows", lambda *_: True)


def everything_is_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(purpose, "within", lambda reader, _: reader)


def every_reason_tells_its_value(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_api, "sees_features", lambda _: True)


def a_token_forgets_its_purposes(patch: pytest.MonkeyPatch) -> None:
    made = Story.__init__

    def unbound(story: Story) -> None:
        made(story)
        story.readers["mailer"] = replace(MAILER, purposes=())

    patch.setattr(Story, "__init__", unbound)


def nobody_is_asked_after_the_run(patch: pytest.MonkeyPatch) -> None:
    ask_nobody_again(patch)
    patch.setattr(preview_answer, "_may_be_shown", lambda *_: True)


def everybody_is_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(segment, "counted_sql", lambda *_: "true")


def the_smallest_figures_are_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Story, "reported", partialmethod(Story.reported, least=1))


def everybody_is_in_the_record(patch: pytest.MonkeyPatch) -> None:
    def everybody(engine: Any, _: Any) -> None:
        engine.execute("create or replace temp view asked as select anchor_key as key from all_of")

    def opened(engine: Any, lake: Any) -> None:
        engine.register("all_of", lake.catalogue.dataset(EVENTS))
        see_runs(engine, lake)

    patch.setattr(record, "see_runs", opened)
    patch.setattr(record, "among", lambda rows, *_: rows)
    patch.setattr(record, "_ask", everybody)


Break = Callable[[pytest.MonkeyPatch], None]
BROKEN: Mapping[Break, frozenset[str]] = {
    anybody_is_shown: frozenset(
        (
            "look-up",
            "score in a look-up",
            "profile",
            "score in a profile",
            "timeline",
            "Segment's traits",
            "Segment's scores",
            "Segment's events",
        )
    ),
    everything_is_shown: frozenset(
        (
            "timeline of another purpose",
            "Segment's computed traits",
            "Segment's external ids",
            "Segment's metadata",
        )
    ),
    nobody_is_asked_after_the_run: frozenset(("CSV", "Parquet", "preview")),
    every_reason_tells_its_value: frozenset(("reasons of a score",)),
    everybody_is_counted: frozenset(("figures of a segment",)),
    the_smallest_figures_are_told: frozenset(("segment report",)),
    everybody_is_in_the_record: frozenset(("access", "portability")),
    a_token_forgets_its_purposes: frozenset(
        ("explanation of a person", "explanation of a segment")
    ),
}


def test_every_door_has_a_broken_variant() -> None:
    assert frozenset().union(*BROKEN.values()) == DOORS.keys()


@pytest.mark.deep
@pytest.mark.parametrize("left_out", BROKEN)
def test_a_door_that_leaves_a_question_out_is_found(
    left_out: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out(monkeypatch)
    steps = [*WITHDRAWN, RUN] if any(DOORS[one].counts for one in BROKEN[left_out]) else WITHDRAWN
    assert faults(steps, BROKEN[left_out]).keys() == BROKEN[left_out]


@pytest.mark.failure_line(38)
def test_every_door_closes_once_consent_is_taken_back() -> None:
    """Line 38: also where a run had counted the person in."""
    assert faults([*WITHDRAWN, RUN]) == {}


@pytest.fixture(scope="module")
def parted() -> Story:
    """Told once: nobody who asks for a record changes anything."""
    story = Story()
    for step in PARTED:
        story.take(step)
    return story


@pytest.mark.xdist_group("parted")
@pytest.mark.failure_line(38)
def test_a_record_holds_nothing_of_whom_the_person_was_cut_from(parted: Story) -> None:
    """Line 38: also where a run had taken the two for one."""
    door_holds(parted, "access", is_after_run=True)


@pytest.mark.xdist_group("parted")
@pytest.mark.parametrize(
    ("name", "told", "door"),
    [
        ("own_rows", lambda _: "select * from found_rows", "portability"),
        ("OWN_IDS", record.ALL, "access"),
    ],
)
def test_a_record_that_tells_of_whom_the_person_was_cut_from_is_found(
    name: str, told: Any, door: str, parted: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, name, told)
    with pytest.raises(AssertionError):
        door_holds(parted, door, is_after_run=True)


@pytest.mark.failure_line(38)
def test_no_figure_counts_who_is_suppressed() -> None:
    """Line 38: a report that names no purpose is of everybody else, whatever they allow."""
    story = Story()
    for step in (Say(USER, is_granted=False), Say(MAIL, is_granted=False), SUPPRESS, RUN):
        story.take(step)
    told = story.reported(least=1)
    assert (CITY[USER] in told, CITY[MAIL] in told) == (False, True)
    assert json.loads(told)["size"]["everyone"] == 1


def sampled(steps: Sequence[Step]) -> set[str]:
    """Of whom a sample tells that a token asks for which is bound to no purpose."""
    story = Story()
    for step in steps:
        story.take(step)
    story.readers["mailer"] = replace(MAILER, purposes=())
    told = story.asked("preview", segment="everybody", sample=10)
    return {who for who in BOTH if f'"{story.home(who)}"' in told}


HUSHED: Sequence[Step] = (
    Say(USER, is_granted=True),
    Say(MAIL, is_granted=False),
    RUN,
    SUPPRESS,
)


@pytest.mark.failure_line(38)
def test_no_sample_tells_of_who_is_suppressed_where_purposes_are_declared() -> None:
    """Line 38: a token that is bound to no purpose is asked about suppression alone."""
    assert sampled(HUSHED) == {MAIL}
    assert sampled([*HUSHED, LIFT]) == set(BOTH)


@pytest.mark.deep
def test_a_sample_that_asks_for_a_purpose_that_nobody_declared_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undeclared = lambda person: coverage_of(person, SUPPRESSED, PURPOSES)  # noqa: E731
    asked = lambda person: told if (told := undeclared(person)).is_covered else None  # noqa: E731
    monkeypatch.setattr(preview_answer, "silenced", asked)
    assert sampled(HUSHED) == set(BOTH)
