"""The description of the look-up API."""

import re
from typing import Any

from pydantic import BaseModel

from stamgast.lookup import cut_api, explain_api, own_api, rights_api, segment_api
from stamgast.lookup.cut_schema import CutAnswer, CutBody, CutListing, CutPlan, LiftBody
from stamgast.lookup.explain_schema import ExplainAnswer, ExplainBody, HealthAnswer, HealthBody
from stamgast.lookup.page import MOST_IN_A_PAGE, PAGE, SORTS
from stamgast.lookup.request import SECTIONS, View
from stamgast.lookup.rights_answers import (
    Discovery,
    RightsAgain,
    RightsBegun,
    RightsComparing,
    RightsCounting,
    RightsCreated,
    RightsCreatedBatch,
    RightsListing,
    RightsPlan,
    RightsProblem,
    RightsStatus,
)
from stamgast.lookup.rights_schema import Batch, PlanBody, SettleBody, SubjectRequest
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
from stamgast.lookup.segment_forms import CLASSES, LIMIT
from stamgast.lookup.segments import explain_api as segment_explain_api
from stamgast.lookup.segments import jobs_api as segment_jobs_api
from stamgast.lookup.segments.schema import (
    ExplainSegmentBody,
    ExportBody,
    PreviewBody,
    RuleProblem,
    SegmentExplanation,
    SegmentJobAnswer,
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
    "cut": CutAnswer,
    "lift": CutAnswer,
    "job": CutAnswer,
    "jobs": CutListing,
    "explain": ExplainAnswer,
    "health": HealthAnswer,
    "explain_segment": SegmentExplanation,
    "preview_segment": SegmentJobAnswer,
    "export_segment": SegmentJobAnswer,
    "job_of_segments": SegmentJobAnswer,
    "rights_discovery": Discovery,
    "rights_create": RightsCreated,
    "rights_list": RightsListing,
    "rights_status": RightsStatus,
    "rights_cancel": RightsStatus,
    "rights_prove": RightsBegun,
    "rights_plan": RightsPlan,
    "rights_reapply": RightsAgain,
    "rights_settle": RightsStatus,
}
BODIES: dict[str, type[BaseModel]] = {
    "lookup": LookupBody,
    "cut": CutBody,
    "lift": LiftBody,
    "explain": ExplainBody,
    "health": HealthBody,
    "explain_segment": ExplainSegmentBody,
    "preview_segment": PreviewBody,
    "export_segment": ExportBody,
    "rights_create": SubjectRequest,
    "rights_plan": PlanBody,
    "rights_settle": SettleBody,
}
# Where a body or an answer may be several at once.
BATCHES: dict[str, type[BaseModel]] = {"rights_create": Batch}
BATCH_ANSWERS: dict[str, type[BaseModel]] = {"rights_create": RightsCreatedBatch}
# What the answer to a call that went well is, where it is not 200.
TAKEN = {
    "rights_create": ("201", "Taken; sent again it is the same request."),
    "rights_cancel": ("202", "Withdrawn."),
    "rights_prove": ("202", "Begun."),
    "rights_reapply": ("201", "Begun."),
}
CONFLICTS = {
    "rights_create": "There is a request of this id with other content.",
    "rights_cancel": "The request is in work or done.",
}
PLANS: dict[str, type[BaseModel]] = {"cut": CutPlan, "lift": CutPlan}
PATH_PARAMETERS = {
    "identifier": "`namespace:value`, percent-encoded. A value with `?`, or with `%` in its own "
    "right, is looked up by the POST path: the gateway decodes paths. So is any that must not "
    "stand in an access log.",
    "space": "Any name: one deployment is one space.",
    "collection": "`users`.",
    "job": "The id of what was asked, as its answer told it.",
    "request": "The id of a request; no identifier of anybody.",
}
NEXT = parameter("next", "The cursor of the page before.")
PAGED = [
    parameter("limit", f"How many, 1 to {MOST_IN_A_PAGE}.", type="integer", minimum=1,
              maximum=MOST_IN_A_PAGE, default=PAGE),
]  # fmt: skip
LISTED = [
    parameter("limit", f"How many, 1 to {MOST_IN_A_PAGE}.", type="integer", minimum=1,
              maximum=MOST_IN_A_PAGE, default=LIMIT),
    NEXT,
]  # fmt: skip
SORT = parameter("sort", "The newest first, or the oldest.", enum=list(SORTS), default=SORTS[0])
AS = parameter("as", "`claimed` lowers what is told.", enum=list(View), default=View.VERIFIED)
VERBOSE = parameter("verbose", "`true` adds source and moment.", enum=["true", "false"])
PURPOSE = parameter("purpose", "What `links` are for: one that the workspace has opted in.")
QUERY: dict[str, list[Json]] = {
    "profile": [parameter("include", f"A list of {', '.join(SECTIONS)}."), PURPOSE, AS, VERBOSE],
    "timeline": [
        *PAGED,
        parameter("since", "Events from this moment on (ISO 8601), by the client's own time."),
        parameter("until", "Events before this moment."),
        SORT,
        parameter("types", "A list of types of call, such as `track,page`."),
        parameter("cursor", "The cursor of the page before."),
        AS,
    ],
    "lookup": [],
    "segment_traits": [
        parameter("include", "Names of traits."),
        parameter("exclude", "Names of traits to leave out."),
        parameter("class", "What runs computed instead of what was said.", enum=list(CLASSES)),
        *LISTED,
        VERBOSE,
        AS,
    ],
    "segment_external_ids": [
        parameter("include", "Namespaces."),
        parameter("exclude", "Namespaces to leave out."),
        *LISTED,
        VERBOSE,
        AS,
    ],
    "segment_events": [
        *PAGED,
        parameter("start", "Events from this moment or day on, by the client's own time."),
        parameter("end", "Events up to this moment."),
        SORT,
        parameter("include", "A list of events' names, or types of other calls."),
        parameter("exclude", "A list of those to leave out."),
        NEXT,
        AS,
    ],
    "segment_metadata": [VERBOSE, AS],
    "cut": [],
    "lift": [],
    "job": [],
    "jobs": [],
    "explain": [],
    "health": [],
    "explain_segment": [],
    "preview_segment": [],
    "export_segment": [],
    "job_of_segments": [],
    **{route.name: [] for route in rights_api.ROUTES},
}
JOBS = ("preview_segment", "export_segment", "job_of_segments")
STILL_WORKING = "Taken; the answer is not there yet: ask for it under the job's id."
STILL_COUNTING = "Being counted: sent again after some seconds, the call tells the counts."
STILL_OPEN = "Taken and archived; it is carried out in the background, under its job's id."
FAULTS = {
    "400": "The request cannot be read; `message` names the part.",
    "401": "No reader's token, or a write key.",
    "403": "Outside the token's scope.",
    "404": "Nobody is known by this identifier.",
    "503": "The store is not answering; `Retry-After` says when to try again.",
}


def lookup_document() -> Json:
    """OpenAPI 3.1 of the look-up API, from its route table and models."""
    routes: tuple[Route[Any], ...] = (
        *own_api.ROUTES,
        *segment_api.ROUTES,
        *cut_api.ROUTES,
        *explain_api.ROUTES,
        *segment_explain_api.ROUTES,
        *segment_jobs_api.ROUTES,
        *rights_api.ROUTES,
    )
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
            "schemas": schemas(
                {
                    *ANSWERS.values(),
                    *BODIES.values(),
                    *PLANS.values(),
                    *BATCHES.values(),
                    *BATCH_ANSWERS.values(),
                    RightsComparing,
                    RightsCounting,
                    RightsProblem,
                    Problem,
                    RuleProblem,
                    SegmentProblem,
                }
            ),
        },
    }


def _operation(route: Route[Any]) -> Json:
    problem, (status, told) = _problem(route), TAKEN.get(route.name, ("200", ""))
    text = (route.answering.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": text.splitlines()[0].strip("`"),
        "tags": [_tag(route)],
        "parameters": [*_path_parameters(route), *QUERY[route.name]],
        "responses": {
            status: _answer(route, told),
            **{status: answer(told, problem) for status, told in FAULTS.items()},
        },
    }
    if route.action is not None:
        operation["description"] = f"Needs a token that was granted `{route.action}`."
    if route.name in PLANS:
        operation["responses"]["202"] = answer(STILL_OPEN, ANSWERS[route.name])
        operation["responses"]["409"] = answer("A job changes these persons just now.", problem)
    if route.name in JOBS:
        operation["responses"]["202"] = answer(STILL_WORKING, ANSWERS[route.name])
        operation["responses"]["410"] = answer("What the job found has expired.", problem)
    if route.name == "rights_plan":
        operation["responses"]["202"] = answer(STILL_COUNTING, RightsCounting)
    if route.name == "rights_reapply":
        operation["responses"]["202"] = answer(STILL_COUNTING, RightsComparing)
    if route.name == "preview_segment":
        operation["responses"]["400"] = answer("What is wrong, by its place.", RuleProblem)
    if route.name == "explain":
        operation["responses"]["409"] = answer("A job is changing the person just now.", problem)
    if route.name in CONFLICTS:
        operation["responses"]["409"] = answer(CONFLICTS[route.name], problem)
    if route.method == "POST" and route.name in BODIES:
        several = BATCHES.get(route.name)
        body = _one_or(BODIES[route.name], several)
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _problem(route: Route[Any]) -> type[BaseModel]:
    if route.name.startswith("rights_"):
        return RightsProblem
    return SegmentProblem if route.name.startswith("segment_") else Problem


def _tag(route: Route[Any]) -> str:
    if route.action is not None:
        return "operators"
    return "segment" if route.name.startswith("segment_") else "profiles"


def _answer(route: Route[Any], text: str) -> Json:
    """The answer when all went well; where the body may ask for a plan, that or the plan."""
    plan, several = PLANS.get(route.name), BATCH_ANSWERS.get(route.name)
    text = text or ("Found." if plan is None else "Done, or planned.")
    return {"description": text, "content": _one_or(ANSWERS[route.name], plan or several)}


def _one_or(first: type[BaseModel], other: type[BaseModel] | None) -> Json:
    """A JSON body of one model, or of either."""
    if other is None:
        return content(first)
    forms = [content(model)["application/json"]["schema"] for model in (first, other)]
    return {"application/json": {"schema": {"oneOf": forms}}}


def _path_parameters(route: Route[Any]) -> list[Json]:
    names = re.findall(r"{(\w+)}", route.template)
    return [parameter(name, PATH_PARAMETERS[name], place="path") for name in names]
