"""Carrying out requests: all open ones together, under the lease of runs, each step repeatable.

A pass for which there is too little time notes how far it came and raises OutOfTimeError; the same
call goes on there. What nobody has gone on with for a quarter of an hour is begun anew.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from stamgast.egress.disclosure import Disclosure, explained_to
from stamgast.erasure.certificate import Sign, certificate_of, signed
from stamgast.erasure.envelopes import EnvelopeErasure, mentions
from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import AGAIN, SEARCHES, Kind, RightsRequest, RightsStore, State
from stamgast.erasure.subject import Subject, gone_person
from stamgast.erasure.tombstones import Tombstone
from stamgast.identity.keys import Keyring
from stamgast.moments import moment_of
from stamgast_lake.erasure.archive import tombstones_of
from stamgast_lake.erasure.came_back import CameBack
from stamgast_lake.erasure.lease import Lease
from stamgast_lake.erasure.progress import IsLate, OutOfTimeError, Progress, never
from stamgast_lake.erasure.proof import DeadLetters, Search, Searched, Tables
from stamgast_lake.erasure.record import page_of, portable, record_of
from stamgast_lake.erasure.sweep import Sweep
from stamgast_lake.lake import Lake

PROOF, BATCH = "proof", "batch"


@dataclass(frozen=True, slots=True)
class RightsWork:
    """What carries requests out; `settle` waits until nothing judged before is under way.

    `tell` calls back those who asked for it; it returns the requests as they stand then. `audit`
    keeps who was shown whom.
    """

    lake: Lake
    live: Tables
    dead_letters: DeadLetters
    requests: RightsStore
    lease: Lease
    put_tombstones: Callable[[Sequence[Tombstone]], None]
    sign: Sign
    now_ms: Callable[[], int]
    settle: Callable[[], None]
    tell: Callable[[Sequence[RightsRequest]], Sequence[RightsRequest]]
    audit: Callable[[str, Sequence[Disclosure]], None]

    def plan(self, subject: Subject) -> dict[str, Any]:
        """How much of the person each store holds; nothing is written."""
        sweep = self._sweep("plan", 0, self.now_ms())
        whole = self._resolve(sweep, subject)
        counts = {**sweep.count([whole]).counts(), **self.live.search(whole)}
        waiting = mentions((body for _, body in self.dead_letters.messages()), needles_of([whole]))
        counts["EventsDeadLetters"] = waiting
        return {
            "identifiers": len(whole.keys),
            "persons": len(whole.persons),
            "others_touched": len(whole.others),
            "found": sum(counts.values()),
            "stores": {name: count for name, count in sorted(counts.items()) if count},
        }

    def carry_out(
        self, request_ids: Sequence[str], is_late: IsLate = never, by: str = ""
    ) -> dict[str, str]:
        """Works on these requests; returns their states. What cannot be done now stays open.

        `by` names the pass: who goes on with it does so under the same name, and another waits.
        """
        found = [one for one in map(self.requests.read, request_ids) if one is not None]
        answers = Progress(is_late=is_late)
        for one in found:
            if one.kind is not Kind.ERASURE and one.state in (State.PENDING, State.IN_PROGRESS):
                self._answer(one)
                answers.note(one.request_id, {})
        erasures = [one for one in found if one.kind is Kind.ERASURE and one.is_open]
        waiting = [one for one in erasures if not one.is_unproven]
        for batch, some in self._batches(waiting).items():
            self._erase(batch, some, is_late, by)
        states = [(one, self.requests.read(one.request_id)) for one in found]
        self.tell([now for _, now in states if now is not None])
        return {one.request_id: (now or one).state.value for one, now in states}

    def prove(self, is_late: IsLate = never) -> int:
        """Reads every byte for all erasures that wait for it together; how many were proven."""
        done = set[str]()
        while waiting := self._unproven(done):
            progress = self._progress(PROOF, is_late)
            first = progress.step("requests", lambda: {"ids": sorted(waiting)})["ids"]
            subjects = {name: waiting[name] for name in first if name in waiting}
            if subjects:
                self._prove(subjects, progress)
            self.requests.forget(PROOF)
            done |= subjects.keys()
        self.requests.forget(PROOF)  # a pass may have ended with the last certificate
        return len(done)

    def _unproven(self, done: Collection[str]) -> dict[str, Subject]:
        """Who waits for a search, but for those that this pass has searched for."""
        read = map(self.requests.read, self.requests.open_ids())
        waiting = [one for one in read if one is not None and one.is_unproven]
        kept = {one.request_id: self._kept(one) for one in waiting if one.request_id not in done}
        return {name: one for name, one in kept.items() if one is not None}

    def _prove(self, subjects: Mapping[str, Subject], progress: Progress) -> None:
        sweep = self._sweep("proof", 0, self.now_ms(), progress)
        sweep.clear_results(())  # a query that began before the erasure may have ended after it
        search = Search(sweep, self.live, self.dead_letters)
        told = progress.step("together", lambda: search.together(subjects).to_dict())
        together = Searched.of(told)
        for name, subject in subjects.items():
            request = self.requests.read(name)
            if request is None or not request.is_unproven:
                continue
            alone = search.alone(subject, together, len(subjects))
            searched = self._judged(request, subject, search, alone)
            self._keep(request, subject, searched.seen)
            self._certify(request, searched)
            progress.note(name, {})

    def _judged(
        self, request: RightsRequest, subject: Subject, search: Search, told: Searched
    ) -> Searched:
        """What a search found of a person, without what was said since by who came back."""
        founded = self.live.founded(subject.keys).items() if any(told.remaining.values()) else ()
        back = frozenset(key for key, at_ms in founded if at_ms > request.until_ms)
        if not back:
            return told
        at_erasure = replace(search, sweep=self._sweep("proof", 0, request.until_ms))
        return CameBack(at_erasure, subject, back, request.done_ms).judged(told)

    def is_found_again(self) -> bool:
        """Whether a first search has just found something that the next pass can take out."""
        found = map(self.requests.read, self.requests.open_ids())
        return any(one is not None and one.is_searched_once for one in found)

    # access and portability

    def _answer(self, request: RightsRequest) -> None:
        begun = request.begun(self.now_ms())
        if request.state is State.PENDING and not self.requests.replace(request, begun):
            return
        sweep = self._sweep(request.request_id, 0, self.now_ms())
        whole = self._resolve(sweep, Subject(request.request_id, 0, frozenset(request.keys)))
        record = record_of(self.lake, whole, self.now_ms())
        told = portable(record) if request.kind is Kind.PORTABILITY else record
        self._put(request, "record.json", orjson.dumps(told, default=str))
        self._put(request, "record.html", page_of(told).encode())
        shown = [
            explained_to(request.by, request.kind.value, person, self.now_ms())
            for person in sorted(whole.persons)
        ]
        self.audit(request.request_id, shown)
        counts = {name: len(rows) for name, rows in told.items() if isinstance(rows, list)}
        self.requests.forget(request.request_id)
        self.requests.replace(begun, begun.completed(self.now_ms(), {"counts": counts}))

    def _put(self, request: RightsRequest, name: str, body: bytes) -> None:
        key = f"exports/{request.request_id}/{name}"
        self.lake.s3.put_object(Bucket=self.lake.bucket, Key=key, Body=body)

    # erasure

    def _batches(self, requests: Sequence[RightsRequest]) -> dict[str, list[RightsRequest]]:
        """Requests that a pass has begun together stay together; the others are a batch as well.

        What tables held of a batch is written down under its name.
        """
        batches, new = dict[str, list[RightsRequest]](), list[RightsRequest]()
        for one in requests:
            batch = (self.requests.document(one.request_id) or {}).get(BATCH)
            (new if batch is None else batches.setdefault(batch, [])).append(one)
        return batches | ({f"erasure-{new[0].request_id}": new} if new else {})

    def _erase(
        self, batch: str, requests: Sequence[RightsRequest], is_late: IsLate, by: str
    ) -> None:
        """Tombstones first: from then on nothing of the persons comes in."""
        progress = self._progress(batch, is_late)
        told = (self._begin(request, batch, progress) for request in requests)
        begun = [one for one in told if one is not None]
        if not begun:
            return
        begun = list(self.tell(begun))
        progress.step("settle", self.settle)
        holder = holder_of(batch, by)
        seq = self.lease.acquire(holder)
        if seq is None:
            progress.write()
            return
        leave = self.lease.release
        try:
            self._sweep_all(batch, seq, begun, progress)
        except OutOfTimeError:
            leave = self.lease.renew  # no run comes between this pass and the one that goes on
            raise
        finally:
            leave(holder, seq)

    def _begin(
        self, request: RightsRequest, batch: str, progress: Progress
    ) -> RightsRequest | None:
        begun = request.begun(self.now_ms())
        if request.state is State.PENDING and not self.requests.replace(request, begun):
            return None  # it was withdrawn, or another works on it
        progress.step(f"begin {request.request_id}", lambda: self._barred(begun, batch))
        return begun

    def _barred(self, begun: RightsRequest, batch: str) -> None:
        """Resolves the person, and sets the tombstones."""
        kept = self._kept(begun)
        named = self._named(begun) if kept is None else kept
        sweep = self._sweep(begun.request_id, 0, begun.until_ms)
        # What others wrote: where a search found something, or a drill read a value in texts.
        if begun.was_searched or (begun.regulation == AGAIN and named.values):
            named = replace(named, apart=named.apart | sweep.strangers(named))
        whole = replace(self._resolve(sweep, named), until_ms=begun.until_ms)
        self._keep(begun, whole, self._seen(begun), batch)
        self.put_tombstones(list(tombstones_of([whole]).values()))

    def _sweep_all(
        self, batch: str, seq: int, begun: Sequence[RightsRequest], progress: Progress
    ) -> None:
        sweep = self._sweep(batch, seq, max(one.until_ms for one in begun), progress)
        subjects = [self._whole(one, batch, sweep) for one in begun]
        self.lake.tombstones.put_gone(unsalted(subjects, self.lake.keyring()))
        live = [self._erased_live(subject, progress) for subject in subjects]
        swept = sweep.sweep(subjects, {key for one in begun for key in self._seen(one)})
        letters = progress.step("letters", lambda: {"found": self._erased_letters(subjects)})
        sweep.forget()
        self.requests.forget(batch)
        report = {"batch": len(begun), "recomputes": swept.recomputes, **_counted(swept.counts())}
        for one, subject, items in zip(begun, subjects, live, strict=True):
            self._keep(one, subject, ())
            counts = {**swept.counts(), **items, "EventsDeadLetters": letters["found"]}
            found = Counter(one.report.get("stores", {})) + Counter(counts)
            told = {**report, **_counted(found), **_searched(one)}
            done = one.completed(one.done_ms or self.now_ms(), told)
            self.requests.replace(one, done)

    def _whole(self, request: RightsRequest, batch: str, sweep: Sweep) -> Subject:
        """The person, with what came in since the tombstones and may have founded others."""

        def resolved() -> None:
            if (kept := self._kept(request)) is not None:
                seen = self._seen(request)
                self._keep(request, self._resolve(sweep, kept), seen, batch)

        sweep.progress.step(f"resolve {request.request_id}", resolved)
        kept = self._kept(request)
        assert kept is not None, "the document of a request goes with its proof alone"
        return kept

    def _erased_live(self, subject: Subject, progress: Progress) -> Mapping[str, int]:
        return progress.step(f"live {subject.request_id}", lambda: dict(self.live.erase(subject)))

    def _erased_letters(self, subjects: Sequence[Subject]) -> int:
        settings, keyring = self.lake.workspace().identity, self.lake.keyring()
        tombstones, needles = tombstones_of(subjects), needles_of(subjects)
        return self.dead_letters.erase(EnvelopeErasure(tombstones, needles, settings, keyring).left)

    # proof

    def _certify(self, request: RightsRequest, searched: Searched) -> None:
        unsigned = certificate_of(
            request_id=request.request_id,
            until_ms=request.until_ms,
            unreachable_ms=request.done_ms,
            proven_ms=self.now_ms(),
            removed=request.report.get("stores", {}),
            remaining=searched.remaining,
            searched=searched.read,
            came_back=searched.came_back,
        )
        certificate = signed(unsigned, self.sign)
        is_clean = not unsigned["remaining"]
        told = {"certificate": certificate}
        done = request.proven(self.now_ms(), told) if is_clean else request.reopened(told)
        if self.requests.replace(request, done) and is_clean:
            self.requests.forget(request.request_id)

    # what both need

    def _sweep(
        self, batch: str, seq: int, until_ms: int, progress: Progress | None = None
    ) -> Sweep:
        moment, progress = moment_of(self.now_ms()), progress or Progress()
        return Sweep(self.lake, batch, seq, until_ms, moment, progress)

    def _progress(self, name: str, is_late: IsLate) -> Progress:
        """How far a pass of this name has come, where somebody is still at it."""
        told = self.requests.document(name)
        return Progress.of(
            told, lambda steps: self.requests.keep(name, steps), is_late, self.now_ms
        )

    def _resolve(self, sweep: Sweep, subject: Subject) -> Subject:
        """The whole person: what the live view knows, what the lake knows, and both together."""
        return self.live.resolve(sweep.resolve(self.live.resolve(subject)))

    def _named(self, request: RightsRequest) -> Subject:
        values = (self.requests.document(request.request_id) or {}).get("values", {})
        return Subject(request.request_id, request.until_ms, frozenset(request.keys), values)

    def _keep(
        self, request: RightsRequest, subject: Subject, seen: Sequence[str], batch: str = ""
    ) -> None:
        told: dict[str, Any] = {"subject": subject.to_json().decode(), "objects": list(seen)}
        told |= {BATCH: batch} if batch else {}
        self.requests.keep(request.request_id, told)
        now = self.requests.read(request.request_id)
        if now is None or not now.is_open:  # another pass has proven it meanwhile, and forgot this
            self.requests.forget(request.request_id)

    def _seen(self, request: RightsRequest) -> Sequence[str]:
        """The raw objects and dropped files in which the last search found something."""
        objects = (self.requests.document(request.request_id) or {}).get("objects", ())
        return tuple(map(str, objects))

    def _kept(self, request: RightsRequest) -> Subject | None:
        document = self.requests.document(request.request_id) or {}
        return Subject.from_json(document["subject"].encode()) if "subject" in document else None


def _searched(request: RightsRequest) -> dict[str, Any]:
    """The certificate of a search that found something, until the next one takes its place."""
    kept = ("certificate", SEARCHES)
    return {name: request.report[name] for name in kept if name in request.report}


def holder_of(batch: str, by: str) -> str:
    """Who holds the lease of runs: one pass over a batch, and whoever goes on with that pass."""
    return f"{batch} {by}".rstrip()


def unsalted(subjects: Sequence[Subject], keyring: Keyring) -> set[str]:
    """What is remembered of persons whose salts are gone: hashes, for a backup may hold them."""
    persons = {person for subject in subjects for person in subject.persons}
    return {gone_person(person, keyring) for person in persons}


def _counted(counts: Mapping[str, int]) -> dict[str, Any]:
    found = {name: count for name, count in sorted(counts.items()) if count}
    return {"stores": found, "found": sum(found.values())}
