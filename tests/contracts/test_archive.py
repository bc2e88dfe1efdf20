"""The archive behind Firehose: what is packed, what is sent again, what is given back."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from stamgast_aws.event_bus import EventBridgeBus
from stamgast_aws.firehose_archive import MOST_TRIES, FirehoseArchive, records_of


@dataclass
class Stream:
    """A delivery stream that refuses records as told: one set of places a call."""

    refusals: list[set[int] | None] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    def put_record_batch(self, DeliveryStreamName: str, Records: Any) -> Any:  # noqa: N803
        assert DeliveryStreamName == "raw"
        self.calls.append(len(Records))
        refused = self.refusals.pop(0) if self.refusals else set()
        if refused is None:
            raise ReadTimeoutError(endpoint_url="memory:")
        verdicts = [
            {"ErrorCode": "ServiceUnavailableException"} if n in refused else {"RecordId": "x"}
            for n in range(len(Records))
        ]
        self.records += [r["Data"] for n, r in enumerate(Records) if n not in refused]
        return {"FailedPutCount": len(refused), "RequestResponses": verdicts}


def archive(stream: Stream) -> FirehoseArchive:
    return FirehoseArchive(stream, "raw", lambda _: None)


def test_the_lines_of_a_batch_go_as_one_record() -> None:
    stream = Stream()
    assert archive(stream).put([("m0", b"a"), ("m0", b"b"), ("m1", b"c")]) == set()
    assert stream.records == [b"a\nb\nc\n"]


def test_nothing_is_sent_for_no_lines() -> None:
    stream = Stream()
    assert archive(stream).put([]) == set()
    assert stream.calls == []


def test_lines_are_packed_into_records_within_the_bound() -> None:
    lines = [(f"m{n}", b"x" * 40) for n in range(10)]
    records = list(records_of(lines, most_bytes=100))
    assert [len(record.text) for record in records] == [82] * 5
    assert b"".join(record.text for record in records) == b"".join(x + b"\n" for _, x in lines)
    assert records[0].messages == {"m0", "m1"}


@pytest.mark.failure_line(7)
def test_only_the_records_that_failed_are_sent_again() -> None:
    """Line 7: a partial failure of Firehose: only the failed entries are sent again."""
    stream = Stream(refusals=[{1}, {0}])
    lines = [(f"m{n}", b"%d" % n * 900_000) for n in range(3)]
    assert archive(stream).put(lines) == set()
    assert stream.calls == [3, 1, 1]
    assert sorted(record[:1] for record in stream.records) == [b"0", b"1", b"2"]


@pytest.mark.failure_line(7)
def test_what_fails_every_time_gives_its_messages_back() -> None:
    """Line 7: nothing acknowledged is missing: those messages stay in the queue."""
    stream = Stream(refusals=[{1}] + [{0}] * (MOST_TRIES - 1))
    lines = [(f"m{n}", b"%d" % n * 900_000) for n in range(3)]
    assert archive(stream).put(lines) == {"m1"}
    assert len(stream.records) == 2


def test_a_stream_that_does_not_answer_gives_all_messages_back() -> None:
    stream = Stream(refusals=[None] * MOST_TRIES)
    assert archive(stream).put([("m0", b"a"), ("m1", b"b")]) == {"m0", "m1"}


@dataclass
class Bus:
    """An event bus that takes all but some entries."""

    refuses: int = 0
    entries: list[Any] = field(default_factory=list)

    def put_events(self, Entries: list[Any]) -> Any:  # noqa: N803
        self.entries += Entries
        return {"FailedEntryCount": self.refuses, "Entries": []}


def test_events_go_ten_at_a_time_and_the_refused_are_counted() -> None:
    bus = Bus(refuses=1)
    untold = EventBridgeBus(bus, "bus").publish("Kind", [{"n": n} for n in range(21)])
    assert untold == 3
    assert len(bus.entries) == 21
    assert bus.entries[20] == {
        "Source": "stamgast",
        "DetailType": "Kind",
        "Detail": '{"n":20}',
        "EventBusName": "bus",
    }
