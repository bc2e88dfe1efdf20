"""Whom cuts concerned of late, and all that each of them is by now."""

from typing import Any

from stamgast.identity.root import RootState
from stamgast_aws.cut_store import DynamoCutStore
from stamgast_aws.jitter import full_jitter


class RecentCuts:
    """The port `Cuts` over `control` and the live view; what a cut concerned is read once."""

    def __init__(self, store: DynamoCutStore) -> None:
        self._store = store
        self._persons: dict[str, frozenset[str]] = {}

    def __call__(self, since_ms: int) -> dict[str, frozenset[str]]:
        """The members of each person that an identifier was cut from since, those that stand."""
        persons = {one for job in self._store.cuts_since(since_ms) for one in self._before(job)}
        roots, _ = self._store.read_persons(sorted(persons))
        return {
            person_id: frozenset(root.members)
            for person_id, root in roots.items()
            if root.state is RootState.ACTIVE
        }

    def _before(self, job_id: str) -> frozenset[str]:
        if job_id not in self._persons:
            job = self._store.read_cut(job_id)
            self._persons[job_id] = frozenset(() if job is None else job.before.values())
        return self._persons[job_id]


def recent_cuts(client: Any, profiles: str, control: str) -> RecentCuts:
    """The same over these tables."""
    return RecentCuts(DynamoCutStore(client, profiles, control, full_jitter))
