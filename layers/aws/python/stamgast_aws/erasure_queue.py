"""Dead letters without the erased: each message that tells of them is replaced by what stays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stamgast_aws.calls import call

BATCH = 10
HIDDEN_SECONDS = 120
WAIT_SECONDS = 1


@dataclass(frozen=True, slots=True)
class SqsDeadLetters:
    """A queue whose messages nobody takes but an operator and an erasure.

    A receipt that waits, however short, asks every server that holds a part of the queue.
    """

    client: Any
    queue_url: str
    wait_seconds: int = WAIT_SECONDS

    def messages(self) -> Iterator[tuple[str, str]]:
        """Every message once, with its receipt handle; all are visible again afterwards."""
        seen: dict[str, str] = {}
        try:
            while True:
                told = call(
                    self.client.receive_message,
                    QueueUrl=self.queue_url,
                    MaxNumberOfMessages=BATCH,
                    VisibilityTimeout=HIDDEN_SECONDS,
                    WaitTimeSeconds=self.wait_seconds,
                ).get("Messages", [])
                fresh = [one for one in told if one["MessageId"] not in seen]
                if not fresh:
                    return
                for one in fresh:
                    seen[one["MessageId"]] = one["ReceiptHandle"]
                    yield one["ReceiptHandle"], one["Body"]
        finally:
            for handle in seen.values():
                self._show(handle)

    def erase(self, left: Callable[[str], str | None]) -> int:
        """Replaces each message by what stays of it; how many told of the erased.

        The new message is put before the old one goes, so a stop leaves a copy and no loss.
        """
        changed = 0
        for handle, body in list(self._each(left)):
            if body is not None:
                call(self.client.send_message, QueueUrl=self.queue_url, MessageBody=body)
            call(self.client.delete_message, QueueUrl=self.queue_url, ReceiptHandle=handle)
            changed += 1
        return changed

    def _each(self, left: Callable[[str], str | None]) -> Iterator[tuple[str, str | None]]:
        for handle, body in self.messages():
            stays = left(body)
            if stays != body:
                yield handle, stays

    def _show(self, handle: str) -> None:
        call(
            self.client.change_message_visibility,
            QueueUrl=self.queue_url,
            ReceiptHandle=handle,
            VisibilityTimeout=0,
        )
