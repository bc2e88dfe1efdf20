"""Requests of persons: their items in the table `control`, their documents in the bucket.

`RIGHTS#<id>`/`@` is the request without a value; `RIGHTS`/`<id>` notes that something is left to be
done. Values stand in `erasure/<id>/document.json`, which goes with the proof.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stamgast.erasure.callbacks import Callback
from stamgast.erasure.request import Kind, RightsRequest, State
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed
from stamgast_aws.identity_items import query_partition
from stamgast_aws.json_documents import JsonDocuments

OPEN = "RIGHTS"
LINK_SECONDS = 15 * 60
SAME = ("until_ms", "proven_ms", "calls")
UNCHANGED = " AND ".join(["#state = :state", *(f"{name} = :{name}" for name in SAME)])


class StoredRights:
    """The port `RightsStore` over low-level clients of DynamoDB and S3."""

    def __init__(
        self, dynamodb: Any, table: str, s3: Any, bucket: str, linking: Any = None
    ) -> None:
        self._dynamodb, self._table, self._s3, self._bucket = dynamodb, table, s3, bucket
        self._linking, self._documents = linking or s3, JsonDocuments(s3, bucket)

    def put(self, request: RightsRequest, document: Mapping[str, Any]) -> bool:
        """Keeps a new request with its document; False if there is one of this id."""
        if self.read(request.request_id) is not None:
            return False
        self.keep(request.request_id, document)
        self._note(request)
        try:
            call(
                self._dynamodb.put_item,
                TableName=self._table,
                Item=_item(request),
                ConditionExpression="attribute_not_exists(PK)",
            )
        except ConditionError:
            return False
        return True

    def read(self, request_id: str) -> RightsRequest | None:
        """The request of this id."""
        answer = call(
            self._dynamodb.get_item,
            TableName=self._table,
            Key=_key(request_id),
            ConsistentRead=True,
        )
        return _request(attributes_of(answer["Item"])) if "Item" in answer else None

    def replace(self, before: RightsRequest, after: RightsRequest) -> bool:
        """Writes a request on if it still is as it was read."""
        values = {f":{name}": typed(getattr(before, name)) for name in SAME}
        try:
            call(
                self._dynamodb.put_item,
                TableName=self._table,
                Item=_item(after),
                ConditionExpression=UNCHANGED,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={**values, ":state": typed(before.state.value)},
            )
        except ConditionError:
            return False
        if not after.is_left:
            key = _note_key(after.request_id)
            call(self._dynamodb.delete_item, TableName=self._table, Key=key)
        return True

    def open_ids(self) -> list[str]:
        """The ids of the requests in which something is left to be done."""
        notes = query_partition(self._dynamodb, self._table, typed(OPEN))
        return [item["SK"]["S"] for item in notes]

    def document(self, request_id: str) -> dict[str, Any] | None:
        """The document of a request; None once it was forgotten."""
        return self._documents.read(_place(request_id))

    def keep(self, request_id: str, document: Mapping[str, Any]) -> None:
        """Writes the document of a request; the one before goes, for it names the person."""
        self._documents.write(_place(request_id), document)
        self._documents.forget_older(_place(request_id))

    def forget(self, request_id: str) -> None:
        """Takes the document of a request away, with all its versions."""
        told = self._s3.list_object_versions(Bucket=self._bucket, Prefix=_place(request_id))
        for kind in ("Versions", "DeleteMarkers"):
            for one in told.get(kind, ()):
                self._s3.delete_object(
                    Bucket=self._bucket, Key=one["Key"], VersionId=one["VersionId"]
                )

    def result(self, request_id: str, name: str) -> str:
        """An address from which a result can be fetched for a quarter of an hour."""
        url: str = self._linking.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": f"exports/{request_id}/{name}"},
            ExpiresIn=LINK_SECONDS,
        )
        return url

    def _note(self, request: RightsRequest) -> None:
        item = {**_note_key(request.request_id), "schema": typed(1)}
        call(self._dynamodb.put_item, TableName=self._table, Item=item)


class RightsWorker:
    """Begins the work on requests in a function of its own, without waiting for it."""

    def __init__(self, client: Any, function: str) -> None:
        self._client, self._function = client, function

    def begin(self, request_ids: list[str]) -> None:
        """Hands requests over; Lambda keeps them until the function has taken them."""
        self._invoke({"requests": request_ids})

    def go_on(self, event: Mapping[str, Any]) -> None:
        """Has what was asked taken up where it was left."""
        self._invoke(event)

    def begin_all(self) -> None:
        """Has everything that is open worked on and proven, and looks at what was put back."""
        self._invoke({})

    def begin_proof(self) -> None:
        """The same without the look, from which it may come."""
        self._invoke({"prove": True})

    def begin_comparing(self) -> None:
        """Has tombstones compared with what was put back."""
        self._invoke({"reapply": True})

    def begin_watch(self) -> None:
        """Has what was written since the last look compared with them."""
        self._invoke({"watch": True})

    def begin_plan(self, plan_id: str) -> None:
        """Has a plan counted."""
        self._invoke({"plan": plan_id})

    def _invoke(self, event: Mapping[str, Any]) -> None:
        call(
            self._client.invoke,
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )


def _key(request_id: str) -> Item:
    return {"PK": {"S": f"RIGHTS#{request_id}"}, "SK": {"S": "@"}}


def _note_key(request_id: str) -> Item:
    return {"PK": {"S": OPEN}, "SK": {"S": request_id}}


def _place(request_id: str) -> str:
    return f"erasure/{request_id}/document.json"


def _item(request: RightsRequest) -> Item:
    told = {**asdict(request), "kind": request.kind.value, "state": request.state.value}
    told |= {"keys": list(request.keys), "callbacks": json.dumps(told["callbacks"])}
    told["report"] = json.dumps(request.report)
    return {**_key(request.request_id), **item_of({**told, "schema": 1})}


def _request(told: dict[str, Any]) -> RightsRequest:
    fields = {name: value for name, value in told.items() if name not in ("PK", "SK", "schema")}
    return RightsRequest(
        **{
            **fields,
            "kind": Kind(told["kind"]),
            "state": State(told["state"]),
            "keys": tuple(told["keys"]),
            "callbacks": tuple(Callback(**one) for one in json.loads(told["callbacks"])),
            "report": json.loads(told["report"]),
        }
    )
