"""The lease of the authoritative loop: one run at a time, each with a higher number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

LEASE_KEY = {"PK": {"S": "RUN"}, "SK": {"S": "lease"}}
FENCE_KEY = {"PK": {"S": "RUN"}, "SK": {"S": "fence"}}
LEASE_SECONDS = 20 * 60
REFUSED = ("ConditionalCheckFailedException", "TransactionCanceledException")


class LeaseLostError(RuntimeError):
    """Another run holds the lease, so this one may write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the item says: the run that holds it or held it last, and until when (epoch seconds).

    `execution` is what runs it, where that is known.
    """

    run_id: str
    seq: int
    expires_at_s: int
    execution: str | None = None


class DynamoRunLease:
    """The items `RUN`/`lease` and `RUN`/`fence`; a lease outlives any function (15 minutes)."""

    def __init__(
        self,
        *,
        client: Any,
        table: str,
        now: Callable[[], float],
        seconds: int = LEASE_SECONDS,
        is_at_rest: Callable[[str], bool] = lambda _execution: False,
    ) -> None:
        self._client, self._table = client, table
        self._now, self._seconds, self._is_at_rest = now, seconds, is_at_rest

    def acquire(self, run_id: str, execution: str | None = None) -> int | None:
        """The number of this run, or None while another run holds the lease.

        The fence rises with the lease, in one transaction. Asking again under the same run_id
        gives the same number. A lease whose execution came to its end without giving it back
        (a stage and the close both failed) holds nobody up.
        """
        held = self.read()
        if held is not None and held.expires_at_s > self._now():
            if held.run_id == run_id:
                return held.seq
            if held.execution is None or not self._is_at_rest(held.execution):
                return None
        seq = held.seq + 1 if held else 1
        try:
            self._client.transact_write_items(
                TransactItems=[self._take(run_id, seq, held, execution), self._raise_fence(seq)]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                return None
            raise
        return seq

    def renew(self, run_id: str, seq: int) -> None:
        """Holds the lease for another full span; raises LeaseLostError if it is another's."""
        self._extend(run_id, seq, int(self._now()) + self._seconds)

    def release(self, run_id: str, seq: int) -> None:
        """Ends the lease at once; its number stays, so that the next run's is higher."""
        self._extend(run_id, seq, 0)

    def read(self) -> Lease | None:
        """The lease as it stands, or None before the first run."""
        answer = self._client.get_item(TableName=self._table, Key=LEASE_KEY, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = answer["Item"]
        execution = item.get("execution", {}).get("S")
        expires_at_s = int(item["expires_at"]["N"])
        return Lease(item["run_id"]["S"], int(item["seq"]["N"]), expires_at_s, execution)

    def _take(
        self, run_id: str, seq: int, held: Lease | None, execution: str | None
    ) -> dict[str, Any]:
        expires_at = int(self._now()) + self._seconds
        put = {
            "TableName": self._table,
            "Item": {
                **LEASE_KEY,
                "run_id": {"S": run_id},
                "seq": {"N": str(seq)},
                "expires_at": {"N": str(expires_at)},
                **({"execution": {"S": execution}} if execution else {}),
            },
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        if held is not None:
            put["ConditionExpression"] = "seq = :seq AND expires_at = :expires"
            put["ExpressionAttributeValues"] = {
                ":seq": {"N": str(held.seq)},
                ":expires": {"N": str(held.expires_at_s)},
            }
        return {"Put": put}

    def _raise_fence(self, seq: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": FENCE_KEY,
                "UpdateExpression": "SET seq = :seq",
                "ConditionExpression": "attribute_not_exists(PK) OR seq < :seq",
                "ExpressionAttributeValues": {":seq": {"N": str(seq)}},
            }
        }

    def _extend(self, run_id: str, seq: int, expires_at: int) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=LEASE_KEY,
                UpdateExpression="SET expires_at = :expires",
                ConditionExpression="run_id = :run AND seq = :seq",
                ExpressionAttributeValues={
                    ":expires": {"N": str(expires_at)},
                    ":run": {"S": run_id},
                    ":seq": {"N": str(seq)},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                raise LeaseLostError(f"run {run_id} no longer holds the lease") from error
            raise
