"""Jobs about segments: their items in the control table, their answers and files in the bucket."""

import json
from typing import Any

from stamgast.lookup.reader import Reader
from stamgast.lookup.segments.jobs import KEPT_MS, Job, Kind, State
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_values import attributes_of, item_of, typed
from stamgast_aws.json_documents import JsonDocuments

LINK_SECONDS = 15 * 60
SAME = "#state = :state AND until_ms = :until_ms AND part = :part AND tries = :tries"
COMPARED = ("until_ms", "part", "tries")


class DynamoSegmentJobs:
    """The port `JobStore` over a low-level DynamoDB client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def put(self, job: Job) -> None:
        """Keeps a new job."""
        call(self._client.put_item, TableName=self._table, Item=item_of(_attributes(job)))

    def read(self, job_id: str) -> Job | None:
        """The job of this id, strongly read."""
        key = item_of(_key(job_id))
        answer = call(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True)
        return _job(attributes_of(answer["Item"])) if "Item" in answer else None

    def replace(self, before: Job, after: Job) -> bool:
        """Writes the job on if it still is as it was read."""
        values = {f":{name}": typed(getattr(before, name)) for name in COMPARED}
        try:
            call(
                self._client.put_item,
                TableName=self._table,
                Item=item_of(_attributes(after)),
                ConditionExpression=SAME,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={**values, ":state": typed(before.state.value)},
            )
        except ConditionError:
            return False
        return True


def _key(job_id: str) -> dict[str, str]:
    return {"PK": f"SEGMENTJOB#{job_id}", "SK": "@"}


def _attributes(job: Job) -> dict[str, Any]:
    reader = job.reader
    return {
        **_key(job.job_id),
        "kind": job.kind.value,
        "reader": {
            "name": reader.name,
            "fields": list(reader.fields),
            "namespaces": list(reader.namespaces),
            "may": list(reader.may),
            "purposes": list(reader.purposes),
        },
        "asked": json.dumps(job.asked, ensure_ascii=False),
        "asked_ms": job.asked_ms,
        "state": job.state.value,
        "until_ms": job.until_ms,
        "part": job.part,
        "tries": job.tries,
        "message": job.message,
        "ttl": (job.asked_ms + KEPT_MS) // 1000,
    }


def _job(told: dict[str, Any]) -> Job:
    reader = told["reader"]
    names = ("fields", "namespaces", "may", "purposes")
    fields, namespaces, may, purposes = (tuple(reader.get(name, ())) for name in names)
    return Job(
        job_id=told["PK"].partition("#")[2],
        kind=Kind(told["kind"]),
        reader=Reader(reader["name"], fields, namespaces, may, purposes),
        asked=json.loads(told["asked"]),
        asked_ms=told["asked_ms"],
        state=State(told["state"]),
        until_ms=told["until_ms"],
        part=told["part"],
        tries=told["tries"],
        message=told["message"],
    )


class S3Answers:
    """The port `Answers`: what jobs wrote under `exports/`, and signed addresses of their files."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def read(self, job_id: str) -> dict[str, Any] | None:
        """What a finished job answers; None once it has expired."""
        documents = JsonDocuments(self._client, self._bucket)
        return documents.read(f"exports/{job_id}/answer.json")

    def link(self, job_id: str, name: str) -> str:
        """An address from which a file of an export can be fetched for a quarter of an hour."""
        url: str = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": f"exports/{job_id}/{name}",
                "ResponseContentDisposition": f'attachment; filename="{name}"',
            },
            ExpiresIn=LINK_SECONDS,
        )
        return url


class LambdaWorker:
    """Begins the work on a job in a function of its own, without waiting for it."""

    def __init__(self, client: Any, function: str) -> None:
        self._client, self._function = client, function

    def begin(self, job_id: str) -> None:
        """Hands the job over; Lambda keeps it until the function has taken it."""
        call(
            self._client.invoke,
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps({"job": job_id}).encode(),
        )
