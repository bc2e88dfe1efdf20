"""Jobs and the fence: what corrections by a run keep in the table `control`."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import time
from typing import Any

from stamgast.identity.codec import pointer_attributes, pointer_of, root_attributes, root_of
from stamgast.identity.edge_codec import edge_attributes, edge_of
from stamgast.identity.root import RootState
from stamgast.identity.store import (
    DropEdge,
    DropRow,
    Job,
    JobState,
    MoveEdge,
    MovePointer,
    PutRoot,
    UnlockRoot,
    Write,
)
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_batches import put_items
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed
from stamgast_aws.identity_items import root_key
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.identity_writes import FENCE, JOBS, job_key

LEFT_OVER_SECONDS = 14 * 24 * 3600
EVALUATED = ("M#", "R#", "S#", "T#")


@dataclass(frozen=True, slots=True)
class DynamoJobStore(DynamoIdentityStore):
    """The port `JobStore`: identity items, open jobs with their chunks, the fence of runs."""

    now: Callable[[], float] = time

    def rows_of(self, person_ids: Collection[str]) -> list[DropRow]:
        """What was evaluated of these persons: memberships, scores, RFM, computed traits."""
        return [
            DropRow(person_id, item["SK"]["S"])
            for person_id in sorted(person_ids)
            for prefix in EVALUATED
            for item in self.query(self.profiles, root_key(person_id)["PK"], {"S": prefix})
        ]

    def write_chunks(self, job_id: str, chunks: Sequence[Sequence[Write]]) -> None:
        """Keeps each write as an item of its own; what no job ever opens expires."""
        expiry = {"ttl": typed(int(self.now()) + LEFT_OVER_SECONDS)}
        items = (
            {**_chunk_key(job_id, number, place), **_item_of_write(write), **expiry}
            for number, chunk in enumerate(chunks)
            for place, write in enumerate(chunk)
        )
        put_items(self.client, self.control, items, self.pause)

    def read_job(self, job_id: str) -> Job | None:
        """A job that stands; None once it is closed, and before it is opened."""
        key = job_key(job_id)
        answer = call(self.client.get_item, TableName=self.control, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        if not item:
            return None
        told = attributes_of(item)
        return Job(job_id, told["chunks"], told.get("locks", 0), JobState(told["state"]))

    def read_chunk(self, job_id: str, number: int) -> list[Write]:
        """The writes of one chunk."""
        prefix = {"S": f"C{number:05}#"}
        items = self.query(self.control, {"S": f"JOB#{job_id}"}, prefix)
        return [_write_of(item) for item in items]

    def drop_chunks(self, job_id: str) -> None:
        """Deletes the chunks of a closed job."""
        for item in self.query(self.control, {"S": f"JOB#{job_id}"}):
            key = {"PK": item["PK"], "SK": item["SK"]}
            call(self.client.delete_item, TableName=self.control, Key=key)

    def open_jobs(self) -> list[str]:
        """The ids of the jobs that are open."""
        return [item["SK"]["S"] for item in self.query(self.control, {"S": JOBS})]

    def raise_fence(self, seq: int) -> bool:
        """Shuts out older runs; False when a newer run has done so already."""
        try:
            call(
                self.client.update_item,
                TableName=self.control,
                Key=FENCE,
                UpdateExpression="SET seq = :seq",
                ConditionExpression="attribute_not_exists(seq) OR seq <= :seq",
                ExpressionAttributeValues={":seq": typed(seq)},
            )
        except ConditionError:
            return False
        return True

    def fence(self) -> int:
        """The newest run's number; 0 before the first."""
        answer = call(self.client.get_item, TableName=self.control, Key=FENCE, ConsistentRead=True)
        return int(attributes_of(answer["Item"])["seq"]) if "Item" in answer else 0


def _chunk_key(job_id: str, number: int, place: int) -> Item:
    return {"PK": {"S": f"JOB#{job_id}"}, "SK": {"S": f"C{number:05}#{place:05}"}}


def _item_of_write(write: Write) -> Item:
    match write:
        case MovePointer(pointer):
            told: dict[str, Any] = {"key": pointer.key, "pointer": pointer_attributes(pointer)}
        case MoveEdge(edge):
            told = {"pair": list(edge.pair), "edge": edge_attributes(edge)}
        case DropEdge(pair):
            told = {"drop_edge": list(pair)}
        case DropRow(person_id, sort_key):
            told = {"drop": [person_id, sort_key]}
        case PutRoot(root, was):
            told = {"person": root.person_id, "root": root_attributes(root), "lock": True}
            told["was"] = [was[0], was[1].value] if was else None
        case UnlockRoot(root, job):
            told = {"person": root.person_id, "job": job, "root": root_attributes(root)}
        case _:
            raise TypeError(f"no write of a chunk: {type(write).__name__}")
    return item_of(told)


def _write_of(item: Item) -> Write:
    told = attributes_of(item)
    if "pointer" in told:
        return MovePointer(pointer_of(told["key"], told["pointer"]))
    if "edge" in told:
        a, b = told["pair"]
        return MoveEdge(edge_of((a, b), told["edge"]))
    if "drop_edge" in told:
        a, b = told["drop_edge"]
        return DropEdge((a, b))
    if "drop" in told:
        return DropRow(*told["drop"])
    if "lock" in told:
        was = (told["was"][0], RootState(told["was"][1])) if told["was"] else None
        return PutRoot(root_of(told["person"], told["root"]), was)
    return UnlockRoot(root_of(told["person"], told["root"]), told["job"])
