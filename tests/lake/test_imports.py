"""Files of the drop zone: every kind of file, every kind of bad row, and the same file twice."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_lake.archive import read_lines
from stamgast_lake.imports import objects, rows, take
from stamgast_lake.imports.take import FileImport, Imported
from stamgast_lake.inputs import ImportInput

WORKSPACE = workspace_of(
    compile_files(
        {
            "sources.yaml": """
sources:
  shop:
    name: Shop
    imports:
      - match: mapped/*
        columns: {userId: customer, timestamp: at, properties.revenue: amount,
                  properties.products: lines}
        constants: {type: track, event: Order Completed, properties.currency: EUR}
      - match: european/*
        columns: {userId: customer, timestamp: at, properties.revenue: amount}
        constants: {type: track, event: Order Completed}
        formats: {timestamp: "%d.%m.%Y", properties.revenue: "1.234,56"}
        encoding: windows-1252
        time_zone: Europe/Berlin
      - match: western/*
        time_zone: America/Los_Angeles
      - match: "*"
"""
        }
    )
)
HEADER = b"type,userId,event,timestamp,properties.revenue,messageId\n"
RECEIVED_AT = "2026-03-01T10:20:30+00:00"


class Drop:
    """A bucket with a drop zone."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def take(self, path: str, body: bytes, source: str = "shop") -> Imported:
        key = f"imports/{source}/{path}"
        etag = self.s3.put_object(Bucket="lake", Key=key, Body=body)["ETag"].strip('"')
        given = ImportInput(key, etag, len(body), RECEIVED_AT)
        return FileImport(s3=self.s3, bucket="lake", workspace=WORKSPACE, given=given).take()

    def lines(self, imported: Imported, kind: str = "raw") -> list[dict[str, Any]]:
        return [
            orjson.loads(line)
            for one in imported.objects
            if one.kind == kind
            for line in read_lines(self.body(one.key))
        ]

    def body(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="lake", Key=key)["Body"].read()
        return body


@pytest.fixture
def drop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drop]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        yield Drop(client)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


@pytest.mark.failure_line(6)
def test_every_bad_row_of_a_csv_file_is_refused_alone_with_its_text(drop: Drop) -> None:
    """Line 6: bad rows of every kind cost only themselves."""
    rows = [
        b"track,u1,Seen,2026-01-01T00:00:00Z,3.20,m1\n",
        b"track,u1\n",
        b"nonsense,u1,Seen,,,m2\n",
        b"track,,Seen,,,m3\n",
        b"track,u1,,,,m4\n",
        b'track,u1,"say ""hi""",,,m5\n',
        b'track,u1,"broken" quote,,,m6\n',
        b"track,u1,\xff\xfe,,,m7\n",
        b"\n",
        b"track,u1,Seen,not a time,,m8\n",
        b"track,u1,Seen,,,%s\n" % (b"m" * 300),
    ]
    imported = drop.take("rows.csv", HEADER + b"".join(rows))
    assert [one["message_id"] for one in drop.lines(imported)] == ["m1", "m5", "m7", "m8"]
    refused = drop.lines(imported, "rejected")
    assert [one["code"] for one in refused] == [
        "unreadable",
        "type_unknown",
        "id_missing",
        "event_missing",
        "unreadable",
        "message_id_too_long",
    ]
    assert refused[0]["original"] == "track,u1"
    assert imported.rows == imported.accepted + imported.rejected == 10


def test_every_bad_line_of_an_ndjson_file_is_refused_alone(drop: Drop) -> None:
    good = {"type": "identify", "userId": "u1", "traits": {"a": 1}, "messageId": "m1"}
    lines = [
        orjson.dumps(good),
        b"{broken",
        b"[1, 2]",
        b"null",
        b'{"type":"track","event":"E","userId":"u1","messageId":"m2","properties":{"x":NaN}}',
        b'{"type":"track","event":"E","userId":"u1","messageId":"m3","properties":7}',
        b"[" * 1000 + b"]" * 1000,
    ]
    imported = drop.take("events.ndjson", b"\n".join(lines))
    assert [one["message_id"] for one in drop.lines(imported)] == ["m1", "m2"]
    assert len(drop.lines(imported, "rejected")) == 5


def test_a_parquet_file_is_mapped_with_its_nested_lines_and_times(drop: Drop) -> None:
    at = datetime(2019, 5, 4, 3, 2, 1, tzinfo=UTC)
    row = {"customer": 7, "at": at, "amount": Decimal("12.30"), "lines": [{"product_id": "p"}]}
    imported = drop.take("mapped/a.parquet", parquet([row, {**row, "customer": None}]))
    (line,) = drop.lines(imported)
    body = orjson.loads(line["body"])
    assert (body["userId"], body["properties"]["currency"]) == ("7", "EUR")
    assert body["properties"]["products"] == [{"product_id": "p"}]
    assert line["event_at"] == "2019-05-04T03:02:01.000Z"
    assert imported.rejected == 1


def test_a_cell_of_a_parquet_file_that_is_no_number_costs_only_itself(drop: Drop) -> None:
    at = datetime(2019, 5, 4, 3, 2, 1, tzinfo=UTC)
    row = {"customer": Decimal(10**20 + 7), "at": at, "amount": 1.5, "lines": []}
    odd = [{**row, "amount": float(told)} for told in ("nan", "inf", "-inf")]
    imported = drop.take("mapped/a.parquet", parquet([row, *odd]))
    bodies = [orjson.loads(line["body"]) for line in drop.lines(imported)]
    assert [body["properties"].get("revenue") for body in bodies] == [1.5, None, None, None]
    assert {body["userId"] for body in bodies} == {"100000000000000000007"}


def test_a_parquet_file_with_a_type_that_is_not_read_says_so(drop: Drop) -> None:
    stream = io.BytesIO()
    pq.write_table(pa.table({"customer": pa.array([1.5], pa.float16())}), stream)
    imported = drop.take("mapped/a.parquet", stream.getvalue())
    assert imported.fault == "a column is of a type that is not read"
    assert [one["code"] for one in drop.lines(imported, "rejected")] == ["unreadable_file"]


def test_a_file_uploaded_twice_has_the_same_message_ids(drop: Drop) -> None:
    body = HEADER + b"track,u1,Seen,,,\ntrack,u1,Seen,,,\n"
    first, second = drop.take("a.csv", body), drop.take("b.csv", body)
    ids = [[one["message_id"] for one in drop.lines(told)] for told in (first, second)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2
    assert first.tag != second.tag


@pytest.mark.failure_line(7)
def test_a_repeat_overwrites_the_same_objects_with_the_same_bytes(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 7: a try that died half way leaves nothing that its repeat does not replace."""
    monkeypatch.setattr(objects, "OBJECT_BYTES", 2_000)
    monkeypatch.setattr(take, "CHUNK_ROWS", 3)
    body = HEADER + b"".join(b"track,u%d,Seen,,,\n" % n for n in range(40))
    first = drop.take("a.csv", body)
    before = {one.key: drop.body(one.key) for one in first.objects}
    assert len(before) > 3
    assert drop.take("a.csv", body) == first
    assert {one.key: drop.body(one.key) for one in first.objects} == before


def with_broken_pages() -> bytes:
    """A Parquet file whose head and end are sound, and whose pages cannot be unpacked."""
    body = parquet([{"type": "identify", "userId": f"u{n}"} for n in range(5000)])
    return body[:60] + bytes(40) + body[100:]


def with_a_broken_block() -> bytes:
    """A gzipped file of which the first rows can be inflated and the next ones cannot."""
    packer = zlib.compressobj(wbits=31)
    begun = packer.compress(HEADER + b"track,u1,Seen,,,m1\n" * 2000)
    return begun + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 40


FILES = {
    "pages.parquet": with_broken_pages(),
    "block.csv.gz": with_a_broken_block(),
    "member.csv.gz": b"\x1f\x8b is no gzip",
}


@pytest.mark.failure_line(6)
@pytest.mark.parametrize("path", FILES)
def test_a_file_that_is_broken_within_is_refused_and_ends_no_run(drop: Drop, path: str) -> None:
    """Line 6: what Arrow and zlib raise of broken pages is the file's fault, and told as one."""
    imported = drop.take(path, FILES[path])
    assert imported.fault
    [refused] = drop.lines(imported, "rejected")
    assert (refused["code"], refused["message"]) == ("unreadable_file", imported.fault)
    assert imported.accepted == len(drop.lines(imported))


def knows_no_blocks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rows, "BROKEN_GZIP", (EOFError, gzip.BadGzipFile))


def believes_every_fault_to_be_the_disks(patch: pytest.MonkeyPatch) -> None:
    read = rows.pq.ParquetFile.iter_batches

    def failing(*told: Any, **how: Any) -> Iterator[Any]:
        try:
            yield from read(*told, **how)
        except OSError as error:
            raise OSError(5, "told of the disk") from error

    patch.setattr(rows.pq.ParquetFile, "iter_batches", failing)


@pytest.mark.parametrize(
    ("fault", "path"),
    [(knows_no_blocks, "block.csv.gz"), (believes_every_fault_to_be_the_disks, "pages.parquet")],
)
def test_a_reader_that_takes_broken_pages_for_a_fault_of_its_own_would_be_seen(
    drop: Drop,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
    path: str,
) -> None:
    fault(monkeypatch)
    with pytest.raises((OSError, zlib.error)):
        drop.take(path, FILES[path])


@pytest.mark.parametrize(
    ("path", "body", "source"),
    [
        ("a.parquet", b"no parquet", "shop"),
        ("a.xlsx", b"PK", "shop"),
        ("a.csv", HEADER, "nobody"),
        ("cut.csv.gz", gzip.compress(HEADER + b"track,u1,Seen,,,m1\n" * 5000)[:-20], "shop"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_one_refusal_that_says_so(
    drop: Drop, path: str, body: bytes, source: str
) -> None:
    imported = drop.take(path, body, source)
    assert imported.fault
    assert [one["code"] for one in drop.lines(imported, "rejected")] == ["unreadable_file"]
    assert imported.accepted == len(drop.lines(imported))


def test_gzipped_files_with_a_byte_order_mark_are_read(drop: Drop) -> None:
    text = b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b"track,u1,Seen,,,m1\r\n"
    assert drop.take("a.csv.gz", gzip.compress(text)).accepted == 1
    assert drop.take("empty.csv", HEADER).objects == ()


def test_old_times_are_kept_as_they_are(drop: Drop) -> None:
    imported = drop.take("a.csv", HEADER + b"track,u1,Seen,1971-01-01T00:00:00Z,,m1\n")
    assert drop.lines(imported)[0]["event_at"] == "1971-01-01T00:00:00.000Z"
    assert drop.lines(imported)[0]["assurance"] == "verified"


def test_a_csv_of_a_spreadsheet_is_read_in_its_own_delimiter_encoding_and_spelling(
    drop: Drop,
) -> None:
    text = 'customer;at;amount;lines\nBjørn;03.11.2026;"1.234,50";x\nÅse;morgen;viel;\n'

    for encoding in ("windows-1252", "utf-16"):
        taken = drop.take(f"european/{encoding}.csv", text.encode(encoding))
        first, second = drop.lines(taken)

        assert (taken.accepted, taken.rejected, taken.fault) == (2, 0, None)
        body = orjson.loads(first["body"])
        assert (body["userId"], body["properties"]["revenue"]) == ("Bjørn", 1234.5)
        assert first["event_at"] == "2026-11-02T23:00:00.000Z"
        assert orjson.loads(second["body"])["properties"]["revenue"] == "viel"
        told = {"format_unfit:timestamp", "format_unfit:properties.revenue"}
        assert told | {"time_unreadable:timestamp"} <= set(second["notes"])


def test_a_time_without_an_offset_is_one_of_the_mappings_zone(drop: Drop) -> None:
    rows = b"track,u1,Seen,2026-01-03,,m1\ntrack,u1,Seen,2026-01-03T10:00:00Z,,m2\n"

    for folder, first in (("western", "2026-01-03T08:00"), ("other", "2026-01-03T00:00")):
        taken = drop.take(f"{folder}/a.csv", HEADER + rows)
        day, moment = (line["event_at"] for line in drop.lines(taken))
        assert day == f"{first}:00.000Z"
        assert moment == "2026-01-03T10:00:00.000Z"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_tells_the_delimiter(drop: Drop, delimiter: str) -> None:
    header = delimiter.join(["type", "userId", '"name, first; last"'])
    row = delimiter.join(["identify", "ada", '"a,b;c|d"'])

    taken = drop.take("any.csv", f"{header}\n{row}\n".encode())

    (line,) = drop.lines(taken)
    assert orjson.loads(line["body"])["name, first; last"] == "a,b;c|d"


def test_a_header_that_names_a_column_twice_is_refused_whole(drop: Drop) -> None:
    taken = drop.take("twice.csv", b"type,userId,userId,\nidentify,ada,bea,\n")

    assert taken.accepted == 0
    assert taken.fault == "columns 2 and 3 of the header bear one name"


def test_columns_without_a_name_are_left_out(drop: Drop) -> None:
    taken = drop.take("tail.csv", b"type,userId,,\nidentify,ada,x,y\n")

    (line,) = drop.lines(taken)
    assert "" not in orjson.loads(line["body"])


def test_a_field_as_long_as_an_event_is_read(drop: Drop) -> None:
    text = "x" * 200_000

    taken = drop.take("long.csv", f"type,userId,note\nidentify,ada,{text}\n".encode())

    assert taken.accepted == 1
