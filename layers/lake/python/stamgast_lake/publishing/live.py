"""Live rules while a run publishes: what bases keep for them, and who stands where after it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from stamgast.moments import ms_of
from stamgast.profile.store import Pair
from stamgast.segments.changes import MembershipChange
from stamgast.segments.language.windows import Now
from stamgast.segments.live.base import Sums, measured_of, measured_seen
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.rules import LiveRules
from stamgast.segments.live.visit import Decided
from stamgast_lake.logs import keep
from stamgast_lake.publishing.work import Task, UntoldError
from stamgast_lake.rules.edited import asked
from stamgast_lake.rules.sums import SumsOfAnchors

DECIDED = """
    select * from changed_membership where person_id in (select person_id from page_person)
"""
SPOKEN_OF = """
    select distinct person_id from changed_membership
    where person_id in (select person_id from page_person)
"""
NOTHING = Sums()


@dataclass(slots=True)
class LiveBases:
    """What the bases of one phase keep for live rules; `is_new` says that all anchors matter."""

    rules: LiveRules
    moment: Now
    sums: SumsOfAnchors
    is_new: bool

    @classmethod
    def begun(cls, task: Task) -> "LiveBases | None":
        """Begins a phase: measures that no rule asks for are covered no more."""
        rules = task.publisher.live
        if rules is None:
            return None
        moment = Now(ms_of(task.run.moment), rules.plan.zone)
        known = rules.store.coverage()
        ids = {tracked.id for tracked in rules.plan.tracked}
        kept = {name: run for name, run in known.since.items() if name in ids}
        if kept != known.since:
            rules.store.put_coverage(replace(known, since=kept))
        sums = SumsOfAnchors(task.engine, rules.plan, moment)
        return cls(rules, moment, sums, is_new=kept.keys() != ids)

    def finish(self, run: int) -> None:
        """From here on bases hold every measure: readers need not wait for the next run."""
        known = self.rules.store.coverage()
        since = {t.id: known.since.get(t.id, run) for t in self.rules.plan.tracked}
        self.rules.store.put_coverage(replace(known, since=since))

    def page(self) -> dict[str, Sums]:
        """The sums of the anchors of `page_anchor`."""
        return self.sums.page() if self.rules.plan.tracked else {}

    def measured(self, sums: Mapping[str, Sums], anchor: str) -> dict[str, Any]:
        """What the base of an anchor keeps."""
        return measured_of(sums.get(anchor, NOTHING), self.rules.plan, self.moment)

    def is_seen(self, pair: Pair, measured: Mapping[str, Any]) -> bool:
        """Whether a reader sees the same already."""
        return measured_seen(pair.live, pair.base, self.rules.plan, self.moment) == measured


def settle_anchors(task: Task, rules: LiveRules, anchors: Iterable[str]) -> None:
    """Settles the persons of anchors whose base is another one now; needs `changed_membership`.

    Not those whom the run has something to say of: they are settled when it is said.
    """
    people = set(rules.store.persons_of(anchors).values())
    if left := people - _spoken_of(task, people):
        settle_people(task, left)


def _spoken_of(task: Task, people: Collection[str]) -> set[str]:
    if not people:
        return set()
    keep(task.engine, "page_person", pa.table({"person_id": sorted(people)}))
    return {person_id for (person_id,) in task.engine.execute(SPOKEN_OF).fetchall()}


def settle_people(task: Task, people: Collection[str]) -> None:
    """Settles persons, with what the run decided of them; needs `changed_membership`.

    Whoever was cut meanwhile waits for a run that knows it. Raises UntoldError for what the bus
    does not take, or what stayed contended.
    """
    rules = task.publisher.live
    if rules is None:
        return
    people = set(people) - task.parted(people)
    keep(task.engine, "page_person", pa.table({"person_id": sorted(people)}))
    decided: defaultdict[str, list[Decided]] = defaultdict(list)
    for *row, is_fresh in task.engine.execute(DECIDED).fetchall():
        decided[row[0]].append(Decided(MembershipChange(*row), is_fresh))
    settled = rules.settle(people, decided, task.run.seq)
    task.figures["memberships"] += settled.changed
    task.figures["memberships_told"] += len(settled.told)
    if settled.failed:
        raise UntoldError(f"memberships of {len(settled.failed)} persons are not settled or told")


def close_coverage(task: Task) -> None:
    """Notes as of when the rows that only runs write are."""
    rules = task.publisher.live
    if rules is not None:
        moment_ms = ms_of(task.run.moment)
        known, told = rules.store.coverage(), asked(task.publisher.lake) or {}
        rules.store.put_coverage(Coverage(known.since, task.run.seq, moment_ms, told))
