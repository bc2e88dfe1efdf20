"""The laws of what leaves: only fields of the list, nobody without the purpose, receipts of all."""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.consent import coverage
from stamgast.consent.coverage import Verdict
from stamgast.egress import decision
from stamgast.egress.decision import Decision, Why
from stamgast_lake import consents
from stamgast_lake.exports import parts, select
from stamgast_lake.tables import EGRESS_RECEIPTS
from tests.fakes.segment_desk import Counter
from tests.lake.test_memberships import bought, world
from tests.lake.thorough import thorough
from tests.lake.world import KEYRING, NOON_MS, World

PEOPLE = tuple("abcdef")
FIELDS = ("person_id", "traits.email", "traits.city", "identifiers.e", "rfm.segment", "since")
SECRET = "never asked for"
Said = Mapping[str, bool | None]


@dataclass(frozen=True)
class Story:
    """What people said before the run, and what they say between two batches of the export."""

    then: Said
    since: Said
    during: tuple[tuple[int, str, bool], ...]
    fields: tuple[str, ...]
    at_once: int
    rows_a_part: int = 6


STORIES = st.builds(
    Story,
    then=st.fixed_dictionaries({who: st.sampled_from((True, True, False, None)) for who in PEOPLE}),
    since=st.dictionaries(st.sampled_from(PEOPLE), st.booleans(), max_size=3),
    during=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(PEOPLE), st.booleans()), max_size=3
    ).map(tuple),
    fields=st.lists(st.sampled_from(FIELDS), min_size=1, unique=True).map(tuple),
    at_once=st.sampled_from((1, 2, 4)),
    rows_a_part=st.sampled_from((2, 4, 6)),
)


def says(who: str, message: str, is_granted: bool | None, at_ms: int) -> dict[str, Any]:
    traits: dict[str, Any] = {"email": f"{who}@example.org", "city": "=Delft", "note": SECRET}
    if is_granted is not None:
        traits["consent"] = {"email": is_granted, "ads": True}
    told = {"messageId": message, "userId": who, "timestamp": at_ms}
    return {**told, "type": "identify", "traits": traits}


@dataclass
class Told:
    """An export of a story: its rows, its receipts, and what each had said at the last moment."""

    answer: Mapping[str, Any]
    rows: list[dict[str, str]]
    receipts: list[dict[str, Any]]
    last_words: dict[str, bool | None]
    persons: dict[str, str]
    text: str


@dataclass
class Teller:
    """Lets a story happen around an export."""

    story: Story
    counter: Counter
    said: dict[str, bool | None]
    batch: int = 0
    count: int = 0

    def between(self) -> None:
        """What is said just before a batch is asked."""
        for at, who, is_granted in self.story.during:
            if at == self.batch:
                self.say(who, is_granted)
        self.batch += 1

    def say(self, who: str, is_granted: bool) -> None:
        self.said[who] = is_granted
        self.count += 1
        count = self.count
        told = says(who, f"later{count}", is_granted, NOON_MS - 8_000 + count)
        self.counter.world.send(told, request_id=f"later{count}")


def opened(then: Said) -> World:
    """A shop where everybody bought once, after a run."""
    shop = world(everybody="orders.count >= 1")
    bought_once = (bought(who, f"o{who}") for who in PEOPLE)
    said = (says(who, f"s{who}", told, NOON_MS - 9_000) for who, told in then.items())
    shop.send(*bought_once, *said)
    shop.run()
    return shop


def exported(story: Story) -> Told:
    shop = opened(story.then)
    counter = Counter(shop, rows_a_part=story.rows_a_part, at_once=story.at_once)
    homes = {key: person_id for person_id, keys in shop.persons().items() for key in keys}
    persons = {who: homes[KEYRING.identifier_key("u", who)] for who in PEOPLE}
    teller = Teller(story, counter, dict(story.then))
    for who, is_granted in story.since.items():
        teller.say(who, is_granted)
    body = {"segment": "everybody", "purpose": "email", "fields": list(story.fields)}
    with watched(teller, persons) as seen:
        answer = counter.answer("export", **body)
    texts = [counter.file(answer, place).decode() for place in range(len(answer["files"]))]
    rows = [row for text in texts for row in csv.DictReader(StringIO(text, newline=""))]
    receipts = shop.catalogue.rows(EGRESS_RECEIPTS)
    return Told(answer, rows, receipts, seen, persons, "".join(texts))


@contextmanager
def watched(teller: Teller, persons: Mapping[str, str]) -> Iterator[dict[str, bool | None]]:
    """Lets the story go on before each batch; by person, what had been said when it was asked."""
    seen: dict[str, bool | None] = {}
    names = {person_id: who for who, person_id in persons.items()}
    decide = parts.PartWork._decided

    def deciding(self: parts.PartWork, rows: Any) -> Any:
        teller.between()
        seen.update({row["person_id"]: teller.said[names[row["person_id"]]] for row in rows})
        return decide(self, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts.PartWork, "_decided", deciding)
        yield seen


def holds(story: Story) -> None:
    """The laws, for one story."""
    told = exported(story)
    allowed = {row["person_id"]: row for row in told.receipts if row["is_allowed"]}
    assert sorted(row["person_id"] for row in told.receipts) == sorted(told.persons.values())
    assert SECRET not in told.text
    for row in told.rows:
        assert tuple(row) == story.fields
    assert len(told.rows) == told.answer["exported"] == len(allowed)
    for who, person_id in told.persons.items():
        granted = story.then[who] is True and told.last_words[person_id] is True
        assert (person_id in allowed) == granted, who
    if "person_id" in story.fields:
        assert {row["person_id"] for row in told.rows} == allowed.keys()
    for receipt in told.receipts:
        assert receipt["fields"] == (list(story.fields) if receipt["is_allowed"] else [])
        assert (receipt["reason"] == Why.GRANTED) == receipt["is_allowed"]


@pytest.mark.failure_line(38)
@thorough(3)
@given(STORIES)
def test_nothing_leaves_that_is_not_asked_for_and_nobody_without_the_purpose(story: Story) -> None:
    """Line 38: no consent record, a withdrawal while an export runs, a field outside the list."""
    holds(story)


@pytest.mark.deep
@pytest.mark.failure_line(38)
@thorough(200)
@given(STORIES)
def test_nothing_leaves_in_many_more_stories(story: Story) -> None:
    """Line 38: the same, for many more consents and moments."""
    holds(story)


# Whoever is asked first, two of the three who withdraw then have not been asked yet.
WITHDRAWN = Story(
    then={"a": True, "b": False, "c": None, "d": True, "e": True, "f": True},
    since={"b": True},
    during=((1, "a", False), (1, "d", False), (1, "e", False)),
    fields=("person_id", "traits.email"),
    at_once=1,
)


@pytest.mark.failure_line(38)
def test_a_consent_withdrawn_while_the_export_runs_stops_it_for_that_person() -> None:
    """Line 38: whoever withdraws before they are asked is not in the file, and is told of so."""
    told = exported(WITHDRAWN)
    reasons = {row["person_id"]: row["reason"] for row in told.receipts}
    assert [reasons[told.persons[who]] for who in "ade"].count(Why.WITHDRAWN) >= 2
    assert reasons[told.persons["b"]] == Why.REFUSED
    assert reasons[told.persons["c"]] == Why.UNKNOWN
    assert reasons[told.persons["f"]] == Why.GRANTED


def keep_all_fields(patch: pytest.MonkeyPatch) -> None:
    line = parts.PartWork._values
    patch.setattr(parts.PartWork, "_values", lambda *told: [*line(*told), SECRET])


def ask_nobody_again(patch: pytest.MonkeyPatch) -> None:
    def once(person_id: str, then: Any, *_: Any) -> Decision:
        return decision.decided_now(person_id, then)

    patch.setattr(parts, "decided", once)


def allow_what_is_unknown(patch: pytest.MonkeyPatch) -> None:
    def is_covered(self: coverage.Coverage) -> bool:
        return self.verdict is not Verdict.REFUSED

    patch.setattr(coverage.Coverage, "is_covered", property(is_covered))
    patch.setitem(decision.REASONS, Verdict.UNKNOWN, Why.GRANTED)


def look_at_any_purpose(patch: pytest.MonkeyPatch) -> None:
    covered = coverage.coverage_of
    for module in (parts, decision):
        patch.setattr(module, "coverage_of_all", lambda told, *_: covered(told, "ads"))
    patch.setattr(select, "covers_sql", lambda traits, *_: consents.covers_sql(traits, "ads"))


def ask_everybody_at_the_start(patch: pytest.MonkeyPatch) -> None:
    """Consents are read once, before the first batch, and kept."""
    kept: dict[str, Any] = {}
    write = parts.PartWork._write

    def early(self: parts.PartWork, path: Any, selected: Any) -> int:
        if not kept:
            rows = selected.to_pylist()
            kept.update(self.persons.read([row["person_id"] for row in rows], frozenset()))
        self.persons.read = lambda ids, _: {one: kept.get(one) for one in ids}  # type: ignore[method-assign]
        return write(self, path, selected)

    patch.setattr(parts.PartWork, "_write", early)


BROKEN: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a field too many": keep_all_fields,
    "asked at the run alone": ask_nobody_again,
    "unknown is a grant": allow_what_is_unknown,
    "any purpose will do": look_at_any_purpose,
    "asked once at the start": ask_everybody_at_the_start,
}


@pytest.mark.deep
@pytest.mark.parametrize("variant", BROKEN)
def test_an_export_that_leaves_a_rule_out_is_found(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN[variant](monkeypatch)
    with pytest.raises(AssertionError):
        holds(WITHDRAWN)


def test_a_worker_that_dies_between_any_two_steps_leaves_one_file_and_one_receipt_each() -> None:
    for fatal in range(3):
        shop = opened(dict.fromkeys(PEOPLE, True))
        counter = Counter(shop, rows_a_part=3, at_once=2, is_working=False)
        body = {"segment": "everybody", "purpose": "email", "fields": ["person_id"]}
        job_id = counter.ask("export", {**body, "wait_seconds": 0}).body["job"]
        commits = iter(range(99))

        def die(*_: Any, fatal: int = fatal, commits: Any = commits) -> None:
            if next(commits) == fatal:
                raise OSError("the process ends here")

        counter.world.catalogue.after = die
        for _ in range(2):
            try:
                counter.work().do(job_id, counter.clock_ms + 1_000)
            except OSError:
                counter.clock_ms += 2_000
        told = counter.job(job_id).body
        assert told["state"] == "done"
        answer = told["answer"]
        rows = [counter.file(answer, n).decode().splitlines()[1:] for n in range(2)]
        assert len({row for part in rows for row in part}) == sum(map(len, rows)) == len(PEOPLE)
        receipts = shop.catalogue.rows(EGRESS_RECEIPTS)
        assert len({row["person_id"] for row in receipts}) == len(receipts) == len(PEOPLE)


def test_a_worker_without_time_hands_the_job_on_and_the_next_one_ends_it() -> None:
    shop = opened(dict.fromkeys(PEOPLE, True))
    times = iter((True, False, True, True, True))
    counter = Counter(shop, rows_a_part=3, at_once=2, is_time_left=lambda: next(times))
    body = {"segment": "everybody", "purpose": "email", "fields": ["person_id"]}
    waiting = counter.ask("export", {**body, "wait_seconds": 0})
    assert (waiting.status, waiting.body["state"]) == (202, "waiting")
    counter.work().do(waiting.body["job"], counter.clock_ms + 1_000)
    assert counter.job(waiting.body["job"]).body["answer"]["exported"] == len(PEOPLE)
