"""The archive behind a Firehose stream: newline-joined records, the failed ones sent again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stamgast.profile.store import Pause, pause_seconds
from stamgast.store_error import StoreError
from stamgast_aws.calls import call

if TYPE_CHECKING:  # a look-up keeps lines, and imports nothing of the loop
    from stamgast.profile.loop import Line

MOST_RECORD_BYTES = 1000 * 1024
MOST_CALL_BYTES = 4 * 1024 * 1024
MOST_CALL_RECORDS = 500
MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Record:
    """Lines that go as one record, and the messages that they come from."""

    text: bytes
    messages: frozenset[str]


@dataclass(frozen=True, slots=True)
class FirehoseArchive:
    """The port `Archive` over a low-level Firehose client."""

    client: Any
    stream: str
    pause: Pause

    def put(self, lines: Sequence["Line"]) -> set[str]:
        """Archives the lines in as few records as they fit; the messages of those that were not."""
        failed: set[str] = set()
        for records in _calls(records_of(lines)):
            for record in self._sent(records):
                failed |= record.messages
        return failed

    def _sent(self, records: list[Record]) -> list[Record]:
        """The records that failed every time they were sent."""
        for attempt in range(1, MOST_TRIES + 1):
            records = self._try(records)
            if not records:
                break
            if attempt < MOST_TRIES:
                self.pause(pause_seconds(attempt))
        return records

    def _try(self, records: list[Record]) -> list[Record]:
        try:
            answer = call(
                self.client.put_record_batch,
                DeliveryStreamName=self.stream,
                Records=[{"Data": record.text} for record in records],
            )
        except StoreError:
            return records
        verdicts = answer["RequestResponses"]
        return [
            record
            for record, verdict in zip(records, verdicts, strict=True)
            if "ErrorCode" in verdict
        ]


def records_of(lines: Sequence["Line"], most_bytes: int = MOST_RECORD_BYTES) -> Iterator[Record]:
    """The lines in their order, packed into records of at most `most_bytes`.

    A single longer line goes alone, for Firehose to refuse; no bound of ingestion lets one through.
    """
    text, messages = bytearray(), set[str]()
    for message, line in lines:
        if text and len(text) + len(line) + 1 > most_bytes:
            yield Record(bytes(text), frozenset(messages))
            text, messages = bytearray(), set()
        text += line + b"\n"
        messages.add(message)
    if text:
        yield Record(bytes(text), frozenset(messages))


def _calls(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        is_full = len(batch) == MOST_CALL_RECORDS or size + len(record.text) > MOST_CALL_BYTES
        if batch and is_full:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.text)
    if batch:
        yield batch
