"""Requests of persons over HTTP: who may ask, what is taken, what is told, what is withdrawn."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from stamgast.egress.disclosure import Disclosure
from stamgast.erasure.certificate import signed_text
from stamgast.erasure.request import ANSWER_DAYS, DAY_MS, Clock, Kind, RightsRequest, State
from stamgast.erasure.subject import Subject
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import DEFAULT
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.rights_api import ROUTES, RightsDesk
from stamgast.lookup.routes import Request, Response, respond
from stamgast.moments import iso_of
from stamgast.store_error import StoreError
from stamgast.workspace.model import Workspace

NOW_MS = 1_795_262_400_000
ID = str(UUID(int=7, version=4))
KEYRING = Keyring(1, b"tests")
READERS = {
    "officer": Reader("officer", ("*",), may=(Action.CARRY_OUT_RIGHTS,)),
    "marketer": Reader("marketer", ("*",), may=(Action.EXPORT_SEGMENTS,)),
}


@dataclass
class Desk:
    """A desk over memory, and what it began."""

    kept: dict[str, RightsRequest] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    planned: list[Subject] = field(default_factory=list)
    compared: list[tuple[str, str]] = field(default_factory=list)
    comparison: dict[str, Any] = field(default_factory=dict)
    noted: list[tuple[str, Disclosure]] = field(default_factory=list)

    def find(self, token: str) -> Reader | None:
        return READERS.get(token)

    def put(self, request: RightsRequest, document: Any) -> bool:
        if request.request_id in self.kept:
            return False
        self.kept[request.request_id] = request
        self.documents[request.request_id] = document
        return True

    def read(self, request_id: str) -> RightsRequest | None:
        return self.kept.get(request_id)

    def replace(self, before: RightsRequest, after: RightsRequest) -> bool:
        if self.kept[before.request_id] != before:
            return False
        self.kept[before.request_id] = after
        return True

    def open_ids(self) -> list[str]:
        return [one.request_id for one in self.kept.values() if one.is_open]

    def document(self, request_id: str) -> Any:
        return self.documents.get(request_id)

    def keep(self, request_id: str, document: Any) -> None:
        self.documents[request_id] = document

    def forget(self, request_id: str) -> None:
        self.documents.pop(request_id, None)

    def result(self, request_id: str, name: str) -> str:
        return f"https://lake/{request_id}/{name}"

    def plan(self, subject: Subject) -> dict[str, Any] | None:
        self.planned.append(subject)
        return {"found": 3, "stores": {"events": 3}} if len(self.planned) > 1 else None

    def reapply(self, by: str, domain: str) -> dict[str, Any]:
        self.compared.append((by, domain))
        return self.comparison

    def ask(self, method: str, path: str, body: Any = None, token: str = "officer") -> Response:
        desk = RightsDesk(
            tokens=self,
            requests=self,
            workspace=Workspace("1", "UTC", {}, DEFAULT),
            keyring=KEYRING,
            now_ms=NOW_MS,
            begin=lambda ids: self.begun.extend(ids),
            plan=self.plan,
            certificate=lambda: "",
            prove=lambda: self.begun.append("all"),
            reapply=self.reapply,
            sign=lambda text: {"signature": sha256(text).hexdigest()},
            note=lambda name, told: self.noted.append((name, told)),
        )
        text = body if isinstance(body, str) else json.dumps(body)
        return respond(Request(method, path, token=token, body=text), desk, ROUTES)


def asked(kind: str = "erasure", **told: Any) -> dict[str, Any]:
    identity = {"identity_type": "email", "identity_value": "Ada@Example.com"}
    return {
        "subject_request_id": ID,
        "subject_request_type": kind,
        "subject_identities": [identity],
        **told,
    }


NAMING = "https://d.example/told?of=ADA%40example.com&is=7"


def test_an_address_that_names_nobody_of_the_request_is_taken(desk: Desk) -> None:
    told = asked(status_callback_urls=[NAMING.replace("ADA", "ida")])
    assert desk.ask("POST", "/v3/requests", told).status == 201


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.failure_line(39)
@pytest.mark.parametrize(("token", "status"), [("marketer", 403), ("", 401), ("unknown", 401)])
def test_only_a_token_that_was_granted_it_may_ask(desk: Desk, token: str, status: int) -> None:
    """FAILURES line 39: a reader's token beyond its scope."""
    for one in ROUTES:
        path = one.template.replace("{request}", ID)
        assert desk.ask(one.method, path, asked(), token).status == status
    assert (desk.kept, desk.begun, desk.planned) == ({}, [], [])


def test_a_request_is_taken_once_and_keeps_no_value_beside_its_document(desk: Desk) -> None:
    first, again = (desk.ask("POST", "/v3/requests", asked()) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.body["subject_request_id"] == again.body["subject_request_id"] == ID
    assert "ada@example.com" not in repr(desk.kept).lower()
    assert desk.documents[ID] == {"values": {desk.kept[ID].keys[0]: "ada@example.com"}}
    other = asked("access")
    assert desk.ask("POST", "/v3/requests", other).body["code"] == "exists"


def test_a_batch_is_begun_together(desk: Desk) -> None:
    ids = [str(UUID(int=n, version=4)) for n in range(3)]
    batch = {"requests": [asked(subject_request_id=one) for one in ids]}
    told = desk.ask("POST", "/v3/requests", batch).body["requests"]
    assert [one["subject_request_id"] for one in told] == ids == desk.begun


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "bad_body"),
        (asked("restriction"), "bad_body"),
        (asked(subject_identities=[]), "bad_body"),
        (asked(subject_request_id="7"), "bad_body"),
        (asked(status_callback_urls=["http://Ada.example.com/"]), "bad_callback"),
        (asked(status_callback_urls=[NAMING]), "bad_callback"),
        (asked(status_callback_urls=[NAMING.replace("%40", "@")]), "bad_callback"),
        (
            asked(subject_identities=[{"identity_type": "email", "identity_value": "null"}]),
            "bad_identity",
        ),
        (
            asked(subject_identities=[{"identity_type": "cat", "identity_value": "x"}]),
            "bad_identifier",
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_told_without_its_values(
    desk: Desk, body: Any, code: str
) -> None:
    answer = desk.ask("POST", "/v3/requests", body)
    assert (answer.status, answer.body["code"]) == (400, code)
    assert "Ada" not in answer.body["message"]


# As published in the specification (7.2), by AppsFlyer's and by mParticle's clients.
OF_VENDORS: tuple[dict[str, Any], ...] = (
    {
        "regulation": "gdpr",
        "submitted_time": "2018-10-02T15:00:00Z",
        "api_version": "2.0",
        "status_callback_urls": ["https://examplecontroller.com/opendsr/callbacks"],
        "extensions": {"example-processor.com": {"requests": [1], "property_id": "123456"}},
    },
    {"submitted_time": "2022-01-05", "api_version": "0.1", "property_id": "id1"},
    {
        "regulation": "CCPA",
        "api_version": "3.0",
        "submitted_time": "2021-11-01T15:00:00.123+01:00",
        "subject_identities": {"email": {"value": "ada@example.com", "encoding": "raw"}},
    },
)


@pytest.mark.parametrize("told", OF_VENDORS)
def test_requests_of_known_vendors_are_taken(desk: Desk, told: dict[str, Any]) -> None:
    assert desk.ask("POST", "/v3/requests", asked(**told)).status == 201
    assert list(desk.documents[ID]["values"].values()) == ["ada@example.com"]


WRONG: dict[str, Any] = {
    "subject_request_id": "Ada",
    "subject_request_type": "Ada",
    "regulation": "Ada",
    "api_version": "9.0",
    "submitted_time": "Ada",
    "status_callback_urls": "https://Ada.example.com",
    "subject_identities.0.identity_format": [
        {"identity_type": "email", "identity_value": "Ada", "identity_format": "sha256"}
    ],
    "subject_identities.0.identity_type": [{"identity_type": "Ada", "identity_value": "x"}],
    "subject_identities.0.identity_value": [{"identity_type": "email", "identity_value": "null"}],
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_field_is_named_in_the_form_of_opendsr_with_what_to_do(
    desk: Desk, field: str
) -> None:
    answer = desk.ask("POST", "/v3/requests", asked(**{field.partition(".")[0]: WRONG[field]}))
    error = answer.body["error"]
    assert (answer.status, error["code"]) == (400, 400)
    assert error["message"] == error["errors"][0]["message"] == answer.body["message"]
    assert error["message"].startswith(f"{field}: ")
    assert "Ada" not in json.dumps(answer.body)
    assert (desk.kept, desk.begun) == ({}, [])


def test_all_that_is_wrong_with_a_body_is_told_at_once(desk: Desk) -> None:
    wrong = asked(regulation="x", api_version="x", submitted_time="2026-02-30T00:00:00Z")
    told = desk.ask("POST", "/v3/requests", {"requests": [asked(), wrong]}).body["error"]["errors"]
    assert [one["message"].partition(":")[0] for one in told] == [
        f"requests.1.{name}" for name in ("regulation", "submitted_time", "api_version")
    ]


def test_the_deadline_runs_from_the_day_on_which_the_person_asked(desk: Desk) -> None:
    for days, clock in ((1, "running"), (25, "close"), (40, "overdue")):
        desk.kept.clear()
        asked_on = iso_of(NOW_MS - days * DAY_MS)
        desk.ask("POST", "/v3/requests", asked(submitted_time=asked_on))
        assert desk.ask("GET", f"/v3/requests/{ID}").body["clock"] == clock
    desk.kept.clear()
    late = asked(submitted_time=iso_of(NOW_MS + 2 * DAY_MS))
    assert desk.ask("POST", "/v3/requests", late).body["message"].startswith("submitted_time: ")


def test_nothing_of_a_batch_is_begun_where_one_of_it_stands_with_other_content(desk: Desk) -> None:
    desk.ask("POST", "/v3/requests", asked("access"))
    desk.begun.clear()
    batch = {"requests": [asked(subject_request_id=str(UUID(int=8, version=4))), asked()]}
    assert desk.ask("POST", "/v3/requests", batch).body["code"] == "exists"
    assert (len(desk.kept), desk.begun) == (1, [])


def test_a_request_can_be_withdrawn_until_it_is_in_work(desk: Desk) -> None:
    desk.ask("POST", "/v3/requests", asked())
    assert desk.ask("DELETE", f"/v3/requests/{ID}").body["request_status"] == "cancelled"
    assert desk.documents == {}
    desk.kept[ID] = desk.kept[ID].begun(NOW_MS)
    assert desk.ask("DELETE", f"/v3/requests/{ID}").status == 409
    assert desk.ask("DELETE", "/v3/requests/other").status == 404


def test_a_request_tells_its_deadline_and_its_clock() -> None:
    made = RightsRequest(ID, Kind.ERASURE, "officer", "gdpr", (), NOW_MS)
    late_ms = NOW_MS + (ANSWER_DAYS + 1) * DAY_MS
    assert made.clock(NOW_MS) is Clock.RUNNING
    assert made.clock(made.due_ms - DAY_MS) is Clock.CLOSE
    assert made.clock(late_ms) is Clock.OVERDUE
    assert made.completed(NOW_MS, {}).clock(late_ms) is Clock.MET
    assert made.completed(late_ms, {}).clock(late_ms) is Clock.OVERDUE


def test_a_status_tells_results_of_an_access_and_proof_of_an_erasure(desk: Desk) -> None:
    desk.ask("POST", "/v3/requests", asked("access"))
    desk.kept[ID] = desk.kept[ID].completed(NOW_MS, {"counts": {"events": 2}})
    told = desk.ask("GET", f"/v3/requests/{ID}").body
    assert (told["results_url"], told["counts"]) == (
        f"https://lake/{ID}/record.json",
        {"events": 2},
    )
    desk.kept.clear()
    desk.noted.clear()
    desk.ask("POST", "/v3/requests", asked())
    desk.kept[ID] = desk.kept[ID].completed(NOW_MS, {"found": 5})
    told = desk.ask("GET", f"/v3/requests/{ID}").body
    assert (told["is_proven"], told["found"]) == (False, 5)
    assert desk.ask("GET", "/v3/requests").body["requests"] == [told]
    assert desk.kept[ID].state is State.COMPLETED


def test_who_is_given_links_to_a_record_is_noted_and_without_a_note_there_are_none(
    desk: Desk,
) -> None:
    desk.ask("POST", "/v3/requests", asked("access"))
    assert desk.ask("GET", f"/v3/requests/{ID}").body["request_status"] == "pending"
    assert desk.noted == []
    desk.kept[ID] = desk.kept[ID].completed(NOW_MS, {"counts": {"events": 2}})
    assert "results_url" in desk.ask("GET", f"/v3/requests/{ID}").body
    [(name, told)] = desk.noted
    assert (name, told.recipient, told.kind, told.person_id) == (
        ID,
        "officer",
        "access_fetched",
        None,
    )
    desk.noted = DownForNow()
    with pytest.raises(StoreError):
        desk.ask("GET", f"/v3/requests/{ID}")


class DownForNow(list[Any]):
    """A log that takes nothing."""

    def append(self, _told: object) -> None:
        raise StoreError("down")


def test_a_plan_counts_and_keeps_nothing(desk: Desk) -> None:
    body = {"subject_identities": asked()["subject_identities"]}
    told = desk.ask("POST", "/v1/rights:plan", body)
    assert (told.status, told.body) == (202, {"state": "counting"})
    assert desk.ask("POST", "/v1/rights:plan", body).body["found"] == 3
    assert (desk.kept, desk.begun) == ({}, [])


def test_discovery_names_what_is_taken(desk: Desk) -> None:
    told = desk.ask("GET", "/v3/discovery").body
    assert set(told["supported_subject_request_types"]) == {"erasure", "access", "portability"}
    assert {"identity_type": "email", "identity_format": "raw"} in told["supported_identities"]


def test_answers_are_what_the_description_says(desk: Desk) -> None:
    from stamgast.lookup import rights_answers as told

    created = desk.ask("POST", "/v3/requests", asked(status_callback_urls=["https://d.example/"]))
    assert created.body.keys() == told.RightsCreated.model_fields.keys()
    status = desk.ask("GET", f"/v3/requests/{ID}").body
    assert status.keys() <= told.RightsStatus.model_fields.keys()
    told.RightsStatus.model_validate(status)
    told.Discovery.model_validate(desk.ask("GET", "/v3/discovery").body)
    refused = desk.ask("GET", "/v3/requests/other")
    assert refused.body["error"] == {"code": 404, "message": refused.body["message"]}
    told.RightsProblem.model_validate(refused.body)


def test_a_comparison_after_a_restore_tells_how_far_it_is_and_then_what_it_made(
    desk: Desk,
) -> None:
    desk.comparison = {"compared": 7, "is_done": False}
    answer = desk.ask("POST", "/v1/rights:reapply")
    assert (answer.status, answer.body) == (202, {"state": "comparing", "compared": 7, "of": 32})
    desk.ask("POST", "/v3/requests", asked())
    desk.comparison = {"compared": 32, "is_done": True, "requests": [ID], "salts": 2}
    answer = desk.ask("POST", "/v1/rights:reapply")
    assert (answer.status, answer.body["salts"]) == (201, 2)
    assert [one["subject_request_id"] for one in answer.body["requests"]] == [ID]
    assert desk.compared == [("officer", "")] * 2


def test_nothing_of_a_batch_is_kept_where_one_of_it_is_wrong(desk: Desk) -> None:
    bad = asked(
        subject_request_id=str(UUID(int=7, version=4)), status_callback_urls=["http://inner"]
    )
    answer = desk.ask("POST", "/v3/requests", {"requests": [asked(), bad]})
    assert (answer.status, answer.body["code"]) == (400, "bad_callback")
    assert (desk.kept, desk.begun) == ({}, [])


def test_an_erasure_is_settled_with_a_reason_only_after_a_search_that_found_something(
    desk: Desk,
) -> None:
    told = {"subject_request_id": ID, "reason": "a namesake"}
    assert desk.ask("POST", "/v1/rights:settle", told).body["code"] == "no_such_request"
    desk.ask("POST", "/v3/requests", asked())
    assert desk.ask("POST", "/v1/rights:settle", told).body["code"] == "not_searched"
    had = {"remaining": 1, "stores": [{"store": "imports/"}], "signature": None}
    desk.kept[ID] = desk.kept[ID].begun(5).completed(6, {}).reopened({"certificate": had})
    assert desk.ask("POST", "/v1/rights:settle", {**told, "reason": ""}).status == 400
    answer = desk.ask("POST", "/v1/rights:settle", told)
    assert (answer.status, answer.body["is_proven"]) == (200, True)
    certificate = answer.body["certificate"]
    assert certificate["settled"]["by"] == "officer"
    assert (certificate["settled"]["reason"], certificate["remaining"]) == ("a namesake", 1)
    text = signed_text(certificate)
    assert certificate["signature"] == {"signature": sha256(text).hexdigest()}
    assert ID not in desk.documents
    assert desk.ask("POST", "/v1/rights:settle", told).body["code"] == "not_searched"
