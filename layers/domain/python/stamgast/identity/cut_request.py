"""A request to cut or to lift: which pairs it is about, and the job that carries it out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stamgast.identity.cut_job import CutJob, CutStore, job_id_of, job_of
from stamgast.identity.cuts import as_decided, held_together, is_carried_out, leaving_pairs
from stamgast.identity.decision import Decision, Verdict
from stamgast.identity.decision_message import record_of, star_of_decision
from stamgast.identity.edge import Pair
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.identifiers import Identifier
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.partition import Partition, partition
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.store import Pause
from stamgast.identity.survey import Survey, survey
from stamgast.identity.view import read_view

READ_TRIES, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10, 0.02, 0.5
MOST_PAIRS = 25


class BusyError(Exception):
    """The persons of a request are being changed, and stayed so for as long as it was tried."""


class TooManyPairsError(Exception):
    """More links cross than one request cuts."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks for what: the token's name, a reason without personal data, the moment."""

    verdict: Verdict
    by: str
    reason: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class Requests:
    """Makes jobs of requests; reads the persons that they are about as they stand."""

    store: CutStore
    settings: IdentitySettings
    keyring: Keyring
    pause: Pause

    def leaving(self, keys: Collection[str]) -> set[Pair]:
        """The pairs to cut so that these identifiers leave; none where nothing stays with them."""
        found = self.survey(keys)
        pairs = leaving_pairs(found, set(keys)) if found else set()
        if len(pairs) > MOST_PAIRS:
            raise TooManyPairsError(f"{len(pairs)} links cross")
        return pairs

    def survey(
        self, keys: Collection[str], about: Collection[Pair] = (), *, follows: bool = False
    ) -> Survey | None:
        """The persons of those of the identifiers that exist; None if none does."""
        known = self.store.read_pointers(keys).keys()
        if not known:
            return None
        for attempt in range(READ_TRIES):
            if attempt:
                self.pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))
            found = survey(
                self.store, EvidenceInMemory(), known, self.settings, follows=follows, about=about
            )
            if found is not None:
                return found
        raise BusyError("a job holds these persons")

    def preview(self, pairs: Sequence[Pair], verdict: Verdict) -> tuple[Survey, Partition] | None:
        """The persons as they are and as they would be; None if no identifier exists."""
        keys = {key for pair in pairs for key in pair}
        found = self.survey(keys, pairs, follows=verdict is Verdict.LIFT)
        if found is None:
            return None
        would_be = as_decided(held_together(found), pairs, verdict)
        return found, partition(would_be, self.settings)

    def is_standing(self, pairs: Sequence[Pair], verdict: Verdict) -> bool:
        """Whether every one of these pairs is decided so already; true of none."""
        newest = self.store.read_decisions(pairs) if pairs else {}
        return not any(self._is_new(newest.get(pair), verdict) for pair in pairs)

    def job(
        self, pairs: Sequence[Pair], named: Mapping[str, Identifier], order: Order
    ) -> CutJob | None:
        """The job of a request, new or under way; None if there is nothing left to do."""
        newest = self.store.read_decisions(pairs)
        todo = [pair for pair in sorted(pairs) if self._is_new(newest.get(pair), order.verdict)]
        if not todo:
            return self._standing(pairs, newest, order)
        job_id = job_id_of(order.verdict, pairs, newest, is_repair=False)
        at_ms = max(order.now_ms, *(1 + told.at_ms for told in newest.values()), 0)
        decisions = tuple(
            Decision(pair, order.verdict, at_ms, f"{job_id}.{n}", order.by, order.reason)
            for n, pair in enumerate(todo)
        )
        return self.store.open_cut(self._new(job_id, pairs, order, decisions, named, at_ms))

    @staticmethod
    def _is_new(newest: Decision | None, verdict: Verdict) -> bool:
        """Whether a verdict changes anything: what was never cut cannot be lifted."""
        if newest is None:
            return verdict is Verdict.CUT
        return newest.verdict is not verdict

    def _standing(
        self, pairs: Sequence[Pair], newest: Mapping[Pair, Decision], order: Order
    ) -> CutJob | None:
        """An open job that decided so already; or one that repairs what does not stand so."""
        for decision in newest.values():
            job = self.store.read_cut(job_of(decision))
            if job is not None and job.is_open:
                return job
        if not newest or self._holds(newest.keys(), order.verdict):
            return None
        job_id = job_id_of(order.verdict, pairs, newest, is_repair=True)
        repair = self._new(job_id, tuple(newest), order, (), {}, order.now_ms)
        return self.store.open_cut(repair)

    def _holds(self, pairs: Collection[Pair], verdict: Verdict) -> bool:
        keys = {key for pair in pairs for key in pair}
        found = self.survey(keys)
        if found is None:
            return True
        there = [pair for pair in pairs if found.home.keys() >= set(pair)]
        return is_carried_out(found, there, verdict)

    def _new(
        self,
        job_id: str,
        pairs: Sequence[Pair],
        order: Order,
        decisions: tuple[Decision, ...],
        named: Mapping[str, Identifier],
        at_ms: int,
    ) -> CutJob:
        records = [record_of(one, [named[key] for key in one.pair]) for one in decisions]
        return CutJob(
            job_id,
            order.verdict,
            tuple(sorted(pairs)),
            at_ms,
            order.by,
            order.reason,
            decisions,
            tuple(record.to_json().decode() for record in records),
            tuple(
                star_of_decision(interpret(record, self.settings, self.keyring), self.keyring)
                for record in records
            ),
            self._persons({key for pair in pairs for key in pair}),
        )

    def _persons(self, keys: Collection[str]) -> dict[str, str]:
        """The person of each identifier there is, as one read shows them; else nobody's."""
        view = read_view(self.store, keys)
        return dict(view.home) if view else {}


__all__ = ["MOST_PAIRS", "BusyError", "Order", "Requests", "TooManyPairsError"]
