"""A whole archive that is put back, where it lay or beside it, is gone again after one night."""

import gzip
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from moto.s3 import models

from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import Kind
from stamgast.moments import iso_of, moment_of
from stamgast_lake.erasure.notes import Notes
from stamgast_lake.erasure.put_back import PutBack
from stamgast_lake.erasure.written import Judging
from stamgast_lake.inputs import ImportInput
from tests.lake.erasure_world import HOUR_MS, ErasureWorld, erasure_world
from tests.lake.test_erasure import CANARY, KEEPER, NOTHING, event, identify

MAIL = CANARY["email"]
CODED = b64encode(f"<{MAIL}>".encode()).decode()
KEPT = (KEEPER["user_id"], "keeps-this")
FILE = "imports/shop/sales.csv"
ROWS = (
    "type,userId,event,messageId,properties.note\n"
    f"track,{CANARY['user_id']},Sold,f1,\n"
    f"track,{KEPT[0]},Sold,f2,of {CODED}\n"
    f"track,{KEPT[0]},Sold,f3,{KEPT[1]}\n"
)
Bodies = dict[str, bytes]
Put = Callable[[ErasureWorld, Bodies], None]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as world:
        # What is put back is younger than the erasure, and what was dropped at first is older.
        ticks = count(1)  # versions of one moment have no order
        monkeypatch.setattr(
            models, "utcnow", lambda: moment_of(world.now_ms + next(ticks)).replace(tzinfo=None)
        )
        yield world


def packed(folder: Path) -> bytes:
    """A database in which an address lies between its neighbours."""
    with sqlite3.connect(folder / "crm.sqlite") as file:
        file.execute("create table people (name text, address text, city text)")
        file.execute("insert into people values ('Ada', ?, 'Delft')", (MAIL,))
    file.close()
    return (folder / "crm.sqlite").read_bytes()


def everything(world: ErasureWorld) -> Bodies:
    """The archive and the drop zone, as a customer's own copy holds them."""
    pages = world.s3.get_paginator("list_objects_v2").paginate(Bucket="lake")
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    kept = (key for key in keys if key.startswith(("raw/", "rejected/", "imports/")))
    return {key: world.body(key) for key in kept}


def proven(world: ErasureWorld, *asked: str) -> None:
    """Carried out and searched for until nothing is open."""
    work = world.work()
    for _ in range(3):
        work.carry_out(world.requests.open_ids() or asked)
        work.prove()
    assert world.requests.open_ids() == []
    world.seq += 8  # each took a number of the lease


def erased(world: ErasureWorld, folder: Path) -> Bodies:
    """The canary through the doors, others who wrote of it, and its erasure with the proof."""
    world.send(
        identify("c1", userId=CANARY["user_id"], traits={"email": MAIL}),
        event("k1", userId=KEPT[0], properties={"note": CODED, "own": KEPT[1]}),
        event("k2", userId=KEPT[0], properties={"note": f"ask {MAIL}", "own": KEPT[1]}),
    )
    world.send({"type": "track", "userId": CANARY["user_id"]}, request_id="r2")  # refused
    world.put(FILE, ROWS.encode())
    world.put("imports/shop/crm.sqlite", packed(folder))
    world.run()
    copy = everything(world)
    world.now_ms += HOUR_MS
    proven(world, world.request(Kind.ERASURE, user_id=CANARY["user_id"]))
    assert left(world) == NOTHING
    return copy


def left(world: ErasureWorld) -> dict[str, list[str]]:
    found = world.found(needles_of([world.subject(**CANARY)]))
    return {**found, "items": [item for item in found["items"] if "control" not in item]}


def in_place(world: ErasureWorld, copy: Bodies) -> None:
    for key, body in copy.items():
        world.put(key, body)


def beside(world: ErasureWorld, copy: Bodies) -> None:
    for key, body in copy.items():
        folder, _, name = key.rpartition("/")
        world.put(f"{folder}/again-{name}", body)


def packed_anew(world: ErasureWorld, copy: Bodies) -> None:
    """Other bytes of the same lines: no entity tag is known of these."""
    for key, body in copy.items():
        if key.endswith(".gz"):
            world.put(key, gzip.compress(gzip.decompress(body), 1, mtime=7))


def night(world: ErasureWorld) -> None:
    """A run, the look at what was put back, and the search of what that has found."""
    world.now_ms += HOUR_MS
    world.run()
    world.watched()
    proven(world)


def kept(world: ErasureWorld) -> int:
    """How many lines and rows of somebody else stand, in the archive and in the drop zone."""
    told = everything(world)
    texts = (gzip.decompress(b) if k.endswith(".gz") else b for k, b in told.items())
    return sum(text.count(KEPT[1].encode()) for text in texts)


@pytest.mark.deep
@pytest.mark.failure_line(36)
@pytest.mark.failure_line(37)
@pytest.mark.parametrize("put", [in_place, beside, packed_anew])
def test_nothing_is_left_a_night_after_a_whole_archive_was_put_back(
    world: ErasureWorld, tmp_path: Path, put: Put
) -> None:
    """Lines 36 and 37: names, notes, encoded notes, rows, refused events, packed files."""
    copy = put_back(world, tmp_path, put)
    had = kept(world)
    put(world, copy)
    assert left(world) != NOTHING
    night(world)
    assert left(world) == NOTHING
    assert kept(world) == had
    assert all(row["is_conserved"] for row in world.rows("reconciliation"))
    assert world.watched() == []


@pytest.mark.deep
def test_a_packed_file_that_no_erasure_knew_stands_after_a_night(
    world: ErasureWorld, tmp_path: Path
) -> None:
    """It came after an erasure, no run can read it, and its owner may still want to mend it."""
    erased(world, tmp_path)
    with sqlite3.connect(tmp_path / "new.sqlite") as file:
        file.execute("create table people (name text)")
    file.close()
    body = (tmp_path / "new.sqlite").read_bytes()
    world.now_ms += 2 * HOUR_MS
    world.put("imports/shop/new.sqlite", body)
    night(world)
    assert world.body("imports/shop/new.sqlite") == body


def put_back(world: ErasureWorld, folder: Path, put: Put) -> Bodies:
    """What is put back two hours after the erasure."""
    copy = erased(world, folder)
    world.now_ms += 2 * HOUR_MS
    if put is not packed_anew:
        return copy
    # What is encoded within a stranger's text is known by an object's bytes alone.
    zipped = {key: gzip.decompress(body) for key, body in copy.items() if key.endswith(".gz")}
    return {k: gzip.compress(text.replace(CODED.encode(), b"")) for k, text in zipped.items()}


def looks_at_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Judging, "changed", lambda *_: set())
    patch.setattr(Notes, "of_object", lambda *_: {})


def forgets_what_changed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PutBack, "changed", lambda *_: set())
    patch.setattr(Notes, "of_object", lambda *_: {})  # no plain note leads to the encoded ones


@pytest.mark.deep
@pytest.mark.parametrize("left_out", [looks_at_nothing, forgets_what_changed])
def test_a_night_that_leaves_a_step_out_is_found(
    world: ErasureWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_out: Any
) -> None:
    copy = put_back(world, tmp_path, in_place)
    left_out(monkeypatch)
    in_place(world, copy)
    night(world)
    assert left(world) != NOTHING


def newer(world: ErasureWorld, key: str, *bodies: str) -> str:
    """What stands under a key after it was given these contents, of which some are known."""
    for body in bodies:
        world.put(key, body.encode())
        if body.startswith("old"):
            PutBack(world.lake).remember(world.s3.head_object(Bucket="lake", Key=key)["ETag"][1:-1])
    tag = world.s3.head_object(Bucket="lake", Key=key)["ETag"][1:-1]
    with mock.patch.object(PutBack, "_rows", return_value=iter(())):
        PutBack(world.lake).take_back({key: tag})
    return world.body(key).decode()


@pytest.mark.parametrize(
    ("bodies", "stands"),
    [
        (("left", "old"), "left"),
        (("left", "old", "old 2"), "left"),
        (("left", "old", "new"), "new"),
        (("old",), "old"),
    ],
)
def test_what_an_erasure_left_stands_and_what_came_since_is_no_older_for_it(
    world: ErasureWorld, bodies: tuple[str, ...], stands: str
) -> None:
    assert newer(world, "raw/date=2026-01-01/hour=00/1.gz", *bodies) == stands


@pytest.mark.parametrize(("source", "stands"), [("shop", False), ("shop_2", True)])
def test_the_same_file_of_another_source_is_no_copy(
    world: ErasureWorld, source: str, stands: bool
) -> None:
    """A file that was mapped wrong is given to another source: its rows are messages of its own."""
    key = f"imports/{source}/again.csv"
    world.put(FILE, b"left")
    world.put(key, ROWS.encode())
    tag = world.s3.head_object(Bucket="lake", Key=key)["ETag"][1:-1]
    PutBack(world.lake).remember(tag)
    with mock.patch.object(PutBack, "_homes", return_value={tag: FILE}):
        given = ImportInput(key, tag, len(ROWS), iso_of(world.now_ms))
        assert bool(list(PutBack(world.lake).without_copies([given]))) is stands
    assert (key in everything(world)) is stands
