"""Law 2 where an erasure takes the copy that holds: another's copy of the message counts instead.

Random histories of copies that name several people, with runs in between, an erasure, and copies
that come again: lake, live view and receipts are what the archive that is left says.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import pytest

from functions.open_run import handler as opening
from stamgast.ingestion.accept import accept
from stamgast.moments import iso_of, moment_of, ms_of
from stamgast.profile.facts import NOTHING
from stamgast.profile.timeline_items import place_of
from stamgast.raw.unfold import unfold
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_lake.catalogue import Catalogue
from stamgast_lake.loading import duplicates, redelivered, unheld
from stamgast_lake.loading import run as loading
from stamgast_lake.loading.unheld import Unheld
from stamgast_lake.runs import close_run
from stamgast_lake.tables import EVENTS, RECEIPTS, LakeTable
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.lake_catalogue import CrashError
from tests.lake.copies import CLAIMED, VERIFIED
from tests.lake.erasure_world import ErasureWorld, erasure_world, run_of
from tests.lake.test_erasure_positions import homes, rebuilt, said
from tests.lake.thorough import seeds
from tests.lake.world import KEYRING, World, receipt

CANARY = "canary-7731"
KEEPERS = ("keeper-1122", "keeper-3344")
SEEDS, MORE_SEEDS = (3,), range(20)
Story = Callable[[ErasureWorld], None]


@contextmanager
def made(folder: Path) -> Iterator[ErasureWorld]:
    with pytest.MonkeyPatch.context() as patches, erasure_world(folder, patches) as world:
        yield world


def say(world: ErasureWorld, body: dict[str, Any], number: int, **told: Any) -> None:
    """A copy in a request of its own, received so many milliseconds after the first."""
    told = {"received_ms": world.now_ms + number, **told}
    world.send(body, request_id=f"q{number:03}", source_id="web", **told)


def any_copy(random: Random, number: int) -> dict[str, Any]:
    """A message that names one of few people, and perhaps a device or an address beside."""
    body = said(f"m{number}", userId=random.choice((CANARY, CANARY, *KEEPERS)))
    if random.random() < 0.3:
        body["anonymousId"] = f"device-{random.randrange(3)}"
    if random.random() < 0.3:
        body["traits"] = {"email": f"mail-{random.randrange(3)}@example.com"}
    if random.random() < 0.4 and "anonymousId" in body:
        del body["userId"]
    return body


def erase(world: ErasureWorld) -> None:
    world.now_ms += 1_000
    world.erase(world.subject(user_id=CANARY))
    world.now_ms += 1_000


def lived(world: ErasureWorld, seed: int) -> None:
    """Few messages of up to three copies in any order, an erasure, perhaps copies again, a run."""
    random = Random(seed)
    copies = [
        (number, any_copy(random, message), random.choice((CLAIMED, VERIFIED)))
        for number, message in enumerate(
            m for m in range(3) for _ in range(random.choice((1, 2, 3)))
        )
    ]
    shift = world.now_ms
    random.shuffle(copies)
    for number, body, word in copies:
        say(world, body, number, assurance=word)
        if random.random() < 0.2:
            world.run()
    if random.random() < 0.8:
        world.run()
    erase(world)
    for number, body, word in copies:
        if random.random() < 0.2:
            say(world, body, number, assurance=word, received_ms=shift + number)
        if random.random() < 0.2:
            say(world, body, number + 100, assurance=word)
    world.run()


def check(world: ErasureWorld) -> None:
    """Everything is as in a world that is made of the archive alone."""
    other = rebuilt(world)
    lake = {row["identifier"]: row["person_id"] for row in world.rows("identity_current")}
    named = homes(other)
    assert lake == named
    live = homes(world)
    assert {key: one for key, one in live.items() if key in named} == named
    facts = other.profiles()
    persons = world.persons()
    assert all(len(persons[live[key]]) == 1 for key in live.keys() - named.keys())
    assert world.profiles() == {one: facts.get(one, NOTHING) for one in persons}
    assert lines(world) == held(other)
    assert states(world) == states(other)


def lines(world: World) -> set[tuple[str, str]]:
    """The lines of timelines that a reader sees."""
    anchors = {key.removeprefix("I#") for key, _ in world.entries()}
    return {
        (f"I#{one}", place_of(line))
        for one in anchors
        for line in world.facts.entries(one, world.now_ms)
    }


def held(world: World) -> set[tuple[str, str]]:
    """The lines of timelines that the lake's events give."""
    return {
        (f"I#{row['anchor_key']}", f"X#{ms_of(row['original_at']):015d}#{row['message_key']}")
        for row in world.catalogue.rows(EVENTS)
    }


def states(world: World) -> dict[str, str]:
    rows = ErasureWorld.rows(world, "receipt_states")  # type: ignore[arg-type]
    return {row["receipt_id"]: row["state"] for row in rows}


@pytest.mark.deep
@pytest.mark.parametrize("seed", seeds(SEEDS, MORE_SEEDS))
def test_after_an_erasure_and_a_run_all_is_as_in_a_rebuild(seed: int, tmp_path: Path) -> None:
    with made(tmp_path) as world:
        lived(world, seed)
        check(world)


def in_conflict(world: ErasureWorld, before: Callable[[], object] = lambda: None) -> None:
    """The copy that lost was received later, in the same run."""
    say(world, said("m1", userId=CANARY), 1)
    say(world, said("m1", userId=KEEPERS[0], anonymousId="device-1"), 2)
    world.run()
    before()
    erase(world)


def displaced(world: ErasureWorld) -> None:
    """The copy that lost was stored, until a run met an earlier one."""
    say(world, said("m1", userId=KEEPERS[0], anonymousId="device-1"), 2)
    world.run()
    say(world, said("m1", userId=CANARY), 1)
    world.run()
    erase(world)


def after(world: ErasureWorld, story: Story) -> None:
    """The story, and a run; the keeper's copy counts, in the lake and live."""
    story(world)
    world.run()
    assert KEYRING.identifier_key("user_id", KEEPERS[0]) in homes(world)
    check(world)


@pytest.mark.parametrize(
    "story",
    [in_conflict, pytest.param(displaced, marks=pytest.mark.deep)],
    ids=lambda s: s.__name__,
)
def test_a_copy_of_somebody_else_counts_once_the_one_that_held_is_erased(
    story: Story, tmp_path: Path
) -> None:
    with made(tmp_path) as world:
        after(world, story)


def opened(world: ErasureWorld) -> int:
    """How much the opening of a scheduled run says that there is to do; it begins nothing."""
    now = world.now_ms / 1000
    lease = DynamoRunLease(client=DynamoDB("control"), table="control", now=lambda: now)
    patches = (
        mock.patch.object(opening, "_lake", return_value=world.lake),
        mock.patch.object(opening, "_lease", return_value=lease),
        mock.patch.dict("os.environ", {"POWERTOOLS_SERVICE_NAME": "open_run"}),
    )
    with patches[0], patches[1], patches[2]:
        at = moment_of(world.now_ms).isoformat()
        told = opening.handler({"run_id": "tick", "moment": at}, None)
    inputs: int = told["inputs"]
    return inputs


def ticks(world: ErasureWorld) -> list[int]:
    """Scheduled runs before an erasure, after it, and after the run that it owes."""
    told = []
    in_conflict(world, lambda: told.append(opened(world)))
    told.append(opened(world))
    world.run()
    return [*told, opened(world)]


def test_a_copy_that_waits_after_an_erasure_is_work_for_the_next_scheduled_run(
    tmp_path: Path,
) -> None:
    with made(tmp_path) as world:
        assert ticks(world) == [0, 1, 0]


@pytest.mark.deep
def test_a_schedule_that_looks_for_new_objects_alone_is_found_out(tmp_path: Path) -> None:
    broken = mock.patch.object(opening, "may_wait", return_value=False)
    with broken, made(tmp_path) as world, pytest.raises(AssertionError):
        assert ticks(world) == [0, 1, 0]


@pytest.mark.deep
def test_a_load_that_stages_no_copy_anew_is_found_out(tmp_path: Path) -> None:
    broken = mock.patch.object(loading, "unheld", return_value=Unheld())
    with broken, made(tmp_path) as world, pytest.raises(AssertionError):
        after(world, in_conflict)


@pytest.mark.deep
def test_a_load_that_does_not_note_what_it_staged_anew_is_found_out(tmp_path: Path) -> None:
    right = "select receipt_id from unheld where"
    assert right in redelivered.LOSERS
    told = redelivered.LOSERS.replace(right, f"{right} false and")
    broken = mock.patch.object(redelivered, "LOSERS", told)
    with broken, made(tmp_path) as world, pytest.raises(AssertionError):
        after(world, in_conflict)


def dying(world: ErasureWorld) -> None:
    """A run that dies when its load has committed the receipts, and no index yet."""
    in_conflict(world)
    right = Catalogue.replace

    def replace(self: Catalogue, table: LakeTable, *told: Any) -> int:
        written = right(self, table, *told)
        if table is RECEIPTS:
            raise CrashError
        return written

    with mock.patch.object(Catalogue, "replace", replace), pytest.raises(CrashError):
        world.run()
    run = run_of(world.seq, world.now_ms)
    close_run(world.lake, run, figures={}, error="CrashError", closed_at=run.moment)


@pytest.mark.deep
def test_a_load_that_died_is_finished_with_the_copies_that_it_had_staged(tmp_path: Path) -> None:
    with made(tmp_path) as world:
        after(world, dying)


@pytest.mark.deep
def test_a_load_that_forgets_what_it_had_staged_is_found_out(tmp_path: Path) -> None:
    broken = mock.patch.object(unheld, "_written", return_value=None)
    with broken, made(tmp_path) as world, pytest.raises(AssertionError):
        after(world, dying)


def came_between(world: ErasureWorld) -> dict[str, str]:
    """Who was erased says the message again, later, before the sweep has found it to be gone."""
    in_conflict(world)
    later = world.now_ms + 1_000
    body = said("m1", userId=CANARY) | {"timestamp": iso_of(later)}
    told = receipt(request_id="late", received_ms=later, source_id="web")
    raw, _ = unfold(accept([body], told))
    world.archive_lines("raw", [record.to_json() for record in raw])
    world.run()
    return states(world)


@pytest.mark.deep
def test_a_late_copy_of_the_erased_stays_away_and_takes_nobody_with_it(tmp_path: Path) -> None:
    with made(tmp_path) as world:
        found = came_between(world)
        assert found == {"q001:0": "suppressed", "q002:0": "stored", "late:0": "suppressed"}


@pytest.mark.deep
def test_a_load_that_keeps_all_copies_of_an_erased_message_away_is_found_out(
    tmp_path: Path,
) -> None:
    right = "and anchor_key in (select key from erased_key)"
    assert right in duplicates.ARRIVAL
    broken = mock.patch.object(duplicates, "ARRIVAL", duplicates.ARRIVAL.replace(right, ""))
    with broken, made(tmp_path) as world:
        assert came_between(world)["q002:0"] != "stored"
