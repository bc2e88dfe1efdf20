"""A request to cut or to lift: which pairs it is about, and the job that carries it out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from stamgast.identity.cut_job import CutJob, CutStore, job_id_of, job_of
from stamgast.identity.cuts import (
    as_cut,
    as_decided,
    held_together,
    is_carried_out,
    leaving_pairs,
)
from stamgast.identity.decision import Decision, Verdict
from stamgast.identity.decision_message import record_of, star_of_decision
from stamgast.identity.edge import Pair
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.identifiers import Identifier
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.next_run import Around, NextRun, look_around, next_run
from stamgast.identity.partition import Partition, partition
from stamgast.identity.root import Root
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

    def leaving(self, keys: Collection[str], *, is_alone: bool = False) -> set[Pair]:
        """The pairs to cut so that these identifiers leave; none where nothing stays with them.

        With `is_alone` those, too, by which the next run would join them to others.
        """
        found = self.survey(keys)
        pairs = leaving_pairs(found, set(keys)) if found else set()
        if found and is_alone:
            pairs = self._alone(found, keys, pairs)
        if len(pairs) > MOST_PAIRS:
            raise TooManyPairsError(f"{len(pairs)} links cross")
        return pairs

    def _alone(self, found: Survey, keys: Collection[str], pairs: set[Pair]) -> set[Pair]:
        """A link that is cut may let another join: until none does, or they are too many."""
        around = self._around(found, pairs)
        while len(pairs) <= MOST_PAIRS:
            now = as_cut(found, pairs, self.settings)
            gone = {one for key in keys if key in now.goal for one in _with(key, now)}
            more = self._foreseen(around, now.targets, pairs).leading(gone) - pairs
            if not more:
                break
            pairs = pairs | more
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
        if verdict is Verdict.CUT:
            return found, as_cut(found, pairs, self.settings)
        would_be = as_decided(held_together(found), pairs, verdict)
        return found, partition(would_be, self.settings)

    def next_run(self, found: Survey, now: Mapping[str, Root], pairs: Collection[Pair]) -> NextRun:
        """What the next run joins once these pairs are cut and the persons found stand as `now`."""
        return self._foreseen(self._around(found, pairs), now, pairs)

    def after(self, pairs: Collection[Pair]) -> NextRun:
        """What the next run joins of the persons of these pairs, which were cut."""
        try:
            found = self.survey({key for pair in pairs for key in pair}, pairs)
        except BusyError:
            return NextRun((), is_whole=False)
        if found is None:
            return NextRun((), is_whole=True)
        return self._foreseen(self._around(found, pairs), found.roots, ())

    def _around(self, found: Survey, pairs: Collection[Pair]) -> Around:
        def read(keys: Collection[str]) -> Survey | None:
            try:
                return self.survey(keys, pairs)
            except BusyError:
                return None

        return look_around(read, found)

    def _foreseen(
        self, around: Around, now: Mapping[str, Root], pairs: Collection[Pair]
    ) -> NextRun:
        decided = replace(around, found=as_decided(around.found, pairs, Verdict.CUT))
        return next_run(decided, now, self.settings)

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


def _with(key: str, plan: Partition) -> Collection[str]:
    """The identifiers of the person that this one is of."""
    return plan.targets[plan.goal[key]].members.keys()


__all__ = ["MOST_PAIRS", "BusyError", "Order", "Requests", "TooManyPairsError"]
