"""Operators' paths that un-merge: cut two identifiers apart, lift it, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from stamgast.egress.disclosure import Disclosure, explained_to
from stamgast.identity.cut_job import CutJob, CutStore
from stamgast.identity.cut_request import BusyError, Order, Requests, TooManyPairsError
from stamgast.identity.cutting import Cutter
from stamgast.identity.decision import Verdict, pair_of
from stamgast.identity.edge import Pair
from stamgast.identity.identifiers import Identifier
from stamgast.identity.keys import Keyring
from stamgast.lookup.cut_answer import (
    CutTelling,
    answer_of_job,
    answer_of_plan,
    answer_unchanged,
    keys_of_job,
    keys_of_next_run,
    keys_of_plan,
)
from stamgast.lookup.faults import NOT_FOUND, Fault, bad
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.request import identifier_of
from stamgast.lookup.routes import Accepted, Request, Route, TokenStore, Told, route
from stamgast.workspace.model import Workspace

MOST_JOBS = 50
ASKED = "identity_jobs"
Parts: TypeAlias = Mapping[str, str]
CHANGING = Fault(409, "changing", "Others change these persons just now; ask again in a moment.")
NO_JOB = Fault(404, "no_such_job", "There is no job of this id; they are kept for 400 days.")


@dataclass(frozen=True, slots=True)
class CutDesk:
    """What changing persons needs; `now_ms` is milliseconds since 1970."""

    tokens: TokenStore
    store: CutStore
    cutter: Cutter
    workspace: Workspace
    keyring: Keyring
    now_ms: int
    disclosures: list[Disclosure] = field(default_factory=list)
    """Who was told of while answering, to be kept before the answer goes out."""

    @property
    def requests(self) -> Requests:
        """What makes jobs of requests."""
        settings, pause = self.workspace.identity, self.cutter.pause
        return Requests(self.store, settings, self.keyring, pause)

    def telling(self, reader: Reader, keys: Collection[str], kind: str) -> CutTelling:
        """The values behind these identifiers, for this reader; noted as told of their persons."""
        pointers = self.store.read_pointers(keys)
        persons: Collection[str | None] = {one.person_id for one in pointers.values()}
        for person_id in sorted(persons, key=str) or ([None] if keys else []):
            self.disclosures.append(explained_to(reader.name, kind, person_id, self.now_ms))
        values = {key: pointer.value for key, pointer in pointers.items()}
        return CutTelling(self.workspace.identity, values, reader)


def post_cut(request: Request, _parts: Parts, reader: Reader, desk: CutDesk) -> Told:
    """`POST /v1/identity:cut`: two identifiers, or those that leave, are no longer one person."""
    # Imported on use: pydantic costs a cold start 60 ms, and a refused token needs none of it.
    from stamgast.lookup.cut_schema import cut_body

    body = cut_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    asked: Sequence[str] = body.pair or body.leave or ()
    named = _named(asked, "pair" if body.pair else "leave", reader, desk)
    if isinstance(named, Fault):
        return named
    try:
        pairs = (
            {_pair(named)}
            if body.pair
            else desk.requests.leaving(named.keys(), is_alone=body.is_alone)
        )
    except TooManyPairsError as error:
        return bad("too_many_links", f"leave: {error}; name fewer identifiers at once.")
    except BusyError:
        return CHANGING
    order = Order(Verdict.CUT, reader.name, body.reason, desk.now_ms)
    return _answer(pairs, named, order, reader, desk, is_plan=body.is_plan)


def post_lift(request: Request, _parts: Parts, reader: Reader, desk: CutDesk) -> Told:
    """`POST /v1/identity:lift`: two identifiers that were cut may be one person again."""
    from stamgast.lookup.cut_schema import lift_body

    body = lift_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    named = _named(body.pair, "pair", reader, desk)
    if isinstance(named, Fault):
        return named
    order = Order(Verdict.LIFT, reader.name, body.reason, desk.now_ms)
    return _answer({_pair(named)}, named, order, reader, desk, is_plan=body.is_plan)


def get_job(_request: Request, parts: Parts, reader: Reader, desk: CutDesk) -> Told:
    """`GET /v1/identity/jobs/{job}`: what became of a cut or a lift."""
    job = desk.store.read_cut(parts["job"])
    return NO_JOB if job is None else _told(job, reader, desk)


def get_jobs(_request: Request, _parts: Parts, reader: Reader, desk: CutDesk) -> Told:
    """`GET /v1/identity/jobs`: the open jobs, then those that ended last."""
    jobs = desk.store.recent_cuts(MOST_JOBS)
    telling = desk.telling(reader, set().union(*map(keys_of_job, jobs)), ASKED)
    return {"jobs": [answer_of_job(job, telling) for job in jobs]}


def _named(
    asked: Sequence[str], field: str, reader: Reader, desk: CutDesk
) -> dict[str, Identifier] | Fault:
    """The identifiers by their keys, in the order that they were named in."""
    found: dict[str, Identifier] = {}
    for n, told in enumerate(asked):
        one = identifier_of(told, desk.workspace.identity, reader, is_encoded=False)
        if one is NOT_FOUND:
            message = f"{field}.{n}: this value identifies nobody; it is blocked or malformed."
            return bad("bad_identifier", message)
        if isinstance(one, Fault):
            return Fault(one.status, one.code, f"{field}.{n}: {one.message}")
        found[desk.keyring.identifier_key(one.namespace, one.value)] = one
    if field == "pair" and len(found) != 2:
        return bad("bad_pair", "pair: name two different identifiers.")
    return found


def _pair(named: Mapping[str, Identifier]) -> Pair:
    a, b = named
    return pair_of(a, b)


def _answer(
    pairs: Collection[Pair],
    named: Mapping[str, Identifier],
    order: Order,
    reader: Reader,
    desk: CutDesk,
    *,
    is_plan: bool,
) -> Told:
    try:
        if is_plan:
            return _planned(pairs, order.verdict, reader, desk)
        job = desk.requests.job(sorted(pairs), _values(pairs, named, desk), order)
    except BusyError:
        return CHANGING
    if job is None:
        telling = desk.telling(reader, keys_of_plan(None, pairs), _kind(order.verdict))
        return answer_unchanged(order.verdict, pairs, telling)
    return _told(desk.cutter.carry_out(job), reader, desk)


def _planned(pairs: Collection[Pair], verdict: Verdict, reader: Reader, desk: CutDesk) -> Told:
    requests = desk.requests
    plan, ahead = requests.preview(sorted(pairs), verdict), None
    if plan is not None and verdict is Verdict.CUT:
        ahead = requests.next_run(plan[0], plan[1].targets, pairs)
    told = keys_of_plan(plan, pairs) | keys_of_next_run(ahead)
    is_standing = requests.is_standing(sorted(pairs), verdict)
    telling = desk.telling(reader, told, _kind(verdict))
    return answer_of_plan(plan, pairs, verdict, telling, is_standing=is_standing, ahead=ahead)


def _values(
    pairs: Collection[Pair], named: Mapping[str, Identifier], desk: CutDesk
) -> dict[str, Identifier]:
    """What the archive names: what was asked, and behind other keys what their pointers hold."""
    others = {key for pair in pairs for key in pair} - named.keys()
    pointers = desk.store.read_pointers(others)
    read = {key: Identifier(p.namespace, p.value) for key, p in pointers.items()}
    return {**read, **named}


def _told(job: CutJob, reader: Reader, desk: CutDesk) -> Told:
    is_cut = job.verdict is Verdict.CUT and not job.is_open
    ahead = desk.requests.after(job.pairs) if is_cut else None
    told = keys_of_job(job) | keys_of_next_run(ahead)
    answer = answer_of_job(job, desk.telling(reader, told, _kind(job.verdict)), ahead)
    return Accepted(answer) if job.is_open else answer


def _kind(verdict: Verdict) -> str:
    """What a disclosure calls it: `cut_identity` or `lift_identity`."""
    return f"{verdict.value}_identity"


ROUTES: tuple[Route[CutDesk], ...] = (
    route("cut", "POST", "/v1/identity:cut", post_cut, action=Action.CHANGE_IDENTITY),
    route("lift", "POST", "/v1/identity:lift", post_lift, action=Action.CHANGE_IDENTITY),
    route("job", "GET", "/v1/identity/jobs/{job}", get_job, action=Action.CHANGE_IDENTITY),
    route("jobs", "GET", "/v1/identity/jobs", get_jobs, action=Action.CHANGE_IDENTITY),
)
