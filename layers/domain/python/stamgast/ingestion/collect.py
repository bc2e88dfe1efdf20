"""The rule of the stage: from a request to an answer, acknowledging only what is durable."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from stamgast.ingestion.accept import accept
from stamgast.ingestion.batch import Batch, batch_of
from stamgast.ingestion.bounds import DEFAULT, Bounds
from stamgast.ingestion.cors import with_cors
from stamgast.ingestion.envelope import messages_of
from stamgast.ingestion.inflate import inflate
from stamgast.ingestion.key_cache import KeyCache
from stamgast.ingestion.lenient import read
from stamgast.ingestion.opt_outs import opt_outs_of
from stamgast.ingestion.pixel import pictured, pixel_data
from stamgast.ingestion.rate import RateLimiter
from stamgast.ingestion.request import SUCCESS, Answer, Refusal, Request, answer_of
from stamgast.ingestion.routes import Kind, Route, route_of
from stamgast.ingestion.settings_document import analytics_settings, source_config
from stamgast.ingestion.tracking_plan import TrackingPlan, planned
from stamgast.ingestion.verdicts import Envelope, Receipt
from stamgast.ingestion.write_key import KeyStoreError, Source, basic_key, hash_of, key_of

RETRY_AFTER_SECONDS = 5
LONGEST_USER_AGENT = 512
TRUE = frozenset(("1", "true"))


class NotDurableError(Exception):
    """The queue did not say that it keeps a message."""


class EventQueue(Protocol):
    """Keeps messages until they are processed."""

    def put(self, messages: list[str]) -> None:
        """Returns when every message is durable; raises NotDurableError otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a request, and the facts of it that a log line may tell."""

    answer: Answer
    route: str
    code: str = "ok"
    source_id: str | None = None
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Collector:
    """What the stage stands on: keys, limits, the queue, its bounds, the plan for strict mode.

    `plan` raises ConnectionError when it cannot be read.
    """

    keys: KeyCache
    limiter: RateLimiter
    queue: EventQueue
    bounds: Bounds = DEFAULT
    plan: Callable[[], TrackingPlan] | None = None

    def collect(self, request: Request, now_ms: int) -> Outcome:
        """The outcome of one request that came in at `now_ms`; cross-origin headers on all."""
        route = route_of(request.method, request.path)
        if isinstance(route, Refusal):
            outcome = _refused(route, "none")
        else:
            outcome = self._serve(request, route, now_ms)
        return replace(outcome, answer=with_cors(outcome.answer, request))

    def _serve(self, request: Request, route: Route, now_ms: int) -> Outcome:
        if route.kind in (Kind.PREFLIGHT, Kind.IGNORED):
            return Outcome(SUCCESS, route.kind)
        if route.kind in (Kind.SETTINGS, Kind.SOURCE_CONFIG):
            return self._document(request, route, now_ms)
        taken = self._take(request, route, now_ms)
        if route.kind is Kind.PIXEL:
            return replace(taken, answer=pictured(taken.answer, request))
        return taken

    def _document(self, request: Request, route: Route, now_ms: int) -> Outcome:
        key = route.write_key or key_of(basic_key(request.headers), None, request.query)
        source = self._source(key, now_ms)
        if isinstance(source, Refusal):
            return _refused(source, route.kind)
        if route.kind is Kind.SETTINGS:
            answer = analytics_settings(request, key or "")
        else:
            answer = source_config(key or "", source.source_id)
        return Outcome(answer, route.kind, source_id=source.source_id)

    def _take(self, request: Request, route: Route, now_ms: int) -> Outcome:
        basic = basic_key(request.headers)
        # A key in the header is judged before a byte of the body is inflated or parsed.
        known = self._source(basic, now_ms) if basic else None
        if isinstance(known, Refusal):
            return _refused(known, route.kind)
        text = _text_of(request, route, self.bounds)
        if isinstance(text, Refusal):
            return _refused(text, route.kind)
        body = read(text)
        source = known or self._source(key_of(None, body, request.query), now_ms)
        if isinstance(source, Refusal):
            return _refused(Refusal("invalid_json") if body is None else source, route.kind)
        batch = batch_of(body, text, route, self.bounds)
        if isinstance(batch, Refusal):
            return _refused(batch, route.kind, source)
        wait = self.limiter.wait_seconds(source, len(batch.events), now_ms)
        if wait is not None:
            return _refused(Refusal("throttled", wait), route.kind, source)
        return self._store(request, route, source, batch, now_ms)

    def _store(
        self, request: Request, route: Route, source: Source, batch: Batch, now_ms: int
    ) -> Outcome:
        receipt = _receipt_of(request, route, source, batch.sent_ms, now_ms)
        envelope = accept(batch.events, receipt, bounds=self.bounds, original=batch.original)
        if request.headers.get("x-strict-mode", "").lower() in TRUE:
            refusal = self._strict(envelope)
            if refusal is not None:
                return _refused(refusal, route.kind, source)
        messages = messages_of(envelope) if batch.events else []
        try:
            self.queue.put(messages)
        except NotDurableError:
            undurable = Refusal("not_durable", RETRY_AFTER_SECONDS)
            return _refused(undurable, route.kind, source)
        return Outcome(
            SUCCESS,
            route.kind,
            source_id=source.source_id,
            accepted=len(envelope.accepted),
            rejected=_count(envelope),
            messages=len(messages),
        )

    def _strict(self, envelope: Envelope) -> Refusal | None:
        """All or nothing, by the tracking plan too, which is else looked at behind the queue."""
        try:
            judged = envelope if self.plan is None else planned(envelope, self.plan())
        except ConnectionError:
            return Refusal("plan_unavailable", RETRY_AFTER_SECONDS)
        return Refusal("strict", details=_verdicts(judged)) if judged.rejected else None

    def _source(self, key: str | None, now_ms: int) -> Source | Refusal:
        if key is None:
            return Refusal("unauthorized")
        try:
            source = self.keys.find(hash_of(key), now_ms)
        except KeyStoreError:
            return Refusal("keys_unavailable", RETRY_AFTER_SECONDS)
        return source or Refusal("unauthorized")


def _text_of(request: Request, route: Route, bounds: Bounds) -> bytes | Refusal:
    if route.kind is Kind.PIXEL:
        data = pixel_data(request.query.get("data", ""))
        return data if isinstance(data, Refusal) else inflate(data, bounds.request_bytes)
    if isinstance(request.body, Refusal):
        return request.body
    return inflate(request.body, bounds.request_bytes)


def _receipt_of(
    request: Request, route: Route, source: Source, sent_ms: int | None, now_ms: int
) -> Receipt:
    agent = request.headers.get("user-agent")
    return Receipt(
        request_id=request.request_id,
        received_ms=now_ms,
        source_id=source.source_id,
        assurance=source.assurance,
        ip=request.ip,
        user_agent=agent[:LONGEST_USER_AGENT] if agent else None,
        sent_ms=sent_ms,
        is_import=route.kind is Kind.IMPORT,
        opt_outs=opt_outs_of(request.headers),
    )


def _refused(refusal: Refusal, route: str, source: Source | None = None) -> Outcome:
    source_id = source.source_id if source else None
    return Outcome(answer_of(refusal), route, refusal.code, source_id)


def _count(envelope: Envelope) -> dict[str, int]:
    counts: dict[str, int] = {}
    for rejected in envelope.rejected:
        counts[rejected.fault.code] = counts.get(rejected.fault.code, 0) + 1
    return counts


def _verdicts(envelope: Envelope) -> dict[str, object]:
    told: list[dict[str, object]] = [
        {"index": accepted.position, "accepted": True} for accepted in envelope.accepted
    ]
    for rejected in envelope.rejected:
        fault = rejected.fault
        told.append(
            {
                "index": rejected.position,
                "accepted": False,
                "code": fault.code,
                "path": fault.path,
                "message": fault.message,
            }
        )
    return {"verdicts": sorted(told, key=lambda one: str(one["index"]).zfill(6))}
