"""Cuts in the table `control`: the decisions about pairs, and the jobs that carry them out."""

from collections.abc import Mapping
from typing import Any

import orjson

from stamgast.identity.cut_job import CutJob
from stamgast.identity.decision import Decision, Verdict
from stamgast.identity.edge_codec import decision_attributes, decision_of
from stamgast.identity.star_codec import star_attributes, star_from
from stamgast.identity.store import StoreError
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed
from stamgast_aws.identity_items import query_partition
from stamgast_aws.identity_jobs import DynamoJobStore
from stamgast_aws.identity_writes import decision_key

CUTS, OPEN, CLOSED = "CUTS", "open#", "closed#"
KEPT_SECONDS = 400 * 24 * 3600
ABSENT = {"ConditionExpression": "attribute_not_exists(PK)"}
NOT_OPEN = {
    "ConditionExpression": "attribute_not_exists(PK) OR #state = :closed",
    "ExpressionAttributeNames": {"#state": "state"},
    "ExpressionAttributeValues": {":closed": typed("closed")},
}
NOT_NEWER = (
    "attribute_not_exists(PK) OR at_ms < :at_ms OR (at_ms = :at_ms AND message_id <= :message_id)"
)


class DynamoCutStore(DynamoJobStore):
    """The port `CutStore`: besides identity items and their jobs, cuts and decisions."""

    def open_cut(self, job: CutJob) -> CutJob:
        """Keeps a job and notes it as open; the one that stands where one was before it.

        One that decided is never opened anew: who asks so has read decisions that are older, and
        its message would be archived a second time with another moment.
        """
        item = {**_key(job.job_id), **item_of(_attributes(job))}
        put = {"TableName": self.control, "Item": item, **(ABSENT if job.decisions else NOT_OPEN)}
        note = {"TableName": self.control, "Item": _note(OPEN, job)}
        try:
            call(self.client.transact_write_items, TransactItems=[{"Put": put}, {"Put": note}])
        except StoreError:
            stands = self.read_cut(job.job_id)
            if stands is None or not (stands.is_open or job.decisions):
                raise
            return stands
        return job

    def read_cut(self, job_id: str) -> CutJob | None:
        """A job of this id, open or closed."""
        answer = call(
            self.client.get_item, TableName=self.control, Key=_key(job_id), ConsistentRead=True
        )
        return _job(job_id, attributes_of(answer["Item"])) if "Item" in answer else None

    def open_cuts(self) -> list[str]:
        """The ids of the jobs that are open."""
        notes = self.query(self.control, {"S": CUTS}, {"S": OPEN})
        return [item["SK"]["S"].rpartition("#")[2] for item in notes]

    def cuts_since(self, since_ms: int) -> list[str]:
        """The ids of the jobs that are open, and of those asked since that are closed."""
        since = {"S": f"{CLOSED}{max(since_ms, 0):015d}"}  # after which those that are open stand
        notes = query_partition(self.client, self.control, {"S": CUTS}, since=since)
        return [item["SK"]["S"].rpartition("#")[2] for item in notes]

    def recent_cuts(self, most: int) -> list[CutJob]:
        """The open jobs, then those closed last."""
        closed = self._closed(most)
        ids = [*self.open_cuts(), *(item["SK"]["S"].rpartition("#")[2] for item in closed)]
        found = (self.read_cut(job_id) for job_id in dict.fromkeys(ids))
        return [job for job in found if job is not None][:most]

    def _closed(self, most: int) -> list[Item]:
        answer = call(
            self.client.query,
            TableName=self.control,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={":pk": typed(CUTS), ":prefix": typed(CLOSED)},
            ScanIndexForward=False,
            Limit=most,
        )
        items: list[Item] = answer["Items"]
        return items

    def close_cut(self, job: CutJob, report: Mapping[str, Any]) -> None:
        """Keeps the report for 400 days, and forgets the values that the job named."""
        expiry = {"ttl": typed(int(self.now()) + KEPT_SECONDS)}
        told = {**_attributes(job), "state": "closed", "lines": [], "stars": []}
        told["report"] = orjson.dumps(report).decode()
        closed = {
            "TableName": self.control,
            "Item": {**_key(job.job_id), **item_of(told), **expiry},
            "ConditionExpression": "at_ms = :at_ms",
            "ExpressionAttributeValues": {":at_ms": typed(job.at_ms)},
        }
        note = {"TableName": self.control, "Item": {**_note(CLOSED, job), **expiry}}
        opened = {"TableName": self.control, "Key": _note_key(OPEN, job)}
        call(
            self.client.transact_write_items,
            TransactItems=[{"Put": closed}, {"Put": note}, {"Delete": opened}],
        )

    def decide(self, decision: Decision) -> bool:
        """Keeps a decision; False if a newer one about its pair stands."""
        try:
            call(
                self.client.put_item,
                TableName=self.control,
                Item={**decision_key(decision.pair), **item_of(decision_attributes(decision))},
                ConditionExpression=NOT_NEWER,
                ExpressionAttributeValues={
                    ":at_ms": typed(decision.at_ms),
                    ":message_id": typed(decision.message_id),
                },
            )
        except ConditionError:
            return False
        return True


def _key(job_id: str) -> Item:
    return {"PK": {"S": f"CUT#{job_id}"}, "SK": {"S": "@"}}


def _note_key(state: str, job: CutJob) -> Item:
    return {"PK": {"S": CUTS}, "SK": {"S": f"{state}{job.at_ms:015d}#{job.job_id}"}}


def _note(state: str, job: CutJob) -> Item:
    return {**_note_key(state, job), "schema": typed(1)}


def _attributes(job: CutJob) -> dict[str, Any]:
    return {
        "schema": 1,
        "state": "open",
        "verdict": job.verdict.value,
        "pairs": [list(pair) for pair in job.pairs],
        "at_ms": job.at_ms,
        "by": job.by,
        "reason": job.reason,
        "decisions": [decision_attributes(one) for one in job.decisions],
        "lines": list(job.lines),
        "stars": [star_attributes(star) for star in job.stars],
        "before": dict(job.before),
    }


def _job(job_id: str, told: dict[str, Any]) -> CutJob:
    return CutJob(
        job_id,
        Verdict(told["verdict"]),
        tuple((a, b) for a, b in told["pairs"]),
        told["at_ms"],
        told["by"],
        told["reason"],
        tuple(decision_of(one) for one in told["decisions"]),
        tuple(told["lines"]),
        tuple(star_from(one) for one in told["stars"]),
        told["before"],
        orjson.loads(told["report"]) if "report" in told else None,
    )
