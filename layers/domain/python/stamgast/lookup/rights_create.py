"""Requests of persons as they come in: read, checked field by field, and kept once."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stamgast.erasure.callbacks import Callback, target_of
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.request import DAY_MS, Kind, RightsRequest, State
from stamgast.erasure.subject import Subject
from stamgast.erasure.telling import head_of
from stamgast.lookup.faults import NOT_FOUND, Fault
from stamgast.lookup.reader import Reader
from stamgast.lookup.request import identifier_of
from stamgast.lookup.routes import Created, Request, Told

if TYPE_CHECKING:
    from stamgast.lookup.rights_api import RightsDesk
    from stamgast.lookup.rights_schema import SubjectRequest

EXISTS = Fault(409, "exists", "There is a request of this id with other content.")


def post_requests(
    request: Request, _parts: Mapping[str, str], reader: Reader, desk: "RightsDesk"
) -> Told:
    """`POST /v3/requests`: takes one request or a batch; sent again it is the same request."""
    # Imported on use: pydantic costs a cold start 60 ms, and a refused token needs none of it.
    from stamgast.lookup.rights_schema import rights_body

    told = rights_body(request.body)
    if isinstance(told, Fault):
        return told
    made: list[tuple[RightsRequest, Mapping[str, str]]] = []
    for place, one in enumerate(told):
        read = _read(one, reader, desk, f"requests.{place}." if len(told) > 1 else "")
        if isinstance(read, Fault):
            return read
        made.append(read)
    if any(_is_other(wanted, desk.requests.read(wanted.request_id)) for wanted, _ in made):
        return EXISTS
    kept = [_kept(wanted, named, desk) for wanted, named in made]
    taken = [one for one in kept if isinstance(one, RightsRequest)]
    desk.begin([one.request_id for one in taken if one.state is State.PENDING])
    if len(taken) < len(kept):
        return EXISTS
    encoded = b64encode(request.body.encode()).decode()
    answers = [{**head_of(one), "encoded_request": encoded} for one in taken]
    return Created(answers[0] if len(answers) == 1 else {"requests": answers})


def _read(
    one: "SubjectRequest", reader: Reader, desk: "RightsDesk", where: str
) -> tuple[RightsRequest, Mapping[str, str]] | Fault:
    """A request of a body as it is kept, with the values that it names; or what is wrong."""
    named = named_by(one.subject_identities, reader, desk, where)
    if isinstance(named, Fault):
        return named
    told = needles_of([Subject("", 0, frozenset(named), named)])
    refused = _wrong_callback(one.status_callback_urls, told, desk, where)
    refused = refused or _wrong_time(one.submitted_ms(desk.now_ms), desk, where)
    if refused is not None:
        return refused
    wanted = RightsRequest(
        request_id=str(one.subject_request_id),
        kind=Kind(one.subject_request_type),
        by=reader.name,
        regulation=one.regulation,
        keys=tuple(sorted(named)),
        received_ms=desk.now_ms,
        asked_ms=min(one.submitted_ms(desk.now_ms), desk.now_ms),
        callbacks=tuple(Callback(url) for url in dict.fromkeys(one.status_callback_urls)),
        domain=desk.domain,
    )
    return wanted, named


def named_by(
    identities: Sequence[Any], reader: Reader, desk: "RightsDesk", where: str
) -> dict[str, str] | Fault:
    """The identifiers' keys with their normalised values."""
    from stamgast.lookup.rights_schema import FIXES, NAMESPACES, wrong

    found: dict[str, str] = {}
    for place, one in enumerate(identities):
        spot = f"{where}subject_identities.{place}"
        namespace = NAMESPACES.get(one.identity_type, one.identity_type)
        if namespace not in desk.workspace.identity.by_name:
            return wrong("bad_identifier", f"{spot}.identity_type: {FIXES['identity_type']}.")
        text = f"{namespace}:{one.identity_value}"
        told = identifier_of(text, desk.workspace.identity, reader, is_encoded=False)
        if told is NOT_FOUND:
            message = "this value identifies nobody; it is blocked or malformed."
            return wrong("bad_identity", f"{spot}.identity_value: {message}")
        if isinstance(told, Fault):
            return Fault(told.status, told.code, f"{spot}: {told.message}")
        found[desk.keyring.identifier_key(told.namespace, told.value)] = told.value
    return found


def _wrong_callback(
    urls: Sequence[str], needles: Needles, desk: "RightsDesk", where: str
) -> Fault | None:
    """What is wrong with the first address that must not be called, by its place alone."""
    from stamgast.lookup.rights_schema import wrong

    for place, url in enumerate(urls):
        spot = f"{where}status_callback_urls.{place}"
        if target_of(url, may_be_local=desk.may_call_this_machine) is None:
            told = "call-backs go to https:// addresses without a user name."
            return wrong("bad_callback", f"{spot}: {told}")
        if needles.is_name(url):
            told = "an address names nobody; tell requests apart by subject_request_id."
            return wrong("bad_callback", f"{spot}: {told}")
    return None


def _wrong_time(asked_ms: int, desk: "RightsDesk", where: str) -> Fault | None:
    """A person has asked before now; the clocks of two companies may differ by a day."""
    from stamgast.lookup.rights_schema import wrong

    if asked_ms <= desk.now_ms + DAY_MS:
        return None
    return wrong("bad_body", f"{where}submitted_time: must not lie in the future.")


def _is_other(wanted: RightsRequest, stands: RightsRequest | None) -> bool:
    """Whether a request of this id stands that asks for something else."""
    if stands is None:
        return False
    return (stands.kind, stands.keys) != (wanted.kind, wanted.keys)


def _kept(
    request: RightsRequest, named: Mapping[str, str], desk: "RightsDesk"
) -> RightsRequest | Fault:
    if desk.requests.put(request, {"values": dict(named)}):
        return request
    stands = desk.requests.read(request.request_id)
    return EXISTS if stands is None or _is_other(request, stands) else stands
