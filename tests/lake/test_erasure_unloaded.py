"""What no run had loaded when it was erased stays away like the rest, whatever it says later."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stamgast.moments import iso_of
from stamgast_lake.erasure.archive import ArchiveErasure
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.test_erasure_positions import rebuilt, said

CANARY = "canary-7731"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def persons_after_a_copy(world: ErasureWorld) -> list[set[str]]:
    """A message erased before any run comes again with a later time: live, in the lake, rebuilt."""
    world.send(said("c1", userId=CANARY), request_id="r1")
    world.now_ms += 1_000
    world.erase(world.subject(user_id=CANARY))
    world.now_ms += 1_000
    later = said("c1", userId=CANARY, timestamp=iso_of(world.now_ms))
    world.send(later, request_id="r2", received_ms=world.now_ms)
    live = set(world.persons())
    world.run()
    lake = {row["person_id"] for row in world.rows("identity_current")}
    return [live, lake, set(rebuilt(world).persons())]


@pytest.mark.deep
@pytest.mark.failure_line(36)
def test_a_copy_of_a_message_that_was_erased_before_its_load_stays_away(
    world: ErasureWorld,
) -> None:
    """Line 36: an event arrives minutes after an erasure, and nothing comes back."""
    assert persons_after_a_copy(world) == [set(), set(), set()]


@pytest.mark.deep
def test_an_erasure_that_remembers_loaded_messages_alone_is_found_out(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ArchiveErasure.told
    blind = lambda self, keys: replace(told(self, keys), gone=frozenset())  # noqa: E731
    monkeypatch.setattr(ArchiveErasure, "told", blind)
    live, lake, _ = persons_after_a_copy(world)
    assert live == lake != set()
