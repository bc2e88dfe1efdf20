"""`change_identity` as the HTTP API calls it, over items that the live rules wrote."""

import json
import logging
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from pydantic import BaseModel

from functions.change_identity import handler as function
from stamgast.egress.pseudonyms import pseudonym
from stamgast.identity.assurance import Assurance
from stamgast.identity.live import settle
from stamgast.identity.settings import DEFAULT
from stamgast.lookup.cut_schema import CutAnswer, CutListing, CutPlan
from stamgast.lookup.reader import Action, Reader
from stamgast.raw.record import RawRecord
from stamgast.workspace.compiler import compile_files
from stamgast_aws.cut_store import DynamoCutStore
from stamgast_aws.salt_store import DynamoSalts
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore
from tests.fakes.cuts import key_of, keys, star
from tests.fakes.disclosures import KeptLines
from tests.fakes.dynamodb import DynamoDB, Fault

OPERATOR, MASKED, READER = "sgr_operator", "sgr_masked", "sgr_reader"
ADA, U42 = "email:ada@example.org", "user_id:42"


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
        return {"SecretString": json.dumps({"version": 1, "secret": "a secret of the tests"})}


class Firehose:
    """The archive's one call."""

    def __init__(self) -> None:
        self.lines: list[RawRecord] = []
        self.disclosures = KeptLines()
        self.is_down = False

    def put_record_batch(
        self,
        *,
        DeliveryStreamName: str,  # noqa: N803
        Records: list[Any],  # noqa: N803
    ) -> dict[str, Any]:
        if DeliveryStreamName == "disclosures":
            return self.disclosures.put_record_batch(Records=Records)
        if self.is_down:
            return {"RequestResponses": [{"ErrorCode": "ServiceUnavailable"} for _ in Records]}
        for record in Records:
            self.lines += [RawRecord.from_json(line) for line in record["Data"].splitlines()]
        return {"RequestResponses": [{} for _ in Records]}


class Bus:
    """The bus's one call."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[Any]) -> dict[str, int]:  # noqa: N803
        self.told += [json.loads(entry["Detail"]) for entry in Entries]
        return {"FailedEntryCount": 0}


class Context:
    """As much time as is said to be left."""

    left_ms = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


class Platform:
    """The tables, what was archived and what was told."""

    def __init__(self) -> None:
        self.tables, self.bucket = DynamoDB("profiles", "control"), Bucket()
        self.firehose, self.bus, self.context = Firehose(), Bus(), Context()
        self.store = DynamoCutStore(self.tables, "profiles", "control", lambda _: None)

    def call(
        self, method: str, path: str, body: object = None, token: str = OPERATOR
    ) -> tuple[int, dict[str, Any]]:
        event = {
            "requestContext": {"http": {"method": method}},
            "rawPath": path,
            "headers": {"Authorization": f"Bearer {token}"},
            "body": json.dumps(body),
        }
        told = function.handler(event, self.context)
        return told["statusCode"], json.loads(told["body"])

    def stored(self) -> list[str]:
        """All items but the audit log's salts, which whoever is told of gets."""
        held = [*self.tables.items("profiles"), *self.tables.items("control")]
        return [repr(item) for item in held if not item["PK"]["S"].startswith("SALT#")]

    def ref(self, person_id: str) -> str:
        """What stands for a person in the audit log."""
        return pseudonym(DynamoSalts(self.tables, "control").of([person_id])[person_id], person_id)

    def post(self, verdict: str, token: str = OPERATOR, **body: object) -> tuple[int, Any]:
        return self.call("POST", f"/v1/identity:{verdict}", body, token)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Ada's e-mail and user id in one person, tokens, and the function wired to the tables."""
    platform = Platform()
    tables = platform.tables
    S3WorkspaceStore(
        s3=platform.bucket, dynamodb=tables, bucket="lake", table="control", now=lambda: 0.0
    ).publish(compile_files({"sources.yaml": "sources: {web: {name: Web}}"}))
    tokens = DynamoTokenStore(tables, "control", lambda: 0.0)
    may = (Action.CHANGE_IDENTITY,)
    tokens.put(OPERATOR, Reader("privacy-desk", ("*",), ("*",), may))
    tokens.put(MASKED, Reader("shift", ("rfm",), ("*",), may))
    tokens.put(READER, Reader("call-centre", ("*",)))
    clients = {
        "dynamodb": tables,
        "s3": platform.bucket,
        "secretsmanager": Secret(),
        "firehose": platform.firehose,
        "events": platform.bus,
    }
    monkeypatch.setattr(function, "client", clients.__getitem__)
    monkeypatch.setattr(function, "full_jitter", lambda _: None)
    for name, value in {
        "PROFILES_TABLE": "profiles",
        "CONTROL_TABLE": "control",
        "WORKSPACE_SECRET": "secret",
        "LAKE_BUCKET": "lake",
        "EVENT_BUS": "bus",
        "RAW_STREAM": "raw",
        "DISCLOSURES_STREAM": "disclosures",
        "POWERTOOLS_SERVICE_NAME": "change_identity",
    }.items():
        monkeypatch.setenv(name, value)
    function.wiring.cache_clear()
    settle(platform.store, [star("m1", U42, ADA)], DEFAULT, lambda _: None)
    yield platform
    function.wiring.cache_clear()


def fits(form: type[BaseModel], told: Any) -> None:
    form.model_validate(told)


def test_a_plan_shows_what_would_follow_and_writes_nothing(platform: Platform) -> None:
    before = platform.stored()
    status, told = platform.post("cut", pair=[ADA, U42], plan=True)
    fits(CutPlan, told)
    assert status == 200
    assert platform.stored() == before
    assert platform.firehose.lines == []
    assert [[one["value"] for one in p["identifiers"]] for p in told["persons"]] == [
        ["ada@example.org"], ["42"],
    ] or [[one["value"] for one in p["identifiers"]] for p in told["persons"]] == [
        ["42"], ["ada@example.org"],
    ]  # fmt: skip
    assert [(edge["was"], edge["becomes"]) for edge in told["edges"]] == [("active", "cut")]


def test_a_cut_is_archived_applied_checked_and_told(platform: Platform) -> None:
    status, told = platform.post("cut", pair=[ADA, U42], reason="a typing error at the till")
    fits(CutAnswer, told)
    assert (status, told["state"], told["post_condition"]["holds"]) == (200, "done", True)
    assert len(told["persons"]) == 2
    (line,) = platform.firehose.lines
    assert (line.type, line.source_id) == ("cut", "$platform")
    assert json.loads(line.body)["by"] == "privacy-desk"
    assert {one["cause"] for one in platform.bus.told} == {"split"}
    assert platform.call("GET", f"/v1/identity/jobs/{told['job']}") == (200, told)
    status, listed = platform.call("GET", "/v1/identity/jobs")
    fits(CutListing, listed)
    assert listed["jobs"] == [{**told, "next_run": None}]


@pytest.mark.parametrize(
    ("verdict", "asked", "why"),
    [
        ("lift", {"pair": [ADA, U42]}, "no cut of this pair stands."),
        ("cut", {"leave": ["user_id:unseen"]}, "nobody would stay behind, or no evidence names"),
        ("cut", {"leave": [ADA, U42]}, "nobody would stay behind, or no evidence names"),
    ],
)
def test_a_request_that_changes_nothing_says_why(
    platform: Platform, verdict: str, asked: dict[str, Any], why: str
) -> None:
    status, planned = platform.post(verdict, plan=True, **asked)
    assert status == 200
    assert planned["note"].startswith(f"Nothing would change: {why}")
    status, told = platform.post(verdict, **asked)
    fits(CutAnswer, told)
    assert (status, told["state"]) == (200, "unchanged")
    assert told["note"].startswith(f"Nothing to do: {why}")


def test_the_same_request_again_changes_nothing(platform: Platform) -> None:
    platform.post("cut", pair=[ADA, U42])
    before = platform.stored()
    status, told = platform.post("cut", pair=[U42, ADA])
    fits(CutAnswer, told)
    assert (status, told["state"]) == (200, "unchanged")
    assert platform.stored() == before
    assert len(platform.firehose.lines) == 1


def test_a_lift_joins_again_what_the_evidence_joins(platform: Platform) -> None:
    platform.post("cut", pair=[ADA, U42])
    status, told = platform.post("lift", pair=[ADA, U42])
    fits(CutAnswer, told)
    assert (status, told["state"]) == (200, "done")
    assert [len(person["identifiers"]) for person in told["persons"]] == [2]
    assert platform.bus.told[-1]["cause"] == "merged"
    assert platform.post("lift", pair=[ADA, U42])[1]["state"] == "unchanged"


def test_identifiers_can_leave_without_naming_a_link(platform: Platform) -> None:
    settle(platform.store, [star("m2", ADA, "anonymous_id:d", at_ms=1)], DEFAULT, lambda _: None)
    status, told = platform.post("cut", leave=["anonymous_id:d"])
    assert (status, told["state"]) == (200, "done")
    pointers = platform.store.read_pointers(keys(ADA, U42, "anonymous_id:d"))
    assert pointers[key_of(ADA)].person_id == pointers[key_of(U42)].person_id
    assert pointers[key_of(ADA)].person_id != pointers[key_of("anonymous_id:d")].person_id
    assert platform.post("cut", leave=["anonymous_id:d"])[1]["state"] == "unchanged"


def claimed_by_another(platform: Platform) -> None:
    """A device of the one of whom a page says that it is another's: refused, both being known."""
    device = "anonymous_id:d"
    for one in (
        star("m2", ADA, device, at_ms=1),
        star("m3", "user_id:43", "email:eve@example.org", at_ms=2),
        star("m4", "user_id:43", device, at_ms=3, word=Assurance.CLAIMED),
    ):
        settle(platform.store, [one], DEFAULT, lambda _: None)


def test_whom_the_next_run_joins_is_told_before_and_after_and_can_be_prevented(
    platform: Platform,
) -> None:
    claimed_by_another(platform)
    leave = {"leave": ["anonymous_id:d"]}
    _, plan = platform.post("cut", MASKED, plan=True, **leave)
    fits(CutPlan, plan)
    (join,) = plan["next_run"]["joins"]
    assert [(link["a"]["namespace"], link["b"]["namespace"]) for link in join["links"]] == [
        ("user_id", "anonymous_id")
    ]
    assert len(join["of"]) == 2
    assert "eve@example" not in json.dumps(plan)
    _, alone = platform.post("cut", plan=True, alone=True, **leave)
    assert (len(alone["pairs"]), alone["next_run"]["joins"]) == (2, [])
    _, told = platform.post("cut", MASKED, **leave)
    fits(CutAnswer, told)
    assert told["next_run"] == plan["next_run"]
    _, after = platform.post("cut", alone=True, **leave)
    assert (after["state"], after["next_run"]["joins"]) == ("done", [])


def test_whoever_is_joined_by_the_next_run_is_told_of_as_a_disclosure(platform: Platform) -> None:
    claimed_by_another(platform)
    platform.post("cut", leave=["anonymous_id:d"], plan=True)
    pointers = platform.store.read_pointers(keys(ADA, "user_id:43"))
    told = {platform.ref(one.person_id) for one in pointers.values()}
    assert len(told) == 2
    assert {one["person_ref"] for one in platform.firehose.disclosures.lines} == told


def test_values_are_masked_unless_the_token_is_granted_identifiers(platform: Platform) -> None:
    _, told = platform.post("cut", MASKED, pair=[ADA, U42], plan=True)
    shown = {one["value"] for person in told["persons"] for one in person["identifiers"]}
    assert "ada@example.org" not in shown
    assert "ada@example" not in json.dumps(told)


@pytest.mark.failure_line(39)
def test_a_token_without_the_action_changes_and_sees_nothing(platform: Platform) -> None:
    """FAILURES line 39: a reader's token of one scope on what another's may do."""
    for method, path in (
        ("POST", "/v1/identity:cut"),
        ("POST", "/v1/identity:lift"),
        ("GET", "/v1/identity/jobs"),
        ("GET", "/v1/identity/jobs/cut-1"),
    ):
        status, told = platform.call(method, path, {"pair": [ADA, U42]}, READER)
        assert (status, told["code"]) == (403, "forbidden")
        assert "identity.change" in told["message"]
    assert platform.firehose.lines == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "pair"),
        ({"pair": [ADA, U42], "leave": [ADA]}, "pair"),
        ({"pair": [ADA]}, "pair"),
        ({"pair": [ADA, ADA]}, "pair"),
        ({"pair": [ADA, "shoe_size:43"]}, "pair.1"),
        ({"pair": [ADA, "email:nobody"]}, "pair.1"),
        ({"leave": []}, "leave"),
        ({"pair": [ADA, U42], "why": "?"}, "why"),
        ({"pair": [ADA, U42], "reason": "x" * 201}, "reason"),
    ],
)
def test_a_bad_body_is_refused_by_the_field_that_is_wrong(
    platform: Platform, body: dict[str, Any], field: str
) -> None:
    status, told = platform.post("cut", **body)
    assert status == 400
    assert field in told["message"]
    assert "ada" not in told["message"]


def test_what_cannot_be_archived_is_not_done_and_the_same_request_takes_it_up(
    platform: Platform,
) -> None:
    platform.firehose.is_down = True
    status, told = platform.post("cut", pair=[ADA, U42])
    assert (status, told["code"]) == (503, "unavailable")
    pointers = platform.store.read_pointers(keys(ADA, U42))
    assert len({pointer.person_id for pointer in pointers.values()}) == 1
    platform.firehose.is_down = False
    status, told = platform.post("cut", pair=[ADA, U42])
    assert (status, told["state"], len(platform.firehose.lines)) == (200, "done", 1)


def test_without_time_left_the_answer_is_the_job(platform: Platform) -> None:
    platform.context.left_ms = 1_000
    status, told = platform.post("cut", pair=[ADA, U42])
    fits(CutAnswer, told)
    assert (status, told["state"], told.get("post_condition")) == (202, "open", None)
    assert platform.call("GET", f"/v1/identity/jobs/{told['job']}")[0] == 202
    platform.context.left_ms = 29_000
    status, again = platform.post("cut", pair=[ADA, U42])
    assert (status, again["job"], again["state"]) == (200, told["job"], "done")
    assert len({line.receipt_id for line in platform.firehose.lines}) == 1


def test_an_unknown_job_is_not_found(platform: Platform) -> None:
    assert platform.call("GET", "/v1/identity/jobs/cut-none")[0] == 404


def test_a_store_that_does_not_answer_is_503(platform: Platform) -> None:
    platform.post("cut", pair=[ADA, U42], plan=True)
    platform.tables.before = lambda *_: Fault.THROTTLED
    status, told = platform.post("cut", pair=[ADA, U42])
    assert (status, told["code"]) == (503, "unavailable")


@pytest.mark.failure_line(39)
def test_logs_name_routes_and_no_identifier(
    platform: Platform, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """FAILURES line 39: no identifier in a log."""
    caplog.set_level(logging.DEBUG)
    platform.post("cut", pair=[ADA, U42], reason="a typing error")
    written = caplog.text + "".join(capsys.readouterr())
    assert "ada@example" not in written
    assert '"cut"' in written


def test_of_whom_an_operator_was_told_is_kept_before_the_answer(platform: Platform) -> None:
    platform.post("cut", pair=[ADA, U42], plan=True)
    told = platform.post("cut", pair=[ADA, U42])[1]
    persons = {person["person_id"] for person in told["persons"]}
    platform.call("GET", "/v1/identity/jobs")
    platform.post("cut", pair=["email:eve@example.org", "user_id:77"], plan=True)
    lines = platform.firehose.disclosures.lines
    kinds = [(one["kind"], one["is_allowed"]) for one in lines]
    cut = ("cut_identity", True)
    listed = ("identity_jobs", True)
    assert kinds == [cut, cut, cut, listed, listed, ("cut_identity", False)]
    assert {one["person_ref"] for one in lines[1:5]} == {platform.ref(one) for one in persons}
    assert not any(person_id in json.dumps(lines) for person_id in persons)
    assert {one["recipient"] for one in lines} == {"privacy-desk"}
    assert "ada@example.org" not in json.dumps(lines)


def test_what_cannot_be_kept_is_not_told(platform: Platform) -> None:
    platform.firehose.disclosures.is_down = True
    status, told = platform.post("cut", pair=[ADA, U42])
    assert (status, told["code"]) == (503, "unavailable")
    platform.firehose.disclosures.is_down = False
    assert platform.post("cut", pair=[ADA, U42])[1]["state"] == "unchanged"
