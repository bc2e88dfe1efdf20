"""The paths about segments as the HTTP API calls them, over a whole platform in one process."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.serve_segments.handler import ROUTES
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.routes import Request, respond
from stamgast.lookup.segments import explain_api, jobs_api, schema
from stamgast.lookup.segments.jobs import MOST_TRIES, SILENT_MS, Job, Kind, State
from stamgast_lake.rules import preview
from stamgast_lake.tables import EGRESS_RECEIPTS
from tests.fakes.segment_desk import OPERATOR, Counter
from tests.lake.test_memberships import bought, world
from tests.lake.world import NOON_MS

DAY_MS = 86_400_000
FIELDS = ["person_id", "traits.email", "traits.city", "orders.count"]
RULES = {
    "buyers": "orders.count >= 2",
    "dear": "orders.total_365d > 15 and in segment('buyers')",
    "wine": "count(event = 'Viewed' and properties.category = 'Wine', last 14 days) >= 3",
    "reachable": "consent.email is true",
}


def says(user: str, message: str, consent: Any, **traits: Any) -> dict[str, Any]:
    told = {"email": f"{user}@example.org", **traits}
    if consent is not None:
        told["consent"] = consent
    return {"messageId": message, "type": "identify", "userId": user, "traits": told}


def viewed(user: str, message: str, days_ago: int) -> dict[str, Any]:
    at = {"messageId": message, "userId": user, "timestamp": NOON_MS - days_ago * DAY_MS}
    return {**at, "type": "track", "event": "Viewed", "properties": {"category": "Wine"}}


def opened() -> Counter:
    """Anne allows e-mail and bought thrice, Bob refuses it, Carla said nothing and bought once."""
    shop = world(**RULES)
    shop.send(
        *(bought("anne", f"a{n}") for n in range(3)),
        *(bought("bob", f"b{n}") for n in range(2)),
        bought("carla", "c0", revenue=99),
        says("anne", "a9", {"email": True}, city="=Delft"),
        says("bob", "b9", {"email": False}),
        says("carla", "c9", None),
        viewed("anne", "v1", 3),
    )
    shop.run()
    return Counter(shop)


@pytest.fixture(scope="module")
def counter() -> Counter:
    return opened()


@pytest.fixture
def fresh() -> Counter:
    return opened()


def explained(counter: Counter, segment: str, who: str) -> dict[str, Any]:
    told = counter.answer("explain", segment=segment, identifier=who)
    schema.SegmentExplanation.model_validate(told)
    return told


def test_a_member_is_told_every_condition_and_since_when(counter: Counter) -> None:
    told = explained(counter, "dear", "e:anne@example.org")
    assert [reason["condition"] for reason in told["reasons"]] == [
        "orders.total_365d > 15",
        "in segment('buyers')",
    ]
    assert told["reasons"][1]["behind"]["is_in"]
    assert told["membership"]["is_in"]
    assert told["membership"]["since"] == told["membership"]["last_change"]["at"]
    assert told["membership"]["last_run"]["run_id"] == "r0001"
    assert told["is_as_published"]


def test_who_is_not_in_is_told_what_is_missing(counter: Counter) -> None:
    (reason,) = explained(counter, "wine", "u:anne")["reasons"]
    assert reason["change"]["by"] == 2.0
    assert reason["would_flip"].startswith("2 more events: ")
    (reason,) = explained(counter, "reachable", "u:carla")["reasons"]
    assert reason["unknown_because"] == ["`consent.email` is absent"]


def test_an_event_since_the_run_counts_and_stands_beside_what_was_published(
    fresh: Counter,
) -> None:
    fresh.world.send(viewed("anne", "v2", 0), viewed("anne", "v3", 0))
    told = explained(fresh, "wine", "u:anne")
    assert told["is_in"]
    assert told["events"] == {"read": 7, "only_live": 2}
    assert told["membership"]["last_change"] is None


@pytest.mark.failure_line(39)
def test_only_a_token_that_was_granted_it_may_ask(counter: Counter) -> None:
    """Line 39: a reader's token of every field explains, previews and exports nothing."""
    counter.tokens.readers["reader"] = Reader("reader", ("*",))
    for path in ("explain", "preview", "export"):
        assert counter.ask(path, {}, "reader").status == 403
        assert counter.ask(path, {}, "unknown").status == 401


@pytest.mark.failure_line(39)
def test_an_explanation_tells_nothing_outside_the_scope(counter: Counter) -> None:
    """Line 39: of fields that the token may not read, neither value nor distance is told."""
    may = (Action.EXPLAIN_SEGMENTS.value,)
    counter.tokens.readers["narrow"] = Reader("narrow", ("rfm",), ("u",), may)
    body = {"segment": "wine", "identifier": "u:anne"}
    told = counter.ask("explain", body, "narrow").body
    assert told["reasons"][0]["seen"][0]["is_hidden"]
    assert told["reasons"][0]["change"] is None
    assert (
        counter.ask("explain", {**body, "identifier": "e:anne@example.org"}, "narrow").status == 403
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("explain", {"segment": "wine"}, 400, "bad_body"),
        ("explain", {"segment": "whine", "identifier": "u:anne"}, 404, "no_such_segment"),
        ("explain", {"segment": "wine", "identifier": "u:nobody"}, 404, "not_found"),
        ("explain", {"segment": "wine", "identifier": "anne"}, 400, "bad_identifier"),
        ("preview", {}, 400, "bad_body"),
        ("preview", {"segment": "whine"}, 404, "no_such_segment"),
        ("preview", {"rule": "in segment('wine') and"}, 400, "bad_rule"),
        ("preview", {"segment": "buyers", "rule": "in segment('dear')"}, 400, "bad_rule"),
        ("export", {"segment": "wine", "fields": ["person_id"]}, 400, "bad_body"),
        ("export", {"segment": "wine", "purpose": "email", "fields": []}, 400, "bad_body"),
        ("export", {"segment": "wine", "purpose": "email", "fields": ["mail"]}, 400, "bad_fields"),
        (
            "export",
            {"segment": "no", "purpose": "email", "fields": ["since"]},
            404,
            "no_such_segment",
        ),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(
    counter: Counter, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    response = counter.ask(path, body)
    assert (response.status, response.body["code"]) == (status, code)


def test_every_fault_of_a_rule_has_its_place_and_a_suggestion(counter: Counter) -> None:
    rule = "orders.cuont > 2\n  and lowr(traits.x) = 'a'"
    body = counter.ask("preview", {"rule": rule}).body
    places = [(fault["line"], fault["column"], fault["suggestion"]) for fault in body["faults"]]
    assert places == [(1, 1, "did you mean `orders.count`?"), (2, 7, "did you mean `lower`?")]
    assert "line 2, column 7" in body["message"]


def previewed(counter: Counter, **body: Any) -> dict[str, Any]:
    told = counter.answer("preview", **body)
    schema.PreviewAnswer.model_validate(told)
    return told


def test_a_preview_says_size_reach_overlap_and_who_would_move(counter: Counter) -> None:
    told = previewed(counter, segment="buyers", rule="orders.count = 1", purpose="email")
    assert (told["size"], told["population"], told["consented"]) == (1, 3, 0)
    assert (told["change"]["entering"], told["change"]["leaving"]) == (1, 2)
    assert told["reached"] == [
        {"namespace": "e", "people": 1, "consented": 0},
        {"namespace": "u", "people": 1, "consented": 0},
    ]
    assert {one["segment"] for one in told["overlaps"]} == {"dear", "wine", "reachable"}
    assert told["last_run"]["run_id"] == "r0001"


def test_a_rule_without_a_name_is_compared_with_nobody(counter: Counter) -> None:
    told = previewed(counter, rule="orders.count >= 2 and in segment('reachable')")
    assert (told["segment"], told["size"], told["change"]) == (None, 1, None)
    assert told["consented"] is None


@pytest.mark.failure_line(39)
def test_people_of_a_sample_are_masked_without_the_scope(counter: Counter) -> None:
    """Line 39: a sample names nobody to who may not read identifiers."""
    may = (Action.PREVIEW_SEGMENTS.value,)
    counter.tokens.readers["masked"] = Reader("masked", ("rfm",), ("e",), may)
    told = counter.ask("preview", {"segment": "buyers"}, "masked").body["answer"]
    assert "example.org" not in json.dumps(told)
    values = {one["identifiers"][0]["value"] for one in told["sample"]}
    assert values == {"an•••", "bo•••"}
    assert {tuple(one) for one in told["sample"]} == {("person_id", "identifiers", "rfm")}


@pytest.mark.failure_line(38)
def test_a_bound_token_is_shown_those_who_allow_its_purpose_and_nobody_a_suppressed_one(
    fresh: Counter,
) -> None:
    """Line 38: samples ask for consent as every other answer does."""
    may = (Action.PREVIEW_SEGMENTS.value,)
    fresh.tokens.readers["mailer"] = Reader("mailer", ("*",), ("u",), may, ("email",))

    def shown(token: str, **more: Any) -> set[str]:
        body = {"rule": "orders.count >= 1", **more}
        told = fresh.ask("preview", body, token).body["answer"]["sample"]
        return {one["value"] for someone in told for one in someone["identifiers"]}

    assert shown("mailer") == {"anne"}
    assert shown("t") >= {"anne", "bob", "carla"}
    asked = fresh.ask("preview", {"segment": "buyers", "purpose": "ads"}, "mailer")
    assert asked.status == 403
    hush = {"consent": {"suppressed": True}}
    fresh.world.send({"messageId": "s1", "type": "identify", "userId": "anne", "context": hush})
    assert shown("mailer") == set()
    assert shown("t").isdisjoint({"anne"})


def test_of_a_suppressed_person_nothing_is_explained_and_the_asking_is_kept(
    fresh: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"segment": "buyers", "identifier": "u:anne"}
    assert fresh.ask("explain", body).status == 200
    hush = {"consent": {"suppressed": True}}
    fresh.world.send({"messageId": "s1", "type": "identify", "userId": "anne", "context": hush})
    desk = fresh.desk()
    request = Request("POST", "/v1/segments:explain", {}, "t", json.dumps(body))
    told = respond(request, desk, ROUTES)
    assert told.status == 403
    assert "suppressed" in told.body["message"]
    assert "anne" not in json.dumps(told.body)
    (line,) = desk.disclosures
    assert (line.is_allowed, line.reason.value, line.fields) == (False, "person_suppressed", ())
    assert line.person_id
    monkeypatch.setattr(explain_api, "silenced", lambda _: None)
    assert fresh.ask("explain", body).status == 200, "one that does not ask tells"


def counts(counter: Counter, token: str, **body: Any) -> dict[str, Any]:
    told = counter.ask("preview", body, token).body["answer"]
    found = {name: told[name] for name in ("size", "population", "consented")}
    return found | {"change": told["change"] and told["change"]["size"]}


@pytest.mark.failure_line(39)
def test_a_rule_counts_by_what_the_token_may_read_alone(counter: Counter) -> None:
    """Line 39: whoever may not read a field could else learn it of anybody by counting."""
    may = (Action.PREVIEW_SEGMENTS.value,)
    counter.tokens.readers["narrow"] = Reader("narrow", ("orders", "segments.dear"), ("e",), may)
    for rule, outside in HIDDEN.items():
        refused = counter.ask("preview", {"rule": rule}, "narrow")
        told = (refused.status, refused.body["message"])
        renew = f"stamgast token rotate sgr_… --add-fields {outside.replace(', ', ',')}"
        assert told == (403, f"This token may not count by {outside}. One that may: `{renew}`.")
    told = counter.ask("preview", {"rule": "orders.count >= 1"}, "narrow").body["answer"]
    assert [one["namespace"] for one in told["reached"]] == ["e"]
    assert [one["segment"] for one in told["overlaps"]] == ["dear"]
    counter.tokens.readers["events"] = Reader("events", ("events",), ("e",), may)
    assert counter.ask("preview", {"rule": BY_EVENTS}, "events").status == 200
    assert counter.ask("preview", {"segment": "wine"}, "narrow").status == 200


BY_EVENTS = "count(event = 'Viewed') > 0"
HIDDEN = {
    "traits.city = 'Delft'": "traits.city",
    "orders.count > 0 or not (traits.email is null)": "traits.email",
    "consent.email is true": "traits.consent.email",
    BY_EVENTS: "events",
    "in segment('buyers')": "segments.buyers",
    "last_at is null and rfm.r > 1": "last_seen_at, rfm.r",
}


def counted_by_a_rule(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(jobs_api, "may_count", lambda *_: True)


def test_a_rule_that_counts_by_any_field_would_be_seen(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted_by_a_rule(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        test_a_rule_counts_by_what_the_token_may_read_alone(counter)


@pytest.mark.failure_line(38)
def test_who_is_suppressed_is_counted_nowhere_and_a_bound_token_counts_who_allows_its_purpose(
    fresh: Counter,
) -> None:
    """Line 38: a count tells of people, too."""
    may = (Action.PREVIEW_SEGMENTS.value,)
    fresh.tokens.readers["mailer"] = Reader("mailer", ("*",), ("u",), may, ("email",))
    asked = {"segment": "buyers", "rule": "orders.count >= 1", "purpose": "email"}
    everybody = {"size": 3, "population": 3, "consented": 1, "change": 2}
    assert counts(fresh, "t", **asked) == everybody
    assert counts(fresh, "mailer", **asked) == dict.fromkeys(everybody, 1)
    hush = {"consent": {"suppressed": True}}
    said = {"messageId": "s1", "type": "identify", "userId": "anne", "context": hush}
    fresh.world.send(said, request_id="r2")
    fresh.world.run()
    assert counts(fresh, "t", **asked) == {**everybody, "size": 2, "population": 2} | {
        "consented": 0,
        "change": 1,
    }
    assert counts(fresh, "mailer", **asked) == dict.fromkeys(everybody, 0)


@pytest.mark.deep
def test_a_preview_that_counts_the_suppressed_would_be_seen(
    fresh: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "counted_sql", lambda *_: "true")
    with pytest.raises(AssertionError):
        test_who_is_suppressed_is_counted_nowhere_and_a_bound_token_counts_who_allows_its_purpose(
            fresh
        )


def test_an_export_holds_who_allows_it_and_the_receipts_say_why_others_are_not_in_it(
    fresh: Counter,
) -> None:
    told = fresh.answer("export", segment="buyers", purpose="email", fields=FIELDS)
    schema.ExportAnswer.model_validate(told)
    person = explained(fresh, "buyers", "u:anne")["person_id"]
    assert fresh.file(told).decode().splitlines() == [
        '"person_id","traits.email","traits.city","orders.count"',
        f'"{person}","anne@example.org","\'=Delft","3"',
    ]
    assert (told["members"], told["exported"]) == (2, 1)
    assert told["reasons"] == {"consent_granted": 1, "consent_refused": 1}
    assert told["as_of"] in ("2026-11-21T12:00:00.000Z",)
    rows = {row["person_id"]: row for row in fresh.world.catalogue.rows(EGRESS_RECEIPTS)}
    assert len(rows) == 2
    assert rows[person]["fields"] == FIELDS
    assert rows[person]["consent_version"] is not None
    assert {row["recipient"] for row in rows.values()} == {"operator"}


def test_a_field_outside_the_scope_is_refused_before_anything_is_read(counter: Counter) -> None:
    may = (Action.EXPORT_SEGMENTS.value,)
    counter.tokens.readers["mail"] = Reader("mail", ("traits.email",), ("e",), may)
    body = {"segment": "buyers", "purpose": "email", "fields": ["traits.email", "traits.city"]}
    response = counter.ask("export", body, "mail")
    assert (response.status, response.body["message"]) == (
        403,
        "This token may not read traits.city.",
    )


def test_a_job_that_takes_longer_is_told_by_its_id_to_who_asked_alone(fresh: Counter) -> None:
    fresh.is_working = False
    accepted = fresh.ask("preview", {"segment": "buyers", "wait_seconds": 1})
    schema.SegmentJobAnswer.model_validate(accepted.body)
    assert (accepted.status, accepted.body["state"]) == (202, "waiting")
    job_id = accepted.body["job"]
    may = tuple(Action)
    fresh.tokens.readers["other"] = Reader("other", ("*",), ("*",), may)
    fresh.tokens.readers["narrower"] = replace(OPERATOR, fields=("rfm",))
    assert fresh.job(job_id, "other").status == 404
    assert fresh.job(job_id, "narrower").status == 404
    fresh.tokens.readers["bound"] = replace(OPERATOR, purposes=("email",))
    assert fresh.job(job_id, "bound").status == 404, "of the same name, for another purpose"
    fresh.work().do(job_id, NOON_MS * 2)
    done = fresh.job(job_id)
    assert (done.status, done.body["state"], done.body["answer"]["size"]) == (200, "done", 2)


def test_a_job_of_which_nothing_is_heard_has_failed(fresh: Counter) -> None:
    fresh.is_working = False
    job_id = fresh.ask("preview", {"segment": "buyers", "wait_seconds": 0}).body["job"]
    fresh.clock_ms += SILENT_MS + 1_000
    told = fresh.job(job_id)
    assert (told.status, told.body["state"], told.body["answer"]) == (200, "failed", None)


def test_a_job_is_one_workers_at_a_time_and_given_up_after_some_tries() -> None:
    job = Job("j", Kind.EXPORT, OPERATOR, {}, 0)
    held = job.claimed(10, 20)
    assert held is not None
    assert held.claimed(19, 30) is None
    for _ in range(MOST_TRIES - 1):
        held = held.claimed(held.until_ms, held.until_ms + 10)
        assert held is not None
    ended = held.claimed(held.until_ms, held.until_ms + 10)
    assert ended is not None
    assert ended.state is State.FAILED
    assert held.advanced(1).released().claimed(0, 1) is not None


def test_each_time_that_links_to_an_export_are_given_is_a_line(fresh: Counter) -> None:
    desk = fresh.desk()
    asked = {"segment": "buyers", "purpose": "email", "fields": FIELDS}
    told = respond(Request("POST", "/v1/segments:export", {}, "t", json.dumps(asked)), desk, ROUTES)
    kinds = [one.kind for one in desk.disclosures]
    assert kinds == ["export_segment", "export_segment_fetched"]
    again = fresh.desk()
    path = f"/v1/segments/jobs/{told.body['job']}"
    assert respond(Request("GET", path, {}, "t"), again, ROUTES).body["answer"]["files"]
    (line,) = again.disclosures
    assert (line.kind, line.recipient, line.purpose, line.segment) == (
        "export_segment_fetched",
        fresh.tokens.readers["t"].name,
        "email",
        "buyers",
    )
    assert line.fields == tuple(FIELDS)


def test_before_the_first_run_an_export_says_that_there_is_nothing_to_export() -> None:
    counter = Counter(world(**RULES))
    told = counter.ask("export", {"segment": "buyers", "purpose": "email", "fields": ["since"]})
    assert (told.status, told.body["state"]) == (200, "failed")
    assert "stamgast run" in told.body["message"]


def test_parquet_has_the_values_as_they_are(fresh: Counter) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = fresh.answer(
        "export",
        segment="buyers",
        purpose="email",
        fields=[*FIELDS, "first_at", "rfm.last_order_on"],
        format="parquet",
    )
    table = pq.read_table(pa.BufferReader(fresh.file(told)))
    assert table["traits.city"].to_pylist() == ["=Delft"]
    assert table["orders.count"].to_pylist() == [3]
    (first_at,) = table["first_at"].to_pylist()
    assert first_at.utcoffset().total_seconds() == 0
    types = [str(table.schema.field(name).type) for name in ("first_at", "rfm.last_order_on")]
    assert types == ["timestamp[ms, tz=UTC]", "date32[day]"]
    assert table.schema.metadata[b"as_of"].startswith(b"2026-11-21T12:00")


def test_the_people_of_a_sample_are_kept_as_shown(counter: Counter) -> None:
    body = {"segment": "buyers", "rule": "orders.count = 1", "sample": 5, "wait_seconds": 5}
    desk = counter.desk()
    request = Request("POST", "/v1/segments:preview", {}, "t", json.dumps(body))
    answer = respond(request, desk, ROUTES).body["answer"]
    change = answer["change"]
    people = [*answer["sample"], *change["entering_sample"], *change["leaving_sample"]]
    assert people
    assert {one.person_id for one in desk.disclosures} == {one["person_id"] for one in people}
    assert len({one.person_id for one in desk.disclosures}) == len(desk.disclosures)
    told = {(one.kind, one.recipient, one.segment) for one in desk.disclosures}
    assert told == {("preview_segment", "operator", "buyers")}
