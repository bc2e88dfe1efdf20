"""What others wrote of the erased, put back with a copy of the archive, is found by keys alone."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import Kind
from stamgast.moments import iso_of, moment_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_lake.erasure.archive import tombstones_of
from stamgast_lake.erasure.notes import Notes, words_of
from tests.lake import erasure_world as worlds
from tests.lake.erasure_world import HOUR_MS, ErasureWorld, erasure_world
from tests.lake.test_erasure import CANARY, KEEPER, NOTHING, event, identify
from tests.lake.world import KEYRING

NUMBER = "+31612345678"
NOTES = (
    f"ask {CANARY['email']} again",
    f"see /mail?to={CANARY['email'].replace('@', '%40')}&x=1",
    f"it is {CANARY['user_id']}, said the till.",
    "ring +31 6 1234-5678",
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as world:
        world.now_ms -= 3 * HOUR_MS  # the bucket dates what is put back by the real clock
        yield world


def put_back_after_an_erasure(world: ErasureWorld) -> None:
    """The person is erased and proven so; then the archive from before is put back, packed anew.

    A copy of the same bytes is known by its mark, and taken back without a look at its words.
    """
    world.send(
        identify("c1", userId=CANARY["user_id"], traits={"email": CANARY["email"]}),
        identify("c2", userId=CANARY["user_id"], traits={"phone": NUMBER}),
        identify("k1", userId=KEEPER["user_id"], traits={"remark": NOTES[0]}),
        *(
            event(f"k{place + 2}", userId=KEEPER["user_id"], properties={"note": note})
            for place, note in enumerate(NOTES)
        ),
    )
    world.run()
    archive, work = world.archived(), world.work()
    asked = world.request(Kind.ERASURE, user_id=CANARY["user_id"])
    for _ in range(2):
        work.carry_out([asked])
        work.prove()
    assert world.requests.open_ids() == []
    world.seq += 2  # each erasure took a number of the lease
    world.run()
    world.restore({key: repacked(body) for key, body in archive.items()})
    world.now_ms += 10_000
    world.run()


def repacked(body: bytes) -> bytes:
    return gzip.compress(gzip.decompress(body), 1, mtime=1)


def left(world: ErasureWorld) -> dict[str, list[str]]:
    whole = world.subject(**CANARY, phone=NUMBER)
    found = world.found(needles_of([whole]))
    return {**found, "items": [item for item in found["items"] if "control" not in item]}


@pytest.mark.deep
@pytest.mark.failure_line(36)
def test_a_restore_drill_ends_with_nothing_of_what_others_wrote(world: ErasureWorld) -> None:
    """Line 36: an archive that tells of an erased person is put back under other names."""
    put_back_after_an_erasure(world)
    assert left(world) != NOTHING
    made = world.compared()
    work = world.work()
    assert set(work.carry_out(made).values()) == {"completed"}
    assert work.prove() == len(made)
    assert world.requests.open_ids() == []
    assert left(world) == NOTHING
    world.seq += 2
    world.run()
    assert left(world) == NOTHING
    assert world.compared() == []


@pytest.mark.deep
def test_a_drill_that_reads_no_texts_is_found(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Notes, "of_day", lambda *_: {})
    monkeypatch.setattr(Notes, "of_object", lambda *_: {})
    put_back_after_an_erasure(world)
    assert world.compared() == []
    assert left(world) != NOTHING


def erased_and_put_back(world: ErasureWorld) -> frozenset[str]:
    """Tombstones stand, nobody is known any more, and an object of old lines is there again."""
    whole = world.subject(**CANARY, phone=NUMBER)
    world.send(
        *(
            event(f"k{place}", userId=KEEPER["user_id"], properties={"note": note})
            for place, note in enumerate(NOTES)
        )
    )
    world.log.put(tombstones_of([whole]).values())
    return whole.keys


@pytest.mark.failure_line(36)
def test_values_that_everybody_forgot_are_read_from_what_others_wrote(world: ErasureWorld) -> None:
    """Line 36: by keys alone, in texts that are not younger than the erasure."""
    keys = erased_and_put_back(world)
    [made] = world.compared()
    asked, document = world.requests.read(made), world.requests.document(made)
    assert asked is not None
    assert document is not None
    assert set(asked.keys) == keys == document["values"].keys()
    assert set(document["values"].values()) == {*CANARY.values(), NUMBER}
    assert [key[:4] for key in document["objects"]] == ["raw/"]
    state = world.requests.document("reapply")
    assert state is None or not state["values"]


def test_old_rows_of_a_file_that_was_dropped_later_are_read(world: ErasureWorld) -> None:
    keys = erased_and_put_back(world)
    [(key, body)] = world.archived().items()
    world.s3.delete_object(Bucket="lake", Key=key)
    at = moment_of(world.now_ms + HOUR_MS)
    world.put(f"raw/date={at:%Y-%m-%d}/hour={at:%H}/import-1-00000.ndjson.gz", body)
    [made] = world.compared()
    asked = world.requests.read(made)
    assert asked is not None
    assert set(asked.keys) == keys


def test_a_comparison_that_reads_no_objects_finds_nobody(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Notes, "of_object", lambda *_: {})
    erased_and_put_back(world)
    assert world.compared() == []


def test_what_others_write_after_an_erasure_and_of_who_came_back_is_left_alone(
    world: ErasureWorld,
) -> None:
    world.log.put(tombstones_of([world.subject(**CANARY, phone=NUMBER)]).values())
    world.now_ms += HOUR_MS
    noted = event("k1", world.now_ms, userId=KEEPER["user_id"], properties={"note": NOTES[0]})
    world.send(noted, received_ms=world.now_ms)
    assert world.compared() == []
    back = identify("c2", userId=CANARY["user_id"], traits={"email": CANARY["email"]})
    world.send({**back, "timestamp": iso_of(world.now_ms)}, received_ms=world.now_ms)
    late = event("k3", world.now_ms - 2 * HOUR_MS, properties={"note": NOTES[0]})
    world.send({**late, "userId": KEEPER["user_id"]}, received_ms=world.now_ms)
    assert world.compared() == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("mailto:ada@example.com?x=1", "ada@example.com"),
        (r'{"a":"ada\u0040example.com."}', "ada@example.com"),
        ("?to=ada%40example.com&b=2", "ada@example.com"),
        ("call (06) 12 34 56 78 now", "06) 12 34 56 78"),
        ("cust-77431902, again", "cust-77431902"),
    ],
)
def test_a_word_that_could_be_an_identifier_is_read_as_people_write_it(
    text: str, word: str
) -> None:
    assert word in words_of(text)


HOME = "she rings from 06-1234 5678, ask for her"
"""A number as people of its country write it; nothing in the note says which that is."""


def keys_in_notes(world: ErasureWorld) -> set[str]:
    """What notes with a local number spell, where one source of two has a region."""
    notes = (event(f"h{n}", userId=KEEPER["user_id"], properties={"note": HOME}) for n in range(2))
    world.send(*notes)
    world.run()
    whole = world.subject(phone=NUMBER)
    told = Notes(world.lake, tombstones_of([whole]))
    return {key for day in told.days() for key in told.of_day(day)}


def with_region(shop: str, default: str) -> Workspace:
    sources = f"sources:\n  web: {{name: Web}}\n  shop: {{name: Shop, region: {shop}}}\n"
    texts = {"sources.yaml": sources, "identity.yaml": f"identity: {{default_region: {default}}}"}
    return workspace_of(compile_files(texts))


def test_a_local_number_is_read_in_the_regions_of_all_sources(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "WORKSPACE", with_region("NL", default="DE"))
    assert keys_in_notes(world) == {KEYRING.identifier_key("phone", NUMBER)}


def test_without_its_region_a_local_number_is_found_by_no_key(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "WORKSPACE", with_region("BE", default="DE"))
    assert keys_in_notes(world) == set()
