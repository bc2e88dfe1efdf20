"""One query tells what somebody said, and one what was decided; objectors are in no panel."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from json import dumps
from typing import Any

import pytest

from stamgast.consent.coverage import Consent, Word, row_of_consent
from stamgast.consent.purposes import SUPPRESSED, Purpose, Purposes
from stamgast.consent.words import with_words, word_name
from stamgast.egress.decision import Why
from stamgast.egress.disclosure import Disclosure
from stamgast.identity.assurance import Assurance
from stamgast.workspace.import_mapping import ImportMapping
from stamgast_lake.consents import counted_sql, profiled_sql
from stamgast_lake.engine import session
from stamgast_lake.features.then import see_events
from stamgast_lake.imports.mapping import mapper
from stamgast_lake.query import LakeSession
from tests.fakes.segment_desk import Counter
from tests.lake.test_memberships import world
from tests.lake.world import NOON_MS, World

PURPOSES = Purposes(
    {
        "email": Purpose("email", categories=("Email",)),
        "profiling": Purpose("profiling", is_default_granted=True),
    }
)
SHOWN = Disclosure(
    "profile", "p1", "mailer", "email", ("traits",), True, Why.GRANTED, "m", 7, NOON_MS
)


SALT = b"0123456789abcdef"


class Bucket:
    """One object of disclosures."""

    body = gzip.compress(SHOWN.to_json("r1:0", SALT) + b"\n" + SHOWN.to_json("r1:0", SALT) + b"\n")

    def get_paginator(self, _: str) -> "Bucket":
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        key = f"{Prefix}2026-11-22/hour=12/part.gz"
        yield {"Contents": [{"Key": key, "ETag": '"e"', "Size": len(self.body)}]}

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": BytesIO(self.body)}


@pytest.fixture(scope="module")
def told() -> World:
    """Four people: two who allow e-mail, of whom one objects to profiling, and two more."""
    shop = world(everybody="orders.count >= 1")
    settings = replace(shop.workspace.identity, consents=PURPOSES)
    shop.workspace = replace(shop.workspace, consents=PURPOSES, identity=settings)
    consents = {
        "a": {"Email": True},
        "b": {"Email": True, "profiling": False},
        "c": {"Email": False},
    }
    for number, who in enumerate("abcd"):
        context = {"consent": {"categoryPreferences": consents.get(who, {}), "version": "v3"}}
        body = {"properties": {"revenue": 9, "currency": "EUR"}, "context": context}
        event = {"type": "track", "event": "Order Completed", "userId": who, **body}
        at_ms = NOON_MS - 10_000 + number
        shop.send({**event, "messageId": f"m{who}", "timestamp": at_ms}, request_id=f"r{who}")
    shop.run()
    return shop


def asked(world: World, sql: str) -> list[dict[str, Any]]:
    with session() as engine:
        return LakeSession(engine, world.catalogue, Bucket(), "lake").rows(sql)  # type: ignore[arg-type]


def test_the_history_tells_who_what_when_by_what_and_which_text(told: World) -> None:
    sql = "select * from consents where purpose = 'email' order by message_id"
    rows = asked(told, sql)
    assert [(row["message_id"], row["is_grant"]) for row in rows] == [
        ("ma", True),
        ("mb", True),
        ("mc", False),
    ]
    assert {row["person_id"] for row in rows} <= told.persons().keys()
    first = rows[0]
    assert (first["by"], first["text_version"], first["source_id"]) == ("context", "v3", "web")
    assert (first["proof"], first["assurance"]) == (None, 2)


@pytest.mark.failure_line(38)
def test_one_query_tells_why_something_left_and_why_not(told: World) -> None:
    """Line 38: the export's receipts and what was shown, each decision once."""
    counter = Counter(told)
    counter.answer("export", segment="everybody", purpose="email", fields=["person_id"])
    sql = "select kind, reason, is_allowed, count(*) as n from egress group by all order by all"
    assert [tuple(row.values()) for row in asked(told, sql)] == [
        ("export", "consent_granted", True, 2),
        ("export", "consent_refused", False, 1),
        ("export", "consent_unknown", False, 1),
        ("profile", "consent_granted", True, 1),
    ]


def test_an_export_for_a_purpose_that_does_not_cover_it_is_refused(told: World) -> None:
    counter = Counter(told)
    body = {"segment": "everybody", "purpose": "emial", "fields": ["person_id"]}
    unknown = counter.ask("export", body)
    assert (unknown.status, unknown.body["code"]) == (400, "bad_purpose")
    assert "did you mean email?" in unknown.body["message"]


@pytest.mark.parametrize(("is_default", "people"), [(True, {"a", "c", "d"}), (False, set())])
def test_who_objects_to_profiling_is_in_no_panel(
    told: World, is_default: bool, people: set[str]
) -> None:
    purposes = {"profiling": Purpose("profiling", is_default_granted=is_default)}
    workspace = replace(told.workspace, consents=Purposes(purposes))
    lake = replace(told.lake, workspace=lambda: workspace)
    with session() as engine:
        see_events(engine, lake)
        rows = engine.execute("select distinct message_id from person_event").fetchall()
    assert {row[0].removeprefix("m") for row in rows} == people


def test_without_a_word_models_may_learn_unless_the_workspace_denies_it() -> None:
    denied = Purposes({"profiling": Purpose("profiling")})
    with session() as engine:
        for purposes, expected in ((Purposes(), True), (denied, False)):
            asked_of = profiled_sql("told", purposes)
            row = engine.execute(f"select {asked_of} from (select '{{}}' as told)").fetchone()
            assert row == (expected,)


def test_the_suppressed_are_in_no_panel_and_no_figure() -> None:
    hushed = Word(is_grant=False, assurance=Assurance.VERIFIED, said_ms=5, version="m")
    told = dumps({"consent": row_of_consent(Consent({SUPPRESSED: (hushed,)}))})
    asked = (profiled_sql("told"), counted_sql("told", None))
    with session() as engine:
        for text, expected in ((told, False), ("{}", True)):
            row = engine.execute(f"select {', '.join(asked)} from (select ? as told)", [text])
            assert row.fetchone() == (expected, expected)


@pytest.mark.parametrize(("text", "is_granted"), [("true", True), ("FALSE", False), ("yes", False)])
def test_a_csv_file_tells_consents_in_its_columns(text: str, is_granted: bool) -> None:
    place = "context.consent.categoryPreferences.email"
    row = {"userId": "u", "type": "identify", place: text, "traits.vip": "true"}
    event = mapper(ImportMapping("*.csv"), "csv")(row)
    assert isinstance(event, dict)
    assert event["traits"] == {"vip": "true"}
    said = with_words({}, event["context"], (), Assurance.VERIFIED, Purposes())
    assert list(said) == [word_name("email", Assurance.VERIFIED, is_grant=is_granted)]
