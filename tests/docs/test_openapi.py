"""The descriptions of both APIs are valid, current, and list every path that is served."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions.look_up_profile.handler import ROUTES
from functions.serve_segments.handler import ROUTES as SEGMENT_ROUTES
from stamgast.ingestion.request import Refusal
from stamgast.ingestion.routes import route_of, served
from stamgast.lookup import cut_api, explain_api, rights_api
from stamgast_cli.openapi import DOCUMENTS
from tests.fakes.ingestion import PUBLIC_KEY, Front

FOLDER = Path(__file__).parents[2] / "docs" / "openapi"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_description_is_valid_openapi(name: str) -> None:
    OpenAPIV31SpecValidator(DOCUMENTS[name]()).validate()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_file_in_the_docs_is_what_the_code_says(name: str) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert told == DOCUMENTS[name](), "run python -m stamgast_cli.openapi"


def test_every_route_that_the_function_serves_is_described() -> None:
    paths = DOCUMENTS["lookup"]()["paths"]
    for route in (
        *ROUTES,
        *cut_api.ROUTES,
        *explain_api.ROUTES,
        *SEGMENT_ROUTES,
        *rights_api.ROUTES,
    ):
        assert route.method.lower() in paths[route.template]


def test_every_described_path_of_ingestion_is_served() -> None:
    for (method, path), route in served().items():
        found = route_of(method, path.replace("{writeKey}", "k"))
        assert not isinstance(found, Refusal)
        assert found.kind is route.kind


def test_what_creates_a_request_answers_201_as_opendsr_has_it() -> None:
    responses = DOCUMENTS["lookup"]()["paths"]["/v3/requests"]["post"]["responses"]
    assert "201" in responses
    assert "200" not in responses


@pytest.mark.parametrize(
    ("method", "path", "told", "status"),
    [
        ("post", "/v1/batch", {"batch": [{"type": "track", "event": "E", "userId": "u"}]}, 200),
        ("post", "/v1/batch", {"batch": [{"type": "unheard of"}]}, 400),
        ("get", "/v1/projects/{writeKey}/settings", PUBLIC_KEY, 200),
        ("get", "/v1/projects/{writeKey}/settings", "unknown", 401),
        ("get", "/v1/pixel/track", {"data": "%"}, 400),
    ],
)
def test_what_ingestion_answers_is_what_is_described(
    method: str, path: str, told: Any, status: int
) -> None:
    front, document = Front(), DOCUMENTS["ingestion"]()
    if method == "post":
        outcome = front.post(path, told, headers={"x-strict-mode": "1"})
    elif isinstance(told, str):
        outcome = front.get(path.format(writeKey=told))
    else:
        outcome = front.get(path, {**told, "writeKey": PUBLIC_KEY})
    assert outcome.answer.status == status
    described = document["paths"][path][method]["responses"][str(status)]["content"]
    schema = {**described["application/json"]["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(json.loads(outcome.answer.body))


def test_a_pixel_is_answered_by_the_kind_of_picture_that_is_described() -> None:
    data = b64encode(b'{"userId": "u", "event": "Opened"}').decode()
    answer = Front().get("/v1/pixel/track", {"data": data, "writeKey": PUBLIC_KEY}).answer
    path = DOCUMENTS["ingestion"]()["paths"]["/v1/pixel/track"]["get"]
    assert [answer.headers["Content-Type"]] == list(path["responses"]["200"]["content"])
