"""Operators' paths that explain: why a person is one person, and how identity is doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stamgast.egress.disclosure import Disclosure, explained_to
from stamgast.identity.explain.answer import Telling, explanation_of
from stamgast.identity.explain.case import Case
from stamgast.identity.explain.live import BusyError, live_case
from stamgast.identity.identifiers import Identifier
from stamgast.identity.keys import Keyring
from stamgast.identity.store import IdentityStore, Pause
from stamgast.lookup.faults import BOUND, NOT_FOUND, Fault, bad
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.request import identifier_of
from stamgast.lookup.routes import Request, Route, TokenStore, route
from stamgast.moments import CLOCKS_DIFFER, iso_of, moment_of, ms_of
from stamgast.workspace.model import Workspace

Run = Mapping[str, str]
EXPLAINED = "explain_identity"
NOBODY = replace(
    NOT_FOUND,
    message="This value identifies nobody: it is blocked or malformed, and joins nothing.",
)

AHEAD = bad("bad_as_of", "as_of lies ahead of now, and nobody knows yet. Leave it out for now.")


class Records(Protocol):
    """What the lake's rows tell beyond the live view; `Run` is the last run they hold."""

    def case_then(self, key: str, moment: datetime) -> tuple[Case | None, Run | None]:
        """The person of an identifier as it was known at a moment."""

    def with_details(self, case: Case, moment: datetime) -> tuple[Case, Run | None]:
        """A live case with every message behind its edges, with cuts and statistical links."""

    def health(self, most: int) -> Sequence[Mapping[str, Any]]:
        """The figures of the newest runs that measured them, the newest first."""


@dataclass(frozen=True, slots=True)
class ExplainDesk:
    """What explaining needs; `now_ms` is milliseconds since 1970."""

    tokens: TokenStore
    store: IdentityStore
    records: Records
    workspace: Workspace
    keyring: Keyring
    now_ms: int
    pause: Pause
    disclosures: list[Disclosure] = field(default_factory=list)
    """Who was explained to whom while answering, to be kept before the answer goes out."""

    def telling(self, reader: Reader, case: Case, most_cuts: int) -> Telling:
        """The values that this reader may name, masked where its fields do not grant them."""
        keys = case.members | {key for edge in case.edges for key in edge}
        pairs = [*(c.pair for c in case.cannot_links), *(p.pair for p in case.provisional)]
        keys |= {key for pair in pairs for key in pair}
        values = {
            pointer.key: pointer.value
            for pointer in self.store.read_pointers(keys).values()
            if reader.may_name(pointer.namespace)
        }
        return Telling(
            self.workspace.identity,
            values,
            lambda name: reader.may_name(name) and reader.may_see(f"identifiers.{name}"),
            most_cuts,
        )


def post_explain(
    request: Request, _parts: Mapping[str, str], reader: Reader, desk: ExplainDesk
) -> Mapping[str, Any] | Fault:
    """`POST /v1/identity:explain`: the person, its evidence, and what each cut would do."""
    # Imported on use: pydantic costs a cold start 60 ms, and a refused token needs none of it.
    from stamgast.lookup.explain_schema import explain_body

    if reader.purposes:
        return BOUND
    body = explain_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    named = identifier_of(body.identifier, desk.workspace.identity, reader, is_encoded=False)
    if not isinstance(named, Identifier):
        return NOBODY if named is NOT_FOUND else named
    key = desk.keyring.identifier_key(named.namespace, named.value)
    zone, now = desk.workspace.time_zone, moment_of(desk.now_ms)
    then = None if body.as_of is None else moment_in(body.as_of, zone, now)
    if isinstance(then, Fault):
        return then
    found = _past(key, then, desk) if then else _now(key, desk, with_details=body.details)
    person_id = None if isinstance(found, Fault) else found[0].person_id
    desk.disclosures.append(explained_to(reader.name, EXPLAINED, person_id, desk.now_ms))
    if isinstance(found, Fault):
        return found
    case, source = found
    return {"answered_from": source, **explanation_of(case, desk.telling(reader, case, body.cuts))}


def _past(key: str, then: datetime, desk: ExplainDesk) -> tuple[Case, Mapping[str, Any]] | Fault:
    case, run = desk.records.case_then(key, then)
    if case is None:
        return replace(NOT_FOUND, message="No run had seen this identifier by then.")
    return case, _source("lake", then, desk, run)


def _now(
    key: str, desk: ExplainDesk, *, with_details: bool
) -> tuple[Case, Mapping[str, Any]] | Fault:
    now, run = moment_of(desk.now_ms), None
    try:
        case = live_case(desk.store, key, desk.workspace.identity, desk.pause)
    except BusyError:
        return Fault(409, "changing", "A job is changing this person; ask again in a moment.")
    if case is None:
        return replace(NOT_FOUND, message="No evidence names this identifier.")
    if with_details:
        case, run = desk.records.with_details(case, now)
    return case, _source("live", now, desk, run)


def _source(view: str, moment: datetime, desk: ExplainDesk, run: Run | None) -> Mapping[str, Any]:
    """From where it is answered and as of when; the run is that of the rows that were read."""
    return {
        "view": view,
        "as_of": iso_of(ms_of(moment)),
        "time_zone": desk.workspace.time_zone,
        "last_run": run,
        "workspace_version": desk.workspace.version,
    }


def moment_in(told: str, time_zone: str, now: datetime) -> datetime | Fault:
    """The moment of an ISO 8601 date or time; without an offset it is one of the workspace's zone.

    A date alone is its first moment. What is ahead by no more than clocks differ is now.
    """
    moment = _read(told, time_zone)
    if isinstance(moment, Fault) or moment <= now:
        return moment
    return now if moment - now <= CLOCKS_DIFFER else AHEAD


def _read(told: str, time_zone: str) -> datetime | Fault:
    try:
        moment = datetime.fromisoformat(told)
        zone = moment.tzinfo or (UTC if time_zone == "UTC" else ZoneInfo(time_zone))
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        return bad(
            "bad_as_of", "as_of is an ISO 8601 date or time, such as 2026-09-01T12:00+02:00."
        )


def post_health(
    request: Request, _parts: Mapping[str, str], _reader: Reader, desk: ExplainDesk
) -> Mapping[str, Any] | Fault:
    """`POST /v1/identity:health`: how large persons are, what is shared, refused, and drifting."""
    from stamgast.lookup.explain_schema import health_body

    body = health_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    return {"runs": list(desk.records.health(body.runs))}


ROUTES: tuple[Route[ExplainDesk], ...] = (
    route("explain", "POST", "/v1/identity:explain", post_explain, action=Action.EXPLAIN_IDENTITY),
    route("health", "POST", "/v1/identity:health", post_health, action=Action.EXPLAIN_IDENTITY),
)
