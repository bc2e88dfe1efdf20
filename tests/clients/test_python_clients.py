"""The official Python clients, with nothing changed but host and key."""

import math
from collections import Counter
from typing import Any

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from tests.clients.conftest import SECRET_KEY, World
from tests.clients.gateway import Form

CLIENTS = {"segment": segment.Client, "rudder": rudder.Client}
EVENTS = 25


@pytest.mark.parametrize(
    ("batch_size", "is_gzip", "form"),
    [
        (1, False, Form.INFLATED_TEXT),
        (1, True, Form.INFLATED_TEXT),
        (10, False, Form.INFLATED_BINARY),
        (10, True, Form.AS_SENT),
    ],
)
@pytest.mark.parametrize("vendor", CLIENTS)
def test_every_event_of_a_python_client_is_in_the_queue_once(
    world: World, vendor: str, batch_size: int, is_gzip: bool, form: Form
) -> None:
    world.gateway.form = form
    errors: list[Any] = []
    client = CLIENTS[vendor](
        SECRET_KEY,
        host=world.gateway.url,
        gzip=is_gzip,
        upload_size=batch_size,
        upload_interval=0.05,
        on_error=lambda *told: errors.append(told),
    )
    client.identify("ada", {"email": "ada@example.org"})
    client.group("ada", 17, {"name": "Analytical Engines"})
    client.page("ada", "Docs", "Home")
    client.screen("ada", "App", "Start")
    client.alias("anon-1", "ada")
    for number in range(EVENTS):
        client.track("ada", "Counted", {"n": number, "ratio": math.nan, "far": 2**70})
    client.flush()
    client.join()
    raw, rejected = world.received()
    assert errors == []
    assert rejected == []
    assert {request["status"] for request in world.gateway.requests} == {200}
    types = Counter(record.type for record in raw)
    assert types == {"identify": 1, "group": 1, "page": 1, "screen": 1, "alias": 1, "track": EVENTS}
    bodies = [record.body for record in raw if record.type == "track"]
    assert [sum(f'"n":{n},' in body for body in bodies) for n in range(EVENTS)] == [1] * EVENTS
    assert len({record.message_id for record in raw}) == len(raw)
    assert all(record.original_ms and record.sent_ms for record in raw)
    assert all('"userId":"ada"' in record.body for record in raw)


@pytest.mark.parametrize("vendor", CLIENTS)
def test_a_refused_batch_reaches_the_clients_error_handler_and_is_not_sent_for_ever(
    world: World, vendor: str
) -> None:
    errors: list[Any] = []
    client = CLIENTS[vendor](
        "unknown", host=world.gateway.url, on_error=lambda error, *_: errors.append(error)
    )
    client.track("ada", "Counted")
    client.flush()
    client.join()
    assert len(world.gateway.requests) == 1
    assert errors
    assert "unauthorized" in str(errors[0])
