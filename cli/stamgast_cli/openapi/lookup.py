"""The description of the look-up API."""

import re
from typing import Any

from pydantic import BaseModel

from stamgast.lookup import own_api, segment_api
from stamgast.lookup.request import MOST_IN_A_PAGE, PAGE, SECTIONS, View
from stamgast.lookup.routes import Route
from stamgast.lookup.schema import (
    LookupAnswer,
    LookupBody,
    Problem,
    ProfileAnswer,
    SegmentListing,
    SegmentMetadata,
    SegmentProblem,
    SegmentTraits,
    TimelineAnswer,
)
from stamgast_cli.openapi.parts import Json, answer, content, heading, parameter, schemas

ANSWERS: dict[str, type[BaseModel]] = {
    "profile": ProfileAnswer,
    "timeline": TimelineAnswer,
    "lookup": LookupAnswer,
    "segment_traits": SegmentTraits,
    "segment_external_ids": SegmentListing,
    "segment_events": SegmentListing,
    "segment_metadata": SegmentMetadata,
}
PATH_PARAMETERS = {
    "identifier": "`namespace:value`, percent-encoded. A value with `?`, or with `%` in its own "
    "right, is looked up by the POST path: the gateway decodes paths. So is any that must not "
    "stand in an access log.",
    "space": "Any name: one deployment is one space.",
    "collection": "`users`.",
}
PAGED = [
    parameter("limit", f"How many, 1 to {MOST_IN_A_PAGE}.", type="integer", minimum=1,
              maximum=MOST_IN_A_PAGE, default=PAGE),
]  # fmt: skip
AS = parameter("as", "`claimed` lowers what is told.", enum=list(View), default=View.VERIFIED)
VERBOSE = parameter("verbose", "`true` adds source and moment.", enum=["true", "false"])
QUERY: dict[str, list[Json]] = {
    "profile": [parameter("include", f"A list of {', '.join(SECTIONS)}."), AS, VERBOSE],
    "timeline": [*PAGED, parameter("cursor", "The cursor of the page before."), AS],
    "lookup": [],
    "segment_traits": [parameter("include", "Names of traits."), *PAGED, VERBOSE, AS],
    "segment_external_ids": [parameter("include", "Namespaces."), *PAGED, VERBOSE, AS],
    "segment_events": [*PAGED, parameter("next", "The cursor of the page before."), AS],
    "segment_metadata": [VERBOSE, AS],
}
FAULTS = {
    "400": "The request cannot be read; `message` names the part.",
    "401": "No reader's token, or a write key.",
    "403": "Outside the token's scope.",
    "404": "Nobody is known by this identifier.",
    "503": "The store is not answering; `Retry-After` says when to try again.",
}


def lookup_document() -> Json:
    """OpenAPI 3.1 of the look-up API, from its route table and models."""
    routes = (*own_api.ROUTES, *segment_api.ROUTES)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
    return heading(
        "Stamgast: look-up",
        "Profiles in milliseconds, cut to the reader's scope. Our own paths, and those of "
        "Segment's Profile API.",
    ) | {
        "paths": paths,
        "security": [{"bearer": []}, {"basic": []}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "Token as user name."},
            },
            "schemas": schemas({*ANSWERS.values(), LookupBody, Problem, SegmentProblem}),
        },
    }


def _operation(route: Route[Any]) -> Json:
    is_segment = route.name.startswith("segment_")
    problem: type[BaseModel] = SegmentProblem if is_segment else Problem
    text = (route.answering.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": text.splitlines()[0].strip("`"),
        "tags": ["segment" if is_segment else "profiles"],
        "parameters": [*_path_parameters(route), *QUERY[route.name]],
        "responses": {
            "200": answer("Found.", ANSWERS[route.name]),
            **{status: answer(told, problem) for status, told in FAULTS.items()},
        },
    }
    if route.method == "POST":
        operation["requestBody"] = {"required": True, "content": content(LookupBody)}
    return operation


def _path_parameters(route: Route[Any]) -> list[Json]:
    names = re.findall(r"{(\w+)}", route.template)
    return [parameter(name, PATH_PARAMETERS[name], place="path") for name in names]
