"""Files that broke off, or have no head, hold up no erasure and keep nothing of the erased."""

import gzip
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import Kind
from stamgast_lake.erasure import archive, dropped, parquet, scan
from stamgast_lake.imports.run import import_file
from stamgast_lake.loading.run import load_run
from stamgast_lake.runs import close_run, open_run
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.world import _cursor

MAIL, CARD = "ada.loveday@x.example", 7712094300018
HEAD = "type,userId,event,messageId,timestamp,properties.email\n"
ROW = f"track,,Sold,f1,2026-03-01,{MAIL}\n"
KEEPER = b"PAR1 is a shop,keeper-1\n"  # begins like a Parquet file, and is none


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def packed(rows: int = 50) -> bytes:
    table = pa.table({"type": ["track"] * rows, "properties.email": [MAIL] * rows})
    out = BytesIO()
    pq.write_table(table, out, compression="zstd", use_dictionary=False, write_statistics=False)
    return out.getvalue()


def with_broken_pages() -> bytes:
    """A file with a sound end, and pages of which the first column's cannot be unpacked."""
    body = packed()
    return body[:40] + bytes(20) + body[60:]


def broken(*rows: str) -> bytes:
    """A gzipped member that cannot be inflated from its middle on, and a sound one behind it."""
    lines = "".join(f"track,cc-{n},Sold,c{n},2026-03-01,c{n}@x.example\n" for n in range(200))
    body = gzip.compress((HEAD + lines).encode())
    return body[:300] + bytes(40) + body[340:] + gzip.compress("".join(rows).encode())


def zipped() -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", HEAD + ROW * 50)
    return out.getvalue()


def database() -> bytes:
    """Values of a row lie wall to wall in it, so that a word is part of a longer one."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        with closing(sqlite3.connect(file)) as told:
            told.execute("create table people (first text, mail text, last text)")
            told.execute("insert into people values ('Ada', ?, 'Loveday')", (MAIL,))
            told.commit()
        return file.read_bytes()


def numbered() -> bytes:
    out = BytesIO()
    told = {"type": ["track", "track"], "properties.loyalty_card": [CARD, 4200000000001]}
    pq.write_table(pa.table(told).replace_schema_metadata({"author": MAIL}), out)
    return out.getvalue()


FILES: Mapping[str, Callable[[], bytes]] = {
    "half.parquet": lambda: packed()[:-40],
    "broken.parquet": with_broken_pages,
    "named-otherwise.csv": packed,
    "no-member.csv.gz": lambda: b"\x1f\x8b" + MAIL.encode(),
    "half.csv.gz": lambda: gzip.compress((HEAD + ROW * 50).encode())[:-12],
    "broken.csv.gz": lambda: broken(ROW * 50),
    "people.zip": zipped,
    "people.sqlite": database,
    "noted.parquet": numbered,
    "no-head.csv": lambda: f"{MAIL};Loveday\n1;2\n".encode(),
    "one-row.csv": lambda: f"{MAIL};Loveday\n".encode(),
    "keeper.csv": lambda: KEEPER,
}


def drop(world: ErasureWorld, names: Collection[str] = FILES.keys()) -> None:
    for name in names:
        world.put(f"imports/shop/{name}", FILES[name]())


def take(world: ErasureWorld) -> None:
    run = world.open()
    with mock.patch("stamgast_lake.engine.connect", _cursor):
        for given in open_run(world.lake, run).imports:
            import_file(world.lake, run.run_id, given)
        load_run(world.lake, run.run_id)
        close_run(world.lake, run, figures={}, error=None, closed_at=run.moment)


def left(world: ErasureWorld) -> dict[str, int]:
    """How many bytes each file of the drop zone has, in all of its versions."""
    told: dict[str, int] = {}
    for one in world.s3.list_object_versions(Bucket="lake", Prefix="imports/")["Versions"]:
        told[one["Key"]] = told.get(one["Key"], 0) + one["Size"]
    return told


def erased(world: ErasureWorld, searches: int = 2) -> str:
    """The state in which a request ends when so many searches had their way."""
    request_id = world.request(Kind.ERASURE, email=MAIL)
    with mock.patch("stamgast_lake.engine.connect", _cursor):
        work = world.work()
        for _ in range(searches):
            work.carry_out([request_id])
            work.prove()
    world.seq += searches  # each sweep took a number of the lease
    request = world.requests.read(request_id)
    assert request is not None
    return "closed" if not request.is_open else "open"


@pytest.mark.failure_line(37)
@pytest.mark.parametrize("before", [take, lambda _: None], ids=["taken in", "not yet seen"])
def test_half_a_file_goes_whole_and_a_proof_ends(
    world: ErasureWorld, before: Callable[[ErasureWorld], None]
) -> None:
    """Line 37: half a Parquet file holds values that no search sees, a head may be a row."""
    drop(world)
    before(world)
    assert erased(world) == "closed"
    assert left(world)["imports/shop/half.parquet"] == 0
    assert left(world)["imports/shop/broken.parquet"] == 0
    assert gzip.decompress(world.body("imports/shop/no-member.csv.gz")) == b""
    assert MAIL.encode() not in gzip.decompress(world.body("imports/shop/broken.csv.gz"))
    assert left(world)["imports/shop/people.zip"] == 0
    assert left(world)["imports/shop/people.sqlite"] == 0
    assert pq.read_table(BytesIO(world.body("imports/shop/noted.parquet"))).num_rows == 2
    assert MAIL.encode() not in world.body("imports/shop/noted.parquet")
    assert left(world)["imports/shop/one-row.csv"] == 0
    assert world.body("imports/shop/no-head.csv") == b"1;2\n"
    assert left(world)["imports/shop/keeper.csv"] == len(KEEPER)
    assert MAIL.encode() not in gzip.decompress(world.body("imports/shop/half.csv.gz"))


def reads_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "parquet_tells", lambda file, *_, **__: pq.read_table(file).num_rows > 0)


def believes_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "parquet_tells", lambda *_, **__: False)


def takes_heads_for_heads(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dropped.DropErasure, "_is_told_by", lambda *_: 0)


def looks_at_rows_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dropped.DropErasure, "_whole", lambda *_: 0)


def reads_as_far_as_it_can(patch: pytest.MonkeyPatch) -> None:
    inflated = scan.inflated

    def lenient(blocks: Iterator[bytes]) -> Iterator[bytes]:
        with suppress(scan.BrokenGzipError):
            yield from inflated(blocks)

    patch.setattr(scan, "inflated", lenient)


def unpacks_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "PACKED", ())


@pytest.mark.deep
@pytest.mark.parametrize(
    ("fault", "stays"),
    [
        (reads_as_far_as_it_can, "broken.csv.gz"),
        (unpacks_nothing, "people.zip"),
        (unpacks_nothing, "people.sqlite"),
        (reads_on, "half.parquet"),
        (believes_it, "half.parquet"),
        (takes_heads_for_heads, "no-head.csv"),
        (looks_at_rows_alone, "one-row.csv"),
    ],
)
def test_what_is_left_out_would_be_seen(
    world: ErasureWorld,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
    stays: str,
) -> None:
    drop(world, [stays])
    take(world)
    had = left(world)
    fault(monkeypatch)
    try:
        erased(world, searches=1)
    except (pa.ArrowInvalid, OSError):
        assert fault is reads_on
    assert left(world)[f"imports/shop/{stays}"] == had[f"imports/shop/{stays}"]


LINES = ("rejected/date=2026-03-01/hour=09/half.gz", "raw/date=2026-03-01/hour=09/broken.gz")


def archived(world: ErasureWorld) -> None:
    half = gzip.compress("".join(f'{{"a":{n}}}\n' for n in range(5000)).encode())[:-900]
    for key, body in zip(LINES, (half, broken(ROW)), strict=True):
        world.put(key, body)


@pytest.mark.failure_line(37)
def test_half_an_object_of_the_archive_holds_up_no_erasure(world: ErasureWorld) -> None:
    """Line 37: what stands behind the break goes, lines before it stay."""
    archived(world)
    assert erased(world) == "closed"
    half, broke = (gzip.decompress(world.body(key)) for key in LINES)
    assert half.startswith(b'{"a":0}\n{"a":1}\n')
    assert half.endswith(b"}\n")
    assert MAIL.encode() not in broke


def test_an_erasure_that_reads_the_archive_to_its_end_alone_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived(world)
    monkeypatch.setattr(archive, "readable", lambda body: (list(archive.read_lines(body)), False))
    with pytest.raises((EOFError, zlib.error)):
        erased(world)


def test_text_behind_a_gzipped_member_and_a_member_that_ends_early_are_no_break() -> None:
    plain = gzip.compress(b"one") + b"two"
    assert b"".join(scan.inflated(iter([plain[:9], plain[9:]]))) == b"onetwo"
    early = gzip.compress(b"z" * 100_000)[:-9]
    assert len(b"".join(scan.inflated(iter([early])))) > 90_000
    with pytest.raises(scan.BrokenGzipError):
        list(scan.inflated(iter([broken()])))


def test_no_file_goes_for_a_fault_of_the_disk(tmp_path: Path) -> None:
    needles = needles_of([])
    with pytest.raises(FileNotFoundError):
        parquet.parquet_tells(tmp_path / "gone", needles)
    with pytest.raises(FileNotFoundError):
        parquet.without_rows(tmp_path / "gone", tmp_path / "left", needles)
