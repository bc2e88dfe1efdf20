"""`look_up_profile` as the HTTP API calls it, over items that the live rules wrote."""

import json
import logging
import time
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from statistics import median
from typing import Any

import pytest

from functions.look_up_profile import handler as function
from stamgast.egress.pseudonyms import pseudonym
from stamgast.erasure.subject import Subject
from stamgast.identity.assurance import Assurance
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.live import settle
from stamgast.identity.settings import DEFAULT
from stamgast.identity.star import star_of
from stamgast.lookup.reader import Reader
from stamgast.lookup.schema import (
    LookupAnswer,
    ProfileAnswer,
    SegmentListing,
    SegmentMetadata,
    SegmentTraits,
    TimelineAnswer,
)
from stamgast.profile.live import contribution_of
from stamgast.profile.steps import take_events
from stamgast.profile.store import Pair
from stamgast.profile.timeline import entry_of
from stamgast.raw.record import RawRecord
from stamgast.workspace.compiler import compile_files
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.salt_store import DynamoSalts
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore
from tests.fakes.disclosures import KeptLines
from tests.fakes.dynamodb import DynamoDB, Fault

KEYRING = Keyring(1, b"sesame")
TOKEN = "sgr_of-the-tests"
START_MS = 1_790_000_000_000
COMPILED = compile_files({"sources.yaml": "sources: {web: {name: Web}}"})


class Bucket:
    """The S3 calls of the workspace store."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects[Key] = Body
        return {}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"ContentLength": len(self.objects[Key])}

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Body": BytesIO(self.objects[Key])}


class Secret:
    """The one call of the keyring."""

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        return {"SecretString": json.dumps({"version": 1, "secret": "sesame"})}


@pytest.fixture
def firehose() -> KeptLines:
    """The stream of disclosures."""
    return KeptLines()


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch, firehose: KeptLines) -> Iterator[DynamoDB]:
    """Tables with a workspace, a token, and the function wired to them."""
    tables, bucket = DynamoDB("profiles", "control"), Bucket()
    workspaces = S3WorkspaceStore(
        s3=bucket, dynamodb=tables, bucket="lake", table="control", now=lambda: 0.0
    )
    workspaces.publish(COMPILED)
    DynamoTokenStore(tables, "control", lambda: 0.0).put(TOKEN, Reader("tests", ("*",)))
    clients = {"dynamodb": tables, "s3": bucket, "secretsmanager": Secret(), "firehose": firehose}
    monkeypatch.setattr(function, "client", clients.__getitem__)
    for name, value in {
        "PROFILES_TABLE": "profiles",
        "CONTROL_TABLE": "control",
        "DISCLOSURES_STREAM": "disclosures",
        "WORKSPACE_SECRET": "secret",
        "LAKE_BUCKET": "lake",
        "POWERTOOLS_SERVICE_NAME": "look_up_profile",
    }.items():
        monkeypatch.setenv(name, value)
    function.wiring.cache_clear()
    yield tables
    function.wiring.cache_clear()


def happen(tables: DynamoDB, number: int, assurance: Assurance, **body: Any) -> None:
    """One event, brought in by the live rules themselves."""
    told = {"type": "track", "event": "Seen", **body}
    at = START_MS + number
    record = RawRecord(
        *(f"r{number}:0", f"r{number}", 0, at, "web", assurance, at, at, at),
        *(told["type"], f"m{number}", "hash", None, None, json.dumps(told)),
    )
    event = interpret(record, DEFAULT, KEYRING)
    star = star_of(event, KEYRING)
    assert star is not None
    assert event.anchor is not None
    settle(
        DynamoIdentityStore(tables, "profiles", "control", _no_pause), [star], DEFAULT, _no_pause
    )
    facts = DynamoFactStore(tables, "profiles", _no_pause)
    take_events(facts, event.anchor, [contribution_of(event)], Pair(), _no_pause)
    facts.put_entries([(event.anchor, entry_of(event, 90))])


def _no_pause(_seconds: float) -> None:
    """Tests do not wait."""


def call(
    path: str,
    method: str = "GET",
    body: Any = None,
    token: str | None = TOKEN,
    **query: str,
) -> tuple[int, dict[str, Any]]:
    """The function's answer to one event of payload format 2.0."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "queryStringParameters": query,
        "requestContext": {"http": {"method": method}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    answer = function.handler(event, None)
    assert answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def person(dynamodb: DynamoDB) -> DynamoDB:
    """Somebody whom a server knows by three identifiers and a browser by a fourth."""
    happen(
        dynamodb,
        1,
        Assurance.VERIFIED,
        type="identify",
        userId="u-1",
        traits={"email": "An+News@example.org", "name": "An"},
    )
    happen(
        dynamodb,
        2,
        Assurance.VERIFIED,
        event="Order Completed",
        userId="u-1",
        properties={"order_id": "o1", "revenue": 12.5, "currency": "EUR"},
    )
    happen(dynamodb, 3, Assurance.ANONYMOUS, anonymousId="cookie-1")
    happen(dynamodb, 4, Assurance.CLAIMED, userId="u-1", anonymousId="cookie-1")
    return dynamodb


def test_what_the_live_rules_wrote_is_looked_up_in_the_documented_form(person: DynamoDB) -> None:
    everything = "traits,segments,rfm,activity,scores,consents,identifiers"
    status, told = call("/v1/profiles/email:an%2Bnews@example.org", include=everything)
    assert status == 200
    ProfileAnswer.model_validate(told)
    assert told["traits"] == {"email": "An+News@example.org", "name": "An"}
    assert told["orders"]["EUR"]["revenue_minor"] == 1250
    assert told["counters"] == {"$identify": 1, "Order Completed": 1, "Seen": 2}
    assert {one["value"] for one in told["identifiers"]} == {
        "u-1",
        "an+news@example.org",
        "cookie-1",
    }


def test_a_look_up_takes_two_rounds_of_strong_reads(person: DynamoDB) -> None:
    call("/v1/profiles/user_id:u-1")
    operations: list[tuple[str, bool]] = []
    person.before = lambda name, request: operations.append((name, "profiles" in str(request)))  # type: ignore[assignment]
    call("/v1/profiles/user_id:u-1")
    reads = [name for name, is_profile in operations if is_profile]
    assert sorted(reads) == ["BatchGetItem", "BatchGetItem", "Query"]


@pytest.mark.failure_line(32)
def test_a_look_up_sees_what_was_written_just_before(person: DynamoDB) -> None:
    """FAILURES line 32: a stale read right after a write."""
    call("/v1/profiles/user_id:u-1")
    person.is_stale = lambda: True
    happen(person, 5, Assurance.VERIFIED, userId="u-1", event="Refunded")
    happen(person, 6, Assurance.VERIFIED, userId="u-new", event="Seen")
    assert call("/v1/profiles/user_id:u-1")[1]["counters"]["Refunded"] == 1
    assert call("/v1/profiles/user_id:u-new")[0] == 200


def test_the_timeline_is_paged_over_all_anchors(person: DynamoDB) -> None:
    status, first = call("/v1/profiles/user_id:u-1/timeline", limit="3")
    assert status == 200
    TimelineAnswer.model_validate(first)
    assert [one["name"] for one in first["events"]] == ["Seen", "Seen", "Order Completed"]
    _, second = call("/v1/profiles/user_id:u-1/timeline", limit="3", cursor=first["cursor"])
    assert [one["name"] for one in second["events"]] == ["$identify"]
    assert second["cursor"] is None


def test_many_are_looked_up_by_a_body(person: DynamoDB) -> None:
    body = {"identifiers": ["user_id:u-1", "user_id:nobody"], "include": ["traits"]}
    status, told = call("/v1/profiles:lookup", "POST", body)
    assert status == 200
    LookupAnswer.model_validate(told)
    assert [one["status"] for one in told["results"]] == [200, 404]


def test_segments_clients_are_answered_in_their_forms(person: DynamoDB) -> None:
    base = "/v1/spaces/any/collections/users/profiles/user_id:u-1"
    SegmentTraits.model_validate(call(f"{base}/traits")[1])
    SegmentListing.model_validate(call(f"{base}/external_ids", verbose="true")[1])
    SegmentListing.model_validate(call(f"{base}/events", limit="2")[1])
    SegmentMetadata.model_validate(call(f"{base}/metadata")[1])


def test_basic_authentication_takes_the_token_as_user_name(person: DynamoDB) -> None:
    event = {
        "rawPath": "/v1/profiles/user_id:u-1",
        "headers": {"authorization": "Basic " + b64encode(f"{TOKEN}:".encode()).decode()},
        "requestContext": {"http": {"method": "GET"}},
    }
    assert function.handler(event, None)["statusCode"] == 200


@pytest.mark.failure_line(39)
def test_a_write_key_reads_nothing(person: DynamoDB) -> None:
    """FAILURES line 39: reading with a write key."""
    status, told = call("/v1/profiles/user_id:u-1", token="sgw_some-write-key")
    assert (status, told["code"]) == (401, "unauthorized")


@pytest.mark.failure_line(39)
def test_no_identifier_reaches_a_log(
    person: DynamoDB, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """FAILURES line 39: an identifier in a URL that lands in an access log."""
    caplog.set_level(logging.DEBUG)
    call("/v1/profiles/email:an+news@example.org")
    call("/v1/profiles/email:nobody@example.org")
    logged = capsys.readouterr().out + caplog.text
    assert "look-up answered" in logged
    assert "example.org" not in logged
    assert TOKEN not in logged


def test_a_store_that_does_not_answer_is_a_503_with_retry_after(person: DynamoDB) -> None:
    call("/v1/profiles/user_id:u-1")
    person.before = lambda *_: Fault.THROTTLED
    status, told = call("/v1/profiles/user_id:u-1")
    assert (status, told["code"]) == (503, "unavailable")


def test_the_settings_are_those_of_the_environment() -> None:
    names = {name.upper() for name in function.Settings.__dataclass_fields__}
    shared = {"PROFILES_TABLE", "CONTROL_TABLE", "WORKSPACE_SECRET", "LAKE_BUCKET"}
    assert names == {*shared, "DISCLOSURES_STREAM"}


@pytest.mark.failure_line(39)
def test_who_read_whom_is_kept_before_the_answer_goes_out(
    person: DynamoDB, firehose: KeptLines
) -> None:
    """Line 39: each read leaves a line with the person hashed, and none with an identifier."""
    _, body = call("/v1/profiles/email:an+news@example.org")
    call("/v1/profiles/email:somebody@example.org")
    told = [(one["recipient"], one["kind"], one["is_allowed"]) for one in firehose.lines]
    assert told == [("tests", "profile", True), ("tests", "profile", False)]
    [salt] = DynamoSalts(person, "control").known([body["person_id"]], _no_pause).values()
    assert firehose.lines[0]["person_ref"] == pseudonym(salt, body["person_id"])
    assert firehose.lines[1]["person_ref"] is None
    assert body["person_id"] not in json.dumps(firehose.lines)
    assert "example.org" not in json.dumps(firehose.lines)
    assert TOKEN not in json.dumps(firehose.lines)


@pytest.mark.failure_line(38)
def test_what_cannot_be_kept_is_not_shown(person: DynamoDB, firehose: KeptLines) -> None:
    """Line 38: without a receipt nothing leaves."""
    firehose.is_down = True
    status, body = call("/v1/profiles/email:an+news@example.org")
    assert (status, set(body)) == (503, {"code", "message"})


KNOWN, UNKNOWN = "email:an%2Bnews@example.org", "email:eve@example.org"


@pytest.mark.failure_line(39)
@pytest.mark.parametrize(
    ("tail", "told"),
    [
        ("", {}),
        ("", {"include": "traits,identifiers"}),
        ("/timeline", {}),
        ("/timeline", {"as": "claimed"}),
    ],
)
def test_somebody_unknown_costs_the_same_rounds_as_somebody_known(
    dynamodb: DynamoDB, tail: str, told: dict[str, str]
) -> None:
    """Line 39, and enumeration: neither status nor time of a refusal tells of anybody."""
    address = {"email": "an+news@example.org"}
    happen(dynamodb, 1, Assurance.VERIFIED, type="identify", userId="u-1", traits=address)
    rounds: list[str] = []
    call(f"/v1/profiles/{KNOWN}")
    dynamodb.before = lambda name, _: rounds.append(name)  # type: ignore[assignment, func-returns-value]
    assert call(f"/v1/profiles/{KNOWN}{tail}", **told)[0] == 200
    known, rounds[:] = sorted(rounds), []
    assert call(f"/v1/profiles/{UNKNOWN}{tail}", **told)[0] == 404
    assert sorted(rounds) == known


@pytest.mark.failure_line(39)
def test_the_erased_and_the_suppressed_cost_the_rounds_of_somebody_unknown(
    dynamodb: DynamoDB,
) -> None:
    """Line 39: of who was erased the answer is that of nobody, to the byte."""
    gone, hushed = {"email": "gone@example.org"}, {"email": "hushed@example.org"}
    happen(dynamodb, 1, Assurance.VERIFIED, type="identify", userId="u-1", traits=gone)
    told = {"consent": {"suppressed": True}}
    verified = Assurance.VERIFIED
    happen(dynamodb, 2, verified, type="identify", userId="u-2", traits=hushed, context=told)
    live = DynamoErasure(dynamodb, "profiles", "control", _no_pause, lambda: KEYRING)
    key = KEYRING.identifier_key("email", gone["email"])
    live.erase(live.resolve(Subject("r", START_MS + 9, frozenset((key,)))))
    rounds: list[str] = []
    call(f"/v1/profiles/{UNKNOWN}")
    dynamodb.before = lambda name, _: rounds.append(name)  # type: ignore[assignment, func-returns-value]
    answers, costs = [], []
    for who in (UNKNOWN, "email:gone@example.org", "email:hushed@example.org"):
        answers.append(call(f"/v1/profiles/{who}"))
        costs.append(sorted(rounds))
        rounds.clear()
    assert answers[0] == answers[1]
    assert set(answers[2][1]) == {"person_id", "view", "withheld"}
    assert costs[0] == costs[1] == costs[2]


def test_medians_of_known_and_unknown_lie_less_than_five_milliseconds_apart(
    person: DynamoDB,
) -> None:
    spent: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for who in (KNOWN, UNKNOWN) * 200:
        began = time.thread_time()
        call(f"/v1/profiles/{who}")
        spent[who].append(time.thread_time() - began)
    known, unknown = (median(times) for times in spent.values())
    assert abs(known - unknown) < 0.005


@pytest.mark.failure_line(39)
def test_a_refused_token_is_told_the_same_of_somebody_and_of_nobody(person: DynamoDB) -> None:
    """Line 39: expired, revoked, write key, another's scope: nothing leaks, texts included."""
    tokens = DynamoTokenStore(person, "control", lambda: 0.0)
    tokens.put("sgr_expired", Reader("old", ("*",), expires_s=1))
    tokens.put("sgr_revoked", Reader("gone", ("*",)))
    tokens.revoke("sgr_revoked")
    tokens.put("sgr_phone", Reader("phone", ("*",), ("phone",)))
    tokens.put("sgr_nothing", Reader("nothing", ()))
    tokens.put("sgr_bound", Reader("bound", ("*",), purposes=("email",)))
    expected = {"sgr_phone": 403, "sgr_nothing": 200}
    refused = ["sgr_expired", "sgr_revoked", "pub_key", "", "sgr_phone"]
    for token in refused:
        answers = [call(f"/v1/profiles/{who}{tail}", token=token or None)
                   for who in (KNOWN, UNKNOWN) for tail in ("", "/timeline")]  # fmt: skip
        assert all(answer == answers[0] for answer in answers)
        assert answers[0][0] == expected.get(token, 401)
        told = json.dumps(answers).lower()
        assert not [
            one for one in ("an+news", "eve", "u-1", "cookie-1", token) if one and one in told
        ]
    _, seen = call(f"/v1/profiles/{KNOWN}", token="sgr_nothing", include="traits,identifiers")
    assert not {"traits", "identifiers"} & seen.keys()
    withheld = call(f"/v1/profiles/{KNOWN}", token="sgr_bound", purpose="email")[1]
    assert set(withheld) == {"person_id", "view", "withheld"}
    assert call(f"/v1/profiles/{KNOWN}", token="sgr_bound", purpose="ads")[0] == 403
