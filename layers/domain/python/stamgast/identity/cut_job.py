"""A cut or a lift as a job that `control` keeps until it is carried out and told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from stamgast.identity.decision import Decision, Verdict
from stamgast.identity.edge import Pair
from stamgast.identity.star import Star
from stamgast.identity.store import JobStore


@dataclass(frozen=True, slots=True)
class CutJob:
    """What was asked, what is to be archived for it, and who the identifiers were before.

    `lines` and `stars` hold values of identifiers: they go when the job is closed with its report.
    `before` leads from each identifier that existed to its person.
    """

    job_id: str
    verdict: Verdict
    pairs: tuple[Pair, ...]
    at_ms: int
    by: str
    reason: str
    decisions: tuple[Decision, ...] = ()
    lines: tuple[str, ...] = field(default=(), repr=False)
    stars: tuple[Star, ...] = field(default=(), repr=False)
    before: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be carried out."""
        return self.report is None

    @property
    def keys(self) -> list[str]:
        """The identifiers that it names."""
        return sorted({key for pair in self.pairs for key in pair})

    @property
    def because(self) -> str:
        """What changes of identity are told to come from: its first message."""
        return self.stars[0].because if self.stars else self.job_id


class CutStore(JobStore, Protocol):
    """What cuts need on top of corrections: their jobs, and the decisions."""

    def open_cut(self, job: CutJob) -> CutJob:
        """Keeps a job; the one that stands under its id: open, or ended after it decided."""
        ...

    def read_cut(self, job_id: str) -> CutJob | None:
        """A job of this id, open or closed."""
        ...

    def open_cuts(self) -> list[str]:
        """The ids of the jobs that are open."""
        ...

    def recent_cuts(self, most: int) -> list[CutJob]:
        """The open jobs, then those closed last."""
        ...

    def close_cut(self, job: CutJob, report: Mapping[str, Any]) -> None:
        """Keeps the report of a job that was carried out, and forgets what it named."""
        ...

    def decide(self, decision: Decision) -> bool:
        """Keeps a decision; False if a newer one about its pair stands."""
        ...


def job_id_of(
    verdict: Verdict, pairs: Sequence[Pair], newest: Mapping[Pair, Decision], is_repair: bool
) -> str:
    """The same for the same request of the same state, so that a request repeated is one job."""
    told = [(pair, newest[pair].message_id if pair in newest else "") for pair in sorted(pairs)]
    content = repr((verdict.value, told, is_repair))
    return f"{verdict.value}-{sha256(content.encode()).hexdigest()[:20]}"


def job_of(decision: Decision) -> str:
    """The id of the job that made a decision."""
    return decision.message_id.rpartition(".")[0]
