"""A provisional link goes with the erased, wherever it is told, and the other end stays."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from unittest import mock

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stamgast.erasure.needles import needles_of
from stamgast.identity.links import LinkKind
from stamgast.moments import iso_of, moment_of
from stamgast_aws.person_rows import put_rows
from stamgast_lake.erasure.rules import RULES, Rule
from stamgast_lake.links.run import OUTCOME, SCORES, store_run
from stamgast_lake.runs import Run
from stamgast_lake.tables import LINKS
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.world import KEYRING, NOON_MS

GONE, STAYS = "gone-7731", "stays-1122"
PHONE = {GONE: "phone-of-gone-55", STAYS: "phone-of-stays-44"}
MAIL = {GONE: "gone.loveday@example.com", STAYS: "stays@example.com"}
DEVICE, RECORD = LinkKind.DEVICE, LinkKind.RECORD
PAIRS = {
    kind: tuple(KEYRING.identifier_key(name, told[who]) for who in (GONE, STAYS))
    for kind, name, told in ((DEVICE, "anonymous_id", PHONE), (RECORD, "email", MAIL))
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        for number, who in enumerate((GONE, STAYS)):
            told = {
                "messageId": f"m{number}",
                "timestamp": iso_of(NOON_MS),
                "anonymousId": PHONE[who],
            }
            said = {**told, "type": "identify", "userId": who, "traits": {"email": MAIL[who]}}
            made.send(said, request_id=f"r{number}")
        made.run()
        yield made


def link(world: ErasureWorld) -> None:
    """A run of links that believes the two to be one, by devices and by records."""
    run = Run("links-1", 9, moment_of(world.now_ms))
    for kind, pair in PAIRS.items():
        outcome = {"is_new": False, "scored_by": "1"}
        world.lake.put_document(run.run_id, OUTCOME.format(kind=kind), orjson.dumps(outcome))
        row = {"a": pair[0], "b": pair[1], "probability": 0.9, "reasons": '{"shared": 1.5}'}
        scores = BytesIO()
        pq.write_table(pa.Table.from_pylist([row]), scores)
        world.lake.put_document(run.run_id, SCORES.format(kind=kind), scores.getvalue())
    put = lambda rows: put_rows(world.dynamodb, "profiles", rows, 1)  # noqa: E731
    store_run(world.lake, run, {DEVICE: 30, RECORD: 30}, put, datetime.now(UTC))


def erased(world: ErasureWorld) -> dict[str, list[str]]:
    """What a search finds of the erased in all stores."""
    link(world)
    assert told(world) == {DEVICE.value, RECORD.value}
    world.now_ms += 1_000
    whole, _ = world.erase(world.subject(user_id=GONE))
    world.run()
    return world.found(needles_of([whole]))


def told(world: ErasureWorld) -> set[str]:
    """The kinds of links that stand in the lake."""
    return {row["kind"] for row in world.rows("links_current")}


def test_a_link_to_the_erased_is_nowhere_and_who_it_led_to_stays(world: ErasureWorld) -> None:
    assert erased(world) == {"objects": [], "files": [], "items": [], "messages": []}
    assert told(world) == set()
    [keys] = world.persons().values()
    assert {pair[1] for pair in PAIRS.values()} <= keys
    [profile] = world.profiles().values()
    assert profile.traits["email"].value == MAIL[STAYS]


@pytest.mark.deep
def test_an_erasure_that_forgets_links_would_be_seen(world: ErasureWorld) -> None:
    with mock.patch.dict(RULES, {LINKS.name: Rule(LINKS)}):
        assert [one for one in erased(world)["files"] if "links" in one]
