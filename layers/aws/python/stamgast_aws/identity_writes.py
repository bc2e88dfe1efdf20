"""Each write of an identity change as an entry of a DynamoDB transaction."""

from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

from stamgast.identity.codec import pointer_attributes, root_attributes
from stamgast.identity.edge import Edge, Pair
from stamgast.identity.edge_codec import edge_attributes, support_list
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root, RootState
from stamgast.identity.store import (
    AdvanceJob,
    CheckDecision,
    CheckFence,
    CheckJob,
    CheckRoot,
    CloseJob,
    DropEdge,
    DropRow,
    JobState,
    MoveEdge,
    MovePointer,
    OpenJob,
    PutEdge,
    PutPointer,
    PutRoot,
    UnlockRoot,
    Write,
)
from stamgast_aws.dynamo_values import Item, item_of, typed
from stamgast_aws.identity_items import pointer_key, root_key

JOBS, DECISIONS = "JOBS", "DECISIONS"
ABSENT = "attribute_not_exists(PK)"
NAMES = {"#state": "state"}


def edge_key(pair: Pair) -> Item:
    """The key of an edge: it lies with its anchor."""
    return {"PK": {"S": f"I#{pair[0]}"}, "SK": {"S": f"E#{pair[1]}"}}


def job_key(job_id: str) -> Item:
    """The key of a job's head; its chunks lie under `JOB#<id>`."""
    return {"PK": {"S": JOBS}, "SK": {"S": job_id}}


def decision_key(pair: Pair) -> Item:
    """The key of the newest decision about a pair."""
    return {"PK": {"S": DECISIONS}, "SK": {"S": "|".join(pair)}}


FENCE = {"PK": {"S": "RUN"}, "SK": {"S": "fence"}}


@dataclass(frozen=True, slots=True)
class Transactions:
    """Makes the entries of a transaction over the two tables."""

    profiles: str
    control: str

    @singledispatchmethod
    def entry(self, write: Write) -> dict[str, Any]:
        """The entry of one write."""
        raise TypeError(f"no identity write: {type(write).__name__}")

    @entry.register
    def _(self, write: PutPointer) -> dict[str, Any]:
        return self._put(_pointer_item(write.pointer), *_version_is(write.was))

    @entry.register
    def _(self, write: MovePointer) -> dict[str, Any]:
        return self._put(_pointer_item(write.pointer), None, {}, {})

    @entry.register
    def _(self, write: PutRoot) -> dict[str, Any]:
        if write.was is None:
            return self._put(_root_item(write.root), ABSENT, {}, {})
        return self._put(_root_item(write.root), *_root_is(*write.was))

    @entry.register
    def _(self, write: UnlockRoot) -> dict[str, Any]:
        values = {":job": typed(write.job), ":state": typed(RootState.SPLITTING.value)}
        return self._put(_root_item(write.root), "job = :job AND #state = :state", NAMES, values)

    @entry.register
    def _(self, write: PutEdge) -> dict[str, Any]:
        if write.was is None:
            return self._put(_edge_item(write.edge), ABSENT, {}, {})
        values = {
            ":support": typed(support_list(write.was.support)),
            ":state": typed(write.was.state.value),
        }
        condition = "support = :support AND #state = :state"
        return self._put(_edge_item(write.edge), condition, NAMES, values)

    @entry.register
    def _(self, write: MoveEdge) -> dict[str, Any]:
        return self._put(_edge_item(write.edge), None, {}, {})

    @entry.register
    def _(self, write: DropEdge) -> dict[str, Any]:
        return {"Delete": {"TableName": self.profiles, "Key": edge_key(write.pair)}}

    @entry.register
    def _(self, write: CheckRoot) -> dict[str, Any]:
        condition, names, values = _root_is(write.version, RootState.ACTIVE)
        return _check(self.profiles, root_key(write.person_id), condition, names, values)

    @entry.register
    def _(self, write: CheckFence) -> dict[str, Any]:
        return _check(self.control, FENCE, "seq = :seq", {}, {":seq": typed(write.seq)})

    @entry.register
    def _(self, write: CheckDecision) -> dict[str, Any]:
        key = decision_key(write.pair)
        if write.message_id is None:
            return _check(self.control, key, ABSENT, {}, {})
        values = {":message": typed(write.message_id)}
        return _check(self.control, key, "message_id = :message", {}, values)

    @entry.register
    def _(self, write: DropRow) -> dict[str, Any]:
        key = {**root_key(write.person_id), "SK": {"S": write.sort_key}}
        return {"Delete": {"TableName": self.profiles, "Key": key}}

    @entry.register
    def _(self, write: CheckJob) -> dict[str, Any]:
        values = {":state": typed(write.state.value)}
        return _check(self.control, job_key(write.job_id), "#state = :state", NAMES, values)

    @entry.register
    def _(self, write: OpenJob) -> dict[str, Any]:
        state = JobState.LOCKING if write.locks else JobState.OPEN
        told = {"state": state.value, "chunks": write.chunks, "locks": write.locks}
        item = {**job_key(write.job_id), **item_of(told)}
        return {
            "Put": {"TableName": self.control, "Item": item, "ConditionExpression": ABSENT},
        }

    @entry.register
    def _(self, write: CloseJob) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self.control,
                "Key": job_key(write.job_id),
                "ConditionExpression": "#state = :state",
                "ExpressionAttributeNames": NAMES,
                "ExpressionAttributeValues": {":state": typed(write.state.value)},
            }
        }

    @entry.register
    def _(self, write: AdvanceJob) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.control,
                "Key": job_key(write.job_id),
                "UpdateExpression": "SET #state = :state",
                "ConditionExpression": "#state = :was",
                "ExpressionAttributeNames": NAMES,
                "ExpressionAttributeValues": {
                    ":state": typed(write.state.value),
                    ":was": typed(write.was.value),
                },
            }
        }

    def _put(
        self, item: Item, condition: str | None, names: dict[str, str], values: Item
    ) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self.profiles, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        if names:
            put["ExpressionAttributeNames"] = names
        if values:
            put["ExpressionAttributeValues"] = values
        return {"Put": put}


def _check(
    table: str, key: Item, condition: str, names: dict[str, str], values: Item
) -> dict[str, Any]:
    check: dict[str, Any] = {
        "TableName": table,
        "Key": key,
        "ConditionExpression": condition,
    }
    if values:
        check["ExpressionAttributeValues"] = values
    if names:
        check["ExpressionAttributeNames"] = names
    return {"ConditionCheck": check}


def _version_is(was: int | None) -> tuple[str, dict[str, str], Item]:
    if was is None:
        return ABSENT, {}, {}
    return "#version = :was", {"#version": "version"}, {":was": typed(was)}


def _root_is(version: int, state: RootState) -> tuple[str, dict[str, str], Item]:
    names = {"#version": "version", **NAMES}
    values = {":was": typed(version), ":state": typed(state.value)}
    return "#version = :was AND #state = :state", names, values


def _pointer_item(pointer: Pointer) -> Item:
    return {**pointer_key(pointer.key), **item_of(pointer_attributes(pointer))}


def _root_item(root: Root) -> Item:
    return {**root_key(root.person_id), **item_of(root_attributes(root))}


def _edge_item(edge: Edge) -> Item:
    return {**edge_key(edge.pair), **item_of(edge_attributes(edge))}
