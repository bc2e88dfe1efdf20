"""`explain_identity` as the HTTP API calls it, over a live view and a lake that agree."""

import json
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from functions.explain_identity import handler as function
from stamgast.identity.assurance import Assurance
from stamgast.lookup.explain_api import AHEAD, moment_in
from stamgast.lookup.explain_schema import ExplainAnswer, HealthAnswer
from stamgast.lookup.reader import Action, Reader
from stamgast.moments import iso_of, moment_of
from stamgast_aws.disclosures import FirehoseDisclosures
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_cli.explain.page import page_of
from stamgast_cli.explain.tree import tree_of
from stamgast_lake.explain_records import LakeRecords
from tests.fakes.disclosures import KeptLines, KnownSalts
from tests.fakes.dynamodb import Fault
from tests.lake.world import NOON_MS, World, publish, resolve

HOUR_MS = 3_600_000
OPERATOR, MASKED, READER = "sgr_operator", "sgr_masked", "sgr_reader"
EXPLAIN, HEALTH = "/v1/identity:explain", "/v1/identity:health"
MAY = (Action.EXPLAIN_IDENTITY.value,)


def told() -> World:
    """A person of two devices and an address; a claim that a second known person has it, too."""
    world = World()
    anne, bob = ({"type": "identify", "userId": name} for name in ("anne", "bob"))
    address = {"traits": {"email": "anne@example.org"}}
    for number, event in enumerate(
        (
            {**anne, "anonymousId": "phone"},
            {**anne, **address},
            {**anne, "anonymousId": "laptop"},
            bob,
        )
    ):
        world.send({**event, "messageId": str(number)}, request_id=f"r{number}")
    claim = {**bob, **address, "messageId": "claim"}
    world.send(claim, request_id="r9", assurance=Assurance.CLAIMED, source_id="page")
    world.run((resolve, publish))
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return told()


@pytest.fixture
def wired(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    tokens = DynamoTokenStore(world.dynamodb, "control", lambda: 0.0)
    tokens.put(OPERATOR, Reader("operator", ("*",), may=MAY))
    tokens.put(MASKED, Reader("second", ("traits.*",), may=MAY))
    tokens.put(READER, Reader("reader", ("*",)))
    wiring = function.Wiring(
        world.identity,
        tokens,
        FirehoseDisclosures(KeptLines(), "disclosures", lambda _: None, KnownSalts()),
        LakeRecords(world.lake),
    )
    monkeypatch.setattr(function, "wiring", lambda: wiring)
    clock = SimpleNamespace(time_ns=lambda: (NOON_MS + HOUR_MS) * 1_000_000, sleep=lambda _: None)
    monkeypatch.setattr(function, "time", clock)
    yield world
    world.dynamodb.before = lambda *_: None


def ask(path: str, body: Any, token: str = OPERATOR) -> tuple[int, dict[str, Any]]:
    answer = function.handler(
        {
            "requestContext": {"http": {"method": "POST"}},
            "rawPath": path,
            "headers": {"Authorization": f"Bearer {token}"},
            "body": body if isinstance(body, str) else json.dumps(body),
        },
        None,
    )
    return answer["statusCode"], json.loads(answer["body"])


def explained(who: str = "e:anne@example.org", **more: Any) -> dict[str, Any]:
    status, answer = ask(EXPLAIN, {"identifier": who, **more})
    assert status == 200, answer
    ExplainAnswer.model_validate(answer)
    return answer


@pytest.mark.usefixtures("wired")
def test_the_live_explanation_has_what_rows_tell_besides() -> None:
    answer = explained()
    assert answer["answered_from"]["view"] == "live"
    assert answer["answered_from"]["last_run"]["run_id"] == "r0001"
    assert len(answer["evidence"]) == 3
    assert {edge["supported_by"] for edge in answer["evidence"]} == {1}
    assert answer["bridges"] == 3
    assert [one["reason"] for one in answer["refused"]] == ["person_limit"]
    assert answer["refused"][0]["source"] == "page"
    assert answer["is_settled"]


@pytest.mark.usefixtures("wired")
def test_each_cut_is_told_with_the_persons_it_would_make() -> None:
    answer = explained()
    assert len(answer["cuts"]) == 3
    for cut in answer["cuts"]:
        sizes = [len(part["identifiers"]) for part in cut["persons"]]
        assert sorted(sizes) == [1, 3]
        assert sum(part["is_same_person"] for part in cut["persons"]) == 1


def test_the_past_is_answered_from_the_lake(wired: World) -> None:
    answer = explained(as_of=iso_of(NOON_MS))
    assert answer["answered_from"] == {
        "view": "lake",
        "as_of": iso_of(NOON_MS),
        "time_zone": "UTC",
        "last_run": {"run_id": "r0001", "moment": iso_of(NOON_MS)},
        "workspace_version": "1",
    }
    assert answer["weakest"]["message"] == explained()["weakest"]["message"]
    status, problem = ask(
        EXPLAIN, {"identifier": "e:anne@example.org", "as_of": iso_of(NOON_MS - HOUR_MS)}
    )
    assert (status, problem["code"]) == (404, "not_found")


def test_a_moment_ahead_is_now_within_what_clocks_differ_and_refused_beyond() -> None:
    now = moment_of(NOON_MS)
    assert moment_in(iso_of(NOON_MS + 60_000), "UTC", now) == now
    assert moment_in(iso_of(NOON_MS + 60_001), "UTC", now) is AHEAD
    assert moment_in(iso_of(NOON_MS - 1), "UTC", now) == moment_of(NOON_MS - 1)


@pytest.mark.usefixtures("wired")
def test_values_are_masked_for_a_token_whose_fields_grant_no_identifiers() -> None:
    whole = explained()
    assert whole["identifier"]["value"] == "anne@example.org"
    _, answer = ask(EXPLAIN, {"identifier": "e:anne@example.org"}, MASKED)
    assert "anne" not in json.dumps(answer)
    assert answer["identifier"]["is_masked"]


@pytest.mark.failure_line(39)
@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("path", [EXPLAIN, HEALTH])
def test_only_a_token_that_was_granted_it_may_ask(path: str) -> None:
    """Line 39: a reader's token of every field explains nothing, nor does no token."""
    body = {"identifier": "e:anne@example.org"} if path == EXPLAIN else {}
    assert ask(path, body, READER)[0] == 403
    assert ask(path, body, "sgr_unknown")[0] == 401


@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "bad_body"),
        ({"identifier": "e:anne@example.org", "cuts": 999}, 400, "bad_body"),
        ({"identifier": "nothing"}, 400, "bad_identifier"),
        ({"identifier": "e:anne@example.org", "as_of": "yesterday"}, 400, "bad_as_of"),
        ({"identifier": "e:anne@example.org", "as_of": "9999-01-01"}, 400, "bad_as_of"),
        ({"identifier": "e:nobody@example.org"}, 404, "not_found"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(body: Any, status: int, code: str) -> None:
    told_status, problem = ask(EXPLAIN, body)
    assert (told_status, problem["code"]) == (status, code)
    assert "example.org" not in json.dumps(problem)


@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("who", ["u:null", "u:  ", "e:"])
def test_a_value_that_names_nobody_is_told_from_one_that_nobody_has_seen(who: str) -> None:
    _, unseen = ask(EXPLAIN, {"identifier": "e:someone@example.org"})
    status, problem = ask(EXPLAIN, {"identifier": who})
    assert (status, problem["code"]) == (404, "not_found")
    assert "blocked or malformed" in problem["message"]
    assert "blocked" not in unseen["message"]


def test_a_store_that_does_not_answer_is_503_and_logs_no_identifier(
    wired: World, capsys: pytest.CaptureFixture[str]
) -> None:
    wired.dynamodb.before = lambda name, _: Fault.THROTTLED if name == "BatchGetItem" else None
    status, _ = ask(EXPLAIN, {"identifier": "e:anne@example.org"})
    assert status == 503
    assert "anne" not in capsys.readouterr().out


@pytest.mark.usefixtures("wired")
def test_health_before_any_run_has_measured_it_is_an_empty_list() -> None:
    status, answer = ask(HEALTH, {"runs": 3})
    assert (status, HealthAnswer.model_validate(answer).runs) == (200, [])


@pytest.mark.usefixtures("wired")
def test_the_tree_and_the_page_show_everything_and_quote_nothing_raw() -> None:
    answer = explained()
    answer["identifiers"][0]["value"] = "<script>[red]"
    answer["refused"][0]["a"]["value"] = "<script>[red]"
    page = page_of(answer)
    assert page.count("<svg") == 1
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    screen = StringIO()
    Console(file=screen, width=200).print(tree_of(answer))
    assert "[red]" in screen.getvalue()
    assert "the weakest edge" in screen.getvalue()
    assert "person_limit" in screen.getvalue()
