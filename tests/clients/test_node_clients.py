"""The official Node clients, with nothing changed but host and key."""

import os
import subprocess
from collections import Counter
from pathlib import Path

import orjson
import pytest

from tests.clients.conftest import NODE_MODULES, SECRET_KEY, World
from tests.clients.gateway import Form

PROGRAM = Path(__file__).parent / "programs" / "server_clients.cjs"
EVENTS = 20


@pytest.mark.parametrize(
    ("vendor", "batch_size", "is_gzip", "form"),
    [
        ("segment", 1, False, Form.INFLATED_TEXT),
        ("segment", 10, False, Form.AS_SENT),
        ("customerio", 10, False, Form.INFLATED_TEXT),
        ("rudder", 1, True, Form.AS_SENT),
        ("rudder", 10, True, Form.INFLATED_TEXT),
        ("rudder", 10, False, Form.INFLATED_BINARY),
    ],
)
def test_every_event_of_a_node_client_is_in_the_queue_once(
    world: World, node: str, vendor: str, batch_size: int, is_gzip: bool, form: Form
) -> None:
    world.gateway.form = form
    told = [
        vendor,
        world.gateway.url,
        SECRET_KEY,
        str(batch_size),
        str(is_gzip).lower(),
        str(EVENTS),
    ]
    done = subprocess.run(
        [node, str(PROGRAM), *told],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
    )
    assert done.returncode == 0, done.stderr
    raw, rejected = world.received()
    assert rejected == []
    types = Counter(record.type for record in raw)
    assert types == {"identify": 1, "group": 1, "page": 1, "screen": 1, "alias": 1, "track": EVENTS}
    bodies = [orjson.loads(record.body) for record in raw]
    counted = [body["properties"]["n"] for body in bodies if body["type"] == "track"]
    assert sorted(counted) == list(range(EVENTS))
    assert len({record.message_id for record in raw}) == len(raw)
    ids = {body.get("userId") or body["anonymousId"] for body in bodies}
    assert ids == {"ada", "anon-1"}
    assert [body["groupId"] for body in bodies if body["type"] == "group"] == ["17"]
