"""The way of a cut or a lift: archived, decided, applied to the live persons, checked, told."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from stamgast.identity.changes import MOST_LOCKED, apply, change_of, decisions_of
from stamgast.identity.corrections import finish_jobs, old_roots
from stamgast.identity.cut_job import CutJob, CutStore
from stamgast.identity.cuts import held_together, is_carried_out, standing
from stamgast.identity.decision import Verdict
from stamgast.identity.edge import Pair
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.live import mint_apart
from stamgast.identity.partition import Partition, partition
from stamgast.identity.plan import Cause, IdentityChange
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.store import Pause, PutRoot, StoreError, Write
from stamgast.identity.survey import Survey, survey

TRIES = 12
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 1.0


class Archive(Protocol):
    """Where lines go before anything follows from them."""

    def put(self, lines: Sequence[tuple[str, bytes]]) -> set[str]:
        """Archives the lines, each with its name; the names of those that were not."""
        ...


@dataclass(frozen=True, slots=True)
class Cutter:
    """Carries out jobs; `tell` hands changes of identity on, `is_time_left` ends the tries."""

    store: CutStore
    archive: Archive
    settings: IdentitySettings
    tell: Callable[[Sequence[IdentityChange]], int]
    pause: Pause
    is_time_left: Callable[[], bool] = lambda: True

    def carry_out(self, job: CutJob) -> CutJob:
        """Brings a job to its end, or leaves it open where others were faster at every try.

        Every step may be repeated, by several at once. Raises StoreError if the store or the
        archive does not answer: the job stays, and is taken up again.
        """
        if not job.is_open:
            return job
        self._archive(job)
        for decision in job.decisions:
            self.store.decide(decision)
        minted = [mint_apart(self.store, star, self.pause) for star in job.stars]
        untold = self.tell([change for one in minted for change in one.changes])
        report = self._settle(job)
        if report is None:
            return job
        report["untold"] = untold + self.tell(list(_changes(job, report)))
        self.store.close_cut(job, report)
        return replace(job, report=report)

    def _archive(self, job: CutJob) -> None:
        lines = [(job.job_id, line.encode()) for line in job.lines]
        if lines and self.archive.put(lines):
            raise StoreError("a decision could not be archived")

    def _settle(self, job: CutJob) -> dict[str, Any] | None:
        """Tries until the post-condition holds by strong reads; what was then read."""
        for attempt in range(TRIES):
            if not self.is_time_left():
                return None
            if attempt:
                self.pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))
            found = self._survey(job.keys, job, follows=job.verdict is Verdict.LIFT)
            if found is None:
                finish_jobs(self.store, self.pause)
                continue
            wanted = standing(found, job.pairs, job.verdict)
            if is_carried_out(found, wanted, job.verdict):
                return _report(found, job, wanted)
            self._step(found, job, wanted)
        return None

    def _survey(self, keys: Collection[str], job: CutJob, *, follows: bool) -> Survey | None:
        return survey(
            self.store,
            EvidenceInMemory(),
            keys,
            self.settings,
            follows=follows,
            about=job.pairs,
        )

    def _step(self, found: Survey, job: CutJob, wanted: Sequence[Pair]) -> None:
        """One change towards the post-condition; what became of it is read again."""
        if job.verdict is Verdict.LIFT:
            if not self._rearrange(found):
                self._mark(found)
            return
        shared = {key for a, b in wanted if found.home[a] == found.home[b] for key in (a, b)}
        if not shared:
            self._mark(found)
            return
        inside = self._survey(shared, job, follows=False)
        if inside is not None:
            self._rearrange(inside)

    def _mark(self, found: Survey) -> None:
        """Brings the cannot-links onto the persons that there are, or off them; moves nobody."""
        targets = {
            root.person_id: replace(
                root, cannot_links=frozenset(c for c in found.cuts if root.members.keys() & set(c))
            )
            for root in found.roots.values()
        }
        guards = decisions_of(found, Partition(targets, {}, {}))
        roots = [
            PutRoot(replace(root, version=root.version + 1), (root.version, root.state))
            for person_id, root in targets.items()
            if root != found.roots[person_id]
        ]
        writes: list[Write] = [*guards, *roots]
        if roots and len(writes) <= MOST_LOCKED:
            self.store.commit(writes)

    def _rearrange(self, found: Survey) -> bool:
        """Makes the persons of these identifiers what their evidence says; False if it cannot.

        What holds them together where only the lake knows why is no evidence, and is not kept.
        """
        plan = partition(held_together(found), self.settings)
        if plan.clashes:
            return False
        old = old_roots(self.store, found, plan)
        if old is None:
            return True
        change = change_of(found, plan, old, None)
        if len(change.guards) > MOST_LOCKED:
            return False
        change = replace(change, drops=tuple(self.store.rows_of(change.final)))
        if not apply(self.store, change, self.pause):
            # Whoever opened this very change may have died before its first lock, which all see.
            finish_jobs(self.store, self.pause)
        return True


def _report(found: Survey, job: CutJob, wanted: Sequence[Pair]) -> dict[str, Any]:
    """What stands after a job: the persons of the identifiers that it names, read strongly."""
    homes = {key: found.home[key] for key in job.keys}
    return {
        "persons": [
            {
                "person_id": person_id,
                "founded_ms": root.born.received_ms,
                "identifiers": sorted(root.members),
                "anchors": sorted(root.anchors),
                "cannot_links": sorted(map(list, root.cannot_links)),
            }
            for person_id, root in sorted(found.roots.items())
            if person_id in homes.values()
        ],
        "homes": homes,
        "holds": is_carried_out(found, wanted, job.verdict),
        "superseded": [list(pair) for pair in job.pairs if pair not in wanted],
    }


def _changes(job: CutJob, report: Mapping[str, Any]) -> Iterator[IdentityChange]:
    """The changes to announce: persons that came apart, or one that was merged into another."""
    after: Mapping[str, str] = report["homes"]
    was = {key: person_id for key, person_id in job.before.items() if key in after}
    for a, b in job.pairs:
        if job.verdict is Verdict.LIFT and a in was and b in was:
            for old in sorted({was[a], was[b]} - {after[a], after[b]}):
                yield IdentityChange(Cause.MERGED, old, job.because, after[a])
    if job.verdict is Verdict.LIFT:
        return
    apart = {
        person_id
        for a, b in job.pairs
        if a in was and was.get(a) == was.get(b) and after[a] != after[b]
        for person_id in (after[a], after[b])
    }
    for person_id in sorted(apart):
        yield IdentityChange(Cause.SPLIT, person_id, job.because)


def resume_cuts(cutter: Cutter) -> int:
    """Takes up every open job; returns how many were brought to their end.

    One that the store or the archive does not answer for stays open, and hinders no other.
    """
    ended = 0
    for job_id in cutter.store.open_cuts():
        job = cutter.store.read_cut(job_id)
        if job is None or not cutter.is_time_left():
            continue
        try:
            ended += not cutter.carry_out(job).is_open
        except StoreError:
            continue
    return ended
