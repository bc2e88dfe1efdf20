"""Plans of erasures: counted behind the answer, kept for a day among the exports."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from stamgast.erasure.subject import Subject
from stamgast_aws.json_documents import JsonDocuments

FRESH_MS = 15 * 60 * 1000


class StoredPlans:
    """Begins to count what the stores hold of a person, and tells it once that is done.

    A plan is known by the keys of its identifiers; asked for again it is the same plan for a
    quarter of an hour, which is also how long the counting may take.
    """

    def __init__(
        self,
        s3: Any,
        bucket: str,
        begin: Callable[[str], None],
        count: Callable[[Subject], dict[str, Any]],
        now_ms: Callable[[], int],
    ) -> None:
        self._documents, self._now_ms = JsonDocuments(s3, bucket), now_ms
        self._begin, self._count = begin, count

    def ask(self, subject: Subject) -> Mapping[str, Any] | None:
        """The counts; None while they are being made."""
        plan_id = _id(subject)
        told, now_ms = self._documents.read(_place(plan_id)), self._now_ms()
        if told is not None and now_ms - told["asked_ms"] < FRESH_MS:
            counts: Mapping[str, Any] | None = told.get("counts")
            return counts
        self._documents.write(_place(plan_id), {"asked_ms": now_ms, "values": dict(subject.values)})
        self._begin(plan_id)
        return None

    def make(self, plan_id: str) -> bool:
        """Counts for a plan that was asked for; False if there is nothing left to count.

        The identifiers are taken away first, with the version of the document that had them: else
        the plan itself would be found to hold them, also by the search for who was erased before.
        """
        told = self._documents.read(_place(plan_id))
        if told is None or "values" not in told:
            return False
        asked = {"asked_ms": told["asked_ms"]}
        self._documents.write(_place(plan_id), asked)
        self._documents.forget_older(_place(plan_id))
        values = told["values"]
        counts = self._count(Subject("plan", told["asked_ms"], frozenset(values), values))
        self._documents.write(_place(plan_id), {**asked, "counts": counts})
        return True


def _id(subject: Subject) -> str:
    return sha256("\n".join(sorted(subject.keys)).encode()).hexdigest()[:32]


def _place(plan_id: str) -> str:
    return f"exports/plan-{plan_id}/plan.json"
