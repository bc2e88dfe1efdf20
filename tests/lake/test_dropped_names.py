"""A dropped file's name is data of whom it names: it goes with them, and does not come back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from stamgast.erasure import file_names
from stamgast.erasure.file_names import is_renamed
from stamgast.erasure.needles import needles_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_lake.erasure import arrived, dropped, scan
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.imports.run import import_file
from stamgast_lake.inputs import Listing
from stamgast_lake.loading import run as loading
from stamgast_lake.runs import close_run, open_run
from stamgast_lake.tables import EVENTS
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.world import KEYRING, _cursor

MAIL, CARD = "ada.loveday@x.example", "crd-998-7731"
HEAD = "type,userId,event,messageId,timestamp,properties.email,properties.note\n"
NAMED = f"{HEAD}track,keeper-1,Sold,f1,2026-03-01,,\ntrack,,Sold,f2,2026-03-01,{MAIL},\n"
LONGER = f"{NAMED}track,keeper-1,Sold,f3,2026-03-01,,\n"
"""Another file: the same one is known as a copy of what an erasure changed."""
PLACES = (f"imports/shop/{MAIL}.csv", f"imports/shop/of {MAIL.upper()}/2026_{MAIL}-a.csv")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def everything(world: ErasureWorld) -> list[str]:
    """Names and contents of all that the drop zone and the ledger hold, in every version."""
    kept = world.s3.list_object_versions(Bucket="lake")["Versions"]
    texts = [one["Key"] for one in kept]
    for one in kept:
        if one["Key"].startswith(("imports/", "runs/")):
            body = Objects(world.s3, "lake").body(one["Key"], one["VersionId"])
            texts.append(body.decode("utf-8", "replace"))
    ledger = world.lake.catalogue.dataset(dropped.RAW_FILES).to_table(columns=["object"])
    return [*texts, *ledger.column("object").to_pylist()]


def tells(world: ErasureWorld) -> list[str]:
    return [text for text in everything(world) if MAIL in text.lower()]


def drop(world: ErasureWorld, *bodies: str) -> None:
    for place, body in zip(PLACES, bodies or (NAMED, NAMED.replace(",f", ",g")), strict=False):
        world.put(place, body.encode())
    take(world)


def take(world: ErasureWorld) -> None:
    """A run as far as the load, which is all that reads dropped files."""
    run = world.open()
    with mock.patch("stamgast_lake.engine.connect", _cursor):
        for given in open_run(world.lake, run).imports:
            import_file(world.lake, run.run_id, given)
        loading.load_run(world.lake, run.run_id)
        close_run(world.lake, run, figures={}, error=None, closed_at=run.moment)


def erased(world: ErasureWorld) -> None:
    drop(world)
    assert tells(world)
    world.erase(world.subject(email=MAIL))


@pytest.mark.failure_line(36, 37)
def test_a_dropped_file_named_after_the_erased_is_renamed_and_stays_renamed_when_dropped_again(
    world: ErasureWorld,
) -> None:
    """Lines 36 and 37: in the drop zone, the ledger and documents of runs; and dropped again."""
    erased(world)
    assert tells(world) == []
    names = [one.key for one in Listing(world.s3, "lake").imports()]
    assert len(names) == len(PLACES)
    assert all(is_renamed(name) for name in names)
    drop(world)  # a backup of the drop zone that is put back, say
    assert tells(world) == []
    assert world.lake.catalogue.dataset(EVENTS).count_rows() == len(PLACES)
    assert all(row["is_conserved"] for row in world.rows("reconciliation"))


@pytest.mark.failure_line(37)
def test_a_file_that_was_renamed_is_known_to_an_erasure_of_somebody_else(
    world: ErasureWorld,
) -> None:
    """Line 37: receipts lead to the file's first name, which nothing holds any more."""
    erased(world)
    world.erase(world.subject(user_id="keeper-1"))
    assert not [text for text in everything(world) if "keeper-1" in text]


def listed(world: ErasureWorld) -> list[str]:
    """What still tells of who gave one file its whole name, in documents of runs above all."""
    world.put(PLACES[0], NAMED.encode())
    take(world)
    world.erase(world.subject(email=MAIL))
    return tells(world)


@pytest.mark.failure_line(37)
def test_a_document_of_a_run_that_lists_a_file_named_after_the_erased_goes(
    world: ErasureWorld,
) -> None:
    """Line 37: `.csv` makes no longer address of the one before it."""
    assert listed(world) == []


@pytest.mark.deep
def test_a_search_that_takes_the_ending_for_a_part_of_the_address_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "names_tell", lambda *_: False)
    assert listed(world)


def names_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dropped, "renamed", lambda key, *_: key)


def names_come_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(arrived, "renamed_by_keys", lambda key, *_: key)


def rows_come_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(loading, "_keep_out_of_files", lambda *_: 0)


@pytest.mark.deep
@pytest.mark.parametrize("left_out", [names_stay, names_come_back, rows_come_back])
def test_a_step_that_is_left_out_is_found(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch, left_out: Any
) -> None:
    left_out(monkeypatch)
    erased(world)
    told = tells(world)
    drop(world, LONGER, LONGER.replace(",f", ",g"))
    assert told or tells(world)


BESIDE = "Ada Loveday"
MAPPED = "sources:\n  shop: {name: Shop, imports: [{match: 'orders-*.csv'}, {match: '*.csv'}]}\n"
MAPPING = workspace_of(compile_files({"sources.yaml": MAPPED}))


def beside(world: ErasureWorld) -> list[str]:
    """The names that files get in whose names more than the identifier told of somebody."""
    drop(world)
    world.put(f"imports/shop/tills/{MAIL} {BESIDE}.csv", NAMED.replace(",f", ",h").encode())
    take(world)
    world.put(f"imports/shop/orders-{BESIDE} {MAIL}.csv", NAMED.replace(",f", ",i").encode())
    world.put(f"imports/shop/card of {MAIL}.txt", BESIDE.encode())
    world.erase(world.subject(email=MAIL))
    return [text for text in everything(world) if BESIDE in text]


@pytest.mark.failure_line(36)
def test_what_stands_beside_the_identifier_in_a_name_goes_with_it(
    world: ErasureWorld,
) -> None:
    """Line 36: a name beside an address; a file that has no rows goes with the name it had."""
    assert beside(world) == []
    assert any(
        one.key.startswith("imports/shop/tills/erased-")
        for one in Listing(world.s3, "lake").imports()
    )


@pytest.mark.deep
def test_a_name_of_which_the_identifier_alone_goes_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_names, "_without_parts", lambda key, *_: key)
    monkeypatch.setattr(dropped, "fits_always", lambda _: False)
    assert beside(world)


def test_a_file_that_no_run_has_taken_in_keeps_its_mapping(world: ErasureWorld) -> None:
    world.lake = replace(world.lake, workspace=lambda: MAPPING)
    first, second = f"imports/shop/orders-{MAIL}.csv", f"imports/shop/x {MAIL}.csv"
    names = [
        file_names.renamed(key, needles_of([world.subject(email=MAIL)]), KEYRING, fits)
        for key in (first, second)
        for fits in (arrived.mapped_alike(world.lake, key), file_names.fits_always)
    ]
    heads = [name.removeprefix("imports/shop/").partition("erased-")[0] for name in names]
    assert heads == ["orders-", "", "", ""]


def test_a_name_is_told_by_words_whatever_stands_between_them(world: ErasureWorld) -> None:
    needles = needles_of([world.subject(email=MAIL, user_id=CARD, phone="+31687654321")])
    for name in (
        f"a_{MAIL}-b.csv",
        f"{CARD}_x.csv",
        "calls_+31687654321-2.csv",
        "ADA.LOVEDAY%40X.example",
    ):
        assert needles.is_name(name)
    for name in (f"x{MAIL}.csv", f"{CARD}1.csv", "baskets/2026.parquet"):
        assert not needles.is_name(name)
