"""Requests of persons over HTTP, after OpenDSR 2.0: discovery, create, status, cancel; and a plan.

Identifiers stand in the body alone; a request's own id is no identifier of anybody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from stamgast.egress.disclosure import Disclosure, fetched_by
from stamgast.erasure.certificate import Sign, settled
from stamgast.erasure.request import SEARCHES, Kind, RightsRequest, RightsStore, State
from stamgast.erasure.subject import Subject
from stamgast.erasure.telling import VERSION, head_of
from stamgast.identity.keys import BASE32, Keyring
from stamgast.lookup.faults import Fault
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.rights_create import named_by, post_requests
from stamgast.lookup.routes import (
    Accepted,
    Created,
    Request,
    Route,
    TokenStore,
    Told,
    plain_form,
    route,
)
from stamgast.moments import iso_of
from stamgast.workspace.model import Workspace

PATH = "/v3/requests/{request}"
RESULTS = ("record.json", "record.html")
PARTS = len(BASE32)
UNTOLD = ("counts", SEARCHES)
Parts: TypeAlias = Mapping[str, str]
NO_REQUEST = Fault(404, "no_such_request", "There is no request of this id.")
IN_WORK = Fault(409, "in_work", "This request is in work or done; it cannot be withdrawn.")
NOT_SEARCHED = Fault(
    409, "not_searched", "Only an erasure after a search that found something can be settled."
)


@dataclass(frozen=True, slots=True)
class RightsDesk:
    """What answering needs; `begin` has requests carried out.

    `plan` counts without a change; None while it is at it. `reapply` begins to compare tombstones
    with the tables, for whom and from which host, and tells how far that is.

    `domain` is the host that the request was sent to; call-backs may go to this machine itself
    where it is somebody's laptop.
    """

    tokens: TokenStore
    requests: RightsStore
    workspace: Workspace
    keyring: Keyring
    now_ms: int
    begin: Callable[[Sequence[str]], None]
    plan: Callable[[Subject], Mapping[str, Any] | None]
    certificate: Callable[[], str]
    prove: Callable[[], None]
    reapply: Callable[[str, str], Mapping[str, Any]]
    sign: Sign
    note: Callable[[str, Disclosure], None]
    """Keeps, under a request's id, that somebody was given what it made."""
    domain: str = ""
    may_call_this_machine: bool = False


def get_discovery(_request: Request, _parts: Parts, _reader: Reader, desk: RightsDesk) -> Told:
    """`GET /v3/discovery`: what this processor takes."""
    names = [one.name for one in desk.workspace.identity.namespaces]
    return {
        "api_version": VERSION,
        "supported_identities": [
            {"identity_type": name, "identity_format": "raw"}
            for name in (*names, "controller_customer_id")
        ],
        "supported_subject_request_types": [kind.value for kind in Kind],
        "processor_certificate": desk.certificate(),
    }


def get_request(_request: Request, parts: Parts, reader: Reader, desk: RightsDesk) -> Told:
    """`GET /v3/requests/{request}`: where it stands, what was found, and where its results are.

    Who is given links to a record is noted before they are signed, whoever asked for it.
    """
    found = desk.requests.read(parts["request"])
    if found is None:
        return NO_REQUEST
    if not _has_record(found):
        return status_of(found, desk)
    desk.note(found.request_id, fetched_by(reader.name, found.kind.value, desk.now_ms))
    return status_of(found, desk) | _links(found, desk)


def get_requests(_request: Request, _parts: Parts, _reader: Reader, desk: RightsDesk) -> Told:
    """`GET /v3/requests`: all in which something is left to be done, with their clocks."""
    found = (desk.requests.read(one) for one in desk.requests.open_ids())
    return {"requests": [status_of(one, desk) for one in found if one is not None]}


def delete_request(_request: Request, parts: Parts, _reader: Reader, desk: RightsDesk) -> Told:
    """`DELETE /v3/requests/{request}`: withdraws a request on which no work has begun."""
    found = desk.requests.read(parts["request"])
    if found is None:
        return NO_REQUEST
    cancelled = found.cancelled(desk.now_ms)
    if cancelled is None or not desk.requests.replace(found, cancelled):
        return IN_WORK
    desk.requests.forget(found.request_id)
    desk.begin([cancelled.request_id] if cancelled.is_left else [])
    return Accepted(status_of(cancelled, desk))


def post_plan(request: Request, _parts: Parts, reader: Reader, desk: RightsDesk) -> Told:
    """`POST /v1/rights:plan`: how much of a person each store holds; nothing is changed."""
    from stamgast.lookup.rights_schema import plan_body

    told = plan_body(request.body)
    if isinstance(told, Fault):
        return told
    named = named_by(told, reader, desk, "")
    if isinstance(named, Fault):
        return named
    counted = desk.plan(Subject("plan", desk.now_ms, frozenset(named), named))
    return Accepted({"state": "counting"}) if counted is None else counted


def post_prove(_request: Request, _parts: Parts, _reader: Reader, desk: RightsDesk) -> Told:
    """`POST /v1/rights:prove`: works on all that is open, and searches every byte, now."""
    desk.prove()
    return Accepted({"begun": True})


def post_reapply(_request: Request, _parts: Parts, reader: Reader, desk: RightsDesk) -> Told:
    """`POST /v1/rights:reapply`: erases anew who is there again after tables were put back.

    The comparison goes on behind the answer; sent again it tells how far it is, and at its end the
    requests that it made.
    """
    state = desk.reapply(reader.name, desk.domain)
    if not state["is_done"]:
        told = {"compared": state["compared"], "of": state.get("of", PARTS)}
        return Accepted({"state": "comparing", **told})
    made = filter(None, map(desk.requests.read, state["requests"]))
    return Created({"requests": [head_of(one) for one in made], "salts": state["salts"]})


def post_settle(request: Request, _parts: Parts, reader: Reader, desk: RightsDesk) -> Told:
    """`POST /v1/rights:settle`: closes an erasure although the search still found something.

    For a mention that nobody can take out. Who closed it and why stands in the certificate.
    """
    from stamgast.lookup.rights_schema import settle_body

    told = settle_body(request.body)
    if isinstance(told, Fault):
        return told
    found = desk.requests.read(str(told.subject_request_id))
    if found is None:
        return NO_REQUEST
    had = found.report.get("certificate", {})
    closed = settled(had, reader.name, told.reason, desk.now_ms, desk.sign)
    after = found.settled(desk.now_ms, closed)
    if after is None or not desk.requests.replace(found, after):
        return NOT_SEARCHED
    desk.requests.forget(found.request_id)
    return status_of(after, desk)


def status_of(request: RightsRequest, desk: RightsDesk) -> dict[str, Any]:
    """Where a request stands, as OpenDSR tells it, with what this platform knows beside."""
    told = {
        **head_of(request),
        "request_status": request.state.value,
        "clock": request.clock(desk.now_ms).value,
        **{name: value for name, value in request.report.items() if name not in UNTOLD},
    }
    if request.callbacks:
        told["callbacks"] = [one.shown() for one in request.callbacks]
    if request.kind is Kind.ERASURE and request.done_ms and request.state is State.COMPLETED:
        told["unreachable_since"] = iso_of(request.done_ms)
        told["is_proven"] = request.proven_ms > 0
    if _has_record(request):
        told["counts"] = request.report.get("counts", {})
        told["results_count"] = sum(told["counts"].values())
    return told


def _has_record(request: RightsRequest) -> bool:
    return request.kind is not Kind.ERASURE and request.state is State.COMPLETED


def _links(request: RightsRequest, desk: RightsDesk) -> dict[str, str]:
    urls = (desk.requests.result(request.request_id, name) for name in RESULTS)
    return dict(zip(("results_url", "page_url"), urls, strict=True))


def both_forms(fault: Fault) -> dict[str, Any]:
    """A fault as every error body of this product has it, and as OpenDSR has it."""
    error = {"code": fault.status, "message": fault.message, **fault.more}
    return {**plain_form(replace(fault, more={})), "error": error}


GRANTED = Action.CARRY_OUT_RIGHTS
ROUTES: tuple[Route[RightsDesk], ...] = (
    route("rights_discovery", "GET", "/v3/discovery", get_discovery, both_forms, GRANTED),
    route("rights_create", "POST", "/v3/requests", post_requests, both_forms, GRANTED),
    route("rights_list", "GET", "/v3/requests", get_requests, both_forms, GRANTED),
    route("rights_status", "GET", PATH, get_request, both_forms, GRANTED),
    route("rights_cancel", "DELETE", PATH, delete_request, both_forms, GRANTED),
    route("rights_prove", "POST", "/v1/rights:prove", post_prove, both_forms, GRANTED),
    route("rights_reapply", "POST", "/v1/rights:reapply", post_reapply, both_forms, GRANTED),
    route("rights_settle", "POST", "/v1/rights:settle", post_settle, both_forms, GRANTED),
    route("rights_plan", "POST", "/v1/rights:plan", post_plan, both_forms, GRANTED),
)
