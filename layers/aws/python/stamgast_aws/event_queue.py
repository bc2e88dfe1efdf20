"""The queue between ingestion and the live loop, kept by SQS."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stamgast.ingestion.collect import NotDurableError


class SqsEventQueue:
    """Puts messages into a standard queue, which holds each on several machines when it answers."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, messages: list[str]) -> None:
        """Returns when every message is durable; raises NotDurableError otherwise.

        Each is sent by itself, because a batch of SQS is bound to the size of one message.
        """
        for message in messages:
            try:
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=message)
            except (ClientError, BotoCoreError) as error:
                raise NotDurableError(type(error).__name__) from error
