"""`carry_out_rights`: takes requests of persons, carries them out, and proves what was erased."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import uuid4

from stamgast.egress.disclosure import Disclosure
from stamgast.erasure.telling import Telling, headers_of
from stamgast.lookup.rights_api import ROUTES, RightsDesk
from stamgast.lookup.routes import respond
from stamgast_aws.callback_sender import HttpsCallbacks
from stamgast_aws.clients import client, signing_client
from stamgast_aws.disclosures import FirehoseDisclosures, disclosures_to
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_aws.erasure_queue import SqsDeadLetters
from stamgast_aws.http_edge import answered
from stamgast_aws.kms_signer import KmsSigner
from stamgast_aws.line_log import LineLog
from stamgast_aws.rights_plans import StoredPlans
from stamgast_aws.rights_store import RightsWorker, StoredRights
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.tombstone_store import DynamoTombstones
from stamgast_lake.erasure.progress import IsLate, OutOfTimeError
from stamgast_lake.erasure.reapply import WATCH, Reapplying
from stamgast_lake.erasure.work import RightsWork
from stamgast_lake.lake import Lake, deployed_lake

NONE, YES = "none", "yes"
BEGUN_BY = "begun_by"
MARGIN_MS = 180_000
WAIT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment; the worker is this very function, which it calls to go on."""

    profiles_table: str
    audit_bucket: str
    disclosures_stream: str
    dead_letter_queue: str
    signing_key: str
    settle_seconds: str
    worker_function: str
    callbacks_may_be_local: str


@cache
def settings() -> Settings:
    """The settings, read on the first request."""
    return read_settings(Settings)


@cache
def signer() -> KmsSigner:
    """What signs answers and certificates; nothing is signed where there is no key."""
    key = settings().signing_key
    return KmsSigner(client("kms"), "" if key == NONE else key)


@cache
def lake() -> Lake:
    """The lake, with its workspace, its keys and the audit log."""
    return deployed_lake(**lake_access(settings()), audit_bucket=settings().audit_bucket)


@cache
def requests() -> StoredRights:
    """Where requests are kept; links to results are signed for who asks from outside."""
    told = settings()
    return StoredRights(
        client("dynamodb"), told.control_table, client("s3"), told.lake_bucket, signing_client()
    )


@cache
def worker() -> RightsWorker:
    """What begins the work on requests."""
    return RightsWorker(client("lambda"), settings().worker_function)


@cache
def tables() -> DynamoErasure:
    """The tables `profiles` and `control`."""
    told, dynamodb = settings(), client("dynamodb")
    tables_of = (told.profiles_table, told.control_table)
    return DynamoErasure(dynamodb, *tables_of, time.sleep, lambda: lake().keyring())


@cache
def disclosures() -> FirehoseDisclosures:
    """Where it is kept who was shown whom."""
    told = settings()
    return disclosures_to(client, told.disclosures_stream, told.control_table, time.sleep)


@cache
def work() -> RightsWork:
    """What carries requests out."""
    told, dynamodb = settings(), client("dynamodb")
    tombstones = DynamoTombstones(dynamodb, told.control_table, time.sleep)
    return RightsWork(
        lake=lake(),
        live=tables(),
        dead_letters=SqsDeadLetters(client("sqs"), told.dead_letter_queue),
        requests=requests(),
        lease=run_lease(told),
        put_tombstones=tombstones.put,
        sign=signer().sign,
        now_ms=now_ms,
        settle=lambda: time.sleep(int(told.settle_seconds)),
        tell=telling().tell,
        audit=disclosures().keep_all,
    )


@cache
def plans() -> StoredPlans:
    """What the stores hold of a person, counted behind the answer."""
    told = settings()
    begin, count = worker().begin_plan, work().plan
    return StoredPlans(client("s3"), told.lake_bucket, begin, count, now_ms)


@cache
def reapplying() -> Reapplying:
    """What compares tombstones with tables that were put back."""
    live, held = tables(), lake()
    return Reapplying(
        lake=held,
        live=live,
        requests=requests(),
        begin=worker().begin_comparing,
        carry_out=_begin,
        unsalt=lambda: live.unsalt(held.tombstones.gone, held.keyring()),
        now_ms=now_ms,
        lease=run_lease(settings()),
        pause=lambda: time.sleep(WAIT_SECONDS),
    )


@cache
def watching() -> Reapplying:
    """What looks each night at what was put back; all that it files is proven at once."""
    return replace(
        reapplying(),
        begin=worker().begin_watch,
        carry_out=_begin_proof,
        unsalt=lambda: 0,
        name=WATCH,
    )


@cache
def telling() -> Telling:
    """What calls back those who asked for it."""
    sender = HttpsCallbacks(may_be_local=settings().callbacks_may_be_local == YES)
    return Telling(requests(), sender.send, signer().sign, time.monotonic)


@cache
def tokens() -> DynamoTokenStore:
    """Who may ask."""
    return DynamoTokenStore(client("dynamodb"), settings().control_table, time.monotonic)


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def desk(domain: str) -> RightsDesk:
    """What one request over HTTP, sent to this host, is answered from."""
    return RightsDesk(
        tokens=tokens(),
        requests=requests(),
        workspace=lake().workspace(),
        keyring=lake().keyring(),
        now_ms=now_ms(),
        begin=_begin,
        plan=plans().ask,
        certificate=signer().certificate,
        prove=worker().begin_all,
        reapply=lambda by, host: reapplying().ask(by, host),
        sign=signer().sign,
        note=_note,
        domain=domain,
        may_call_this_machine=settings().callbacks_may_be_local == YES,
    )


def _note(request_id: str, told: Disclosure) -> None:
    """Each time under a name of its own, which begins with the request's."""
    disclosures().keep([(f"{request_id}:{uuid4().hex}", told)])


def _begin(request_ids: Collection[str]) -> None:
    if request_ids:
        worker().begin(list(request_ids))


def _begin_proof(request_ids: Collection[str]) -> None:
    if request_ids:
        worker().begin_proof()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers a request over HTTP; works on requests that it is handed; once a day on all."""
    if "requestContext" in event:
        return _answered(event)
    if "reapply" in event:
        return _compared(reapplying(), context)
    if "watch" in event:
        return _compared(watching(), context)
    if "plan" in event:
        return {"planned": plans().make(str(event["plan"]))}
    told = {BEGUN_BY: context.aws_request_id, **event}
    try:
        return _worked(told, lambda: _is_late(context))
    except OutOfTimeError:
        worker().go_on(told)
        LineLog().info("requests of persons", more=True)
        return {"more": True}


def _worked(event: Mapping[str, Any], is_late: IsLate) -> dict[str, Any]:
    """Carries out and proves; raises OutOfTimeError where the same event has to come once more."""
    request_ids = event.get("requests")
    wanted = requests().open_ids() if request_ids is None else request_ids
    states = work().carry_out(wanted, is_late, event[BEGUN_BY])
    proven = work().prove(is_late) if request_ids is None else 0
    if proven and work().is_found_again():
        worker().begin_proof()
    if request_ids is None and "prove" not in event:
        watching().watch()
    LineLog().info("requests of persons", states=sorted(states.values()), proven=proven)
    return {"states": sorted(states.values()), "proven": proven}


def _is_late(context: Any) -> bool:
    return bool(context.get_remaining_time_in_millis() < MARGIN_MS)


def _compared(comparison: Reapplying, context: Any) -> dict[str, Any]:
    """Compares until little time is left, and has itself called to go on."""
    is_left = comparison.go_on(lambda: _is_late(context))
    if is_left:
        comparison.begin()
    return {"more": is_left}


def _answered(event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with its host and the signature over its body, as OpenDSR has it."""
    domain = str(event["requestContext"].get("domainName", ""))
    answer = answered(event, "request of a person", lambda one: respond(one, desk(domain), ROUTES))
    told = headers_of(domain, signer().sign(str(answer["body"]).encode()))
    return {**answer, "headers": {**answer["headers"], **told}}
