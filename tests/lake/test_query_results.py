"""Results of queries hold names without identifiers: they go whole, the late ones too."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from stamgast.erasure.request import Kind
from stamgast_lake.erasure.loose import LooseErasure
from stamgast_lake.erasure.sweep import Sweep
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.world import _cursor

MAIL, NAME = "ada.loveday@x.example", "Ada Loveday"
RESULT = f'"name","city"\n"{NAME}","Delft"\n'.encode()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        told = {"email": MAIL, "name": NAME}
        made.send({"type": "identify", "userId": "ada-7731", "messageId": "m", "traits": told})
        made.run()
        yield made


def results(world: ErasureWorld) -> list[str]:
    """What of results is left, every version counted, after an erasure and its search."""
    world.put("athena/first.csv", RESULT)
    world.put("athena/first.csv", b'"of":"somebody else"\n')
    request_id = world.request(Kind.ERASURE, email=MAIL)
    with mock.patch("stamgast_lake.engine.connect", _cursor):
        work = world.work()
        work.carry_out([request_id])
        world.put("athena/late.csv", RESULT)  # of a query that had begun before
        work.prove()
    kept = world.s3.list_object_versions(Bucket="lake", Prefix="athena/").get("Versions", ())
    return [one["Key"] for one in kept]


@pytest.mark.failure_line(36)
def test_results_of_queries_go_whoever_is_in_them(world: ErasureWorld) -> None:
    """Line 36: a result with a name and no identifier is found by nobody."""
    assert results(world) == []


@pytest.mark.deep
def test_a_search_that_trusts_in_identifiers_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LooseErasure, "clear", lambda one, prefix: one.clean([prefix]))
    assert "athena/late.csv" in results(world)


@pytest.mark.deep
def test_a_result_that_comes_after_the_erasure_and_stays_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = Sweep.clear_results
    monkeypatch.setattr(
        Sweep, "clear_results", lambda sweep, told: clear(sweep, told) if told else None
    )
    assert results(world) == ["athena/late.csv"]
