"""Official clients reach a profile with nothing changed but host and key, gzipped or not."""

from typing import Any

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from tests.e2e.house import House, eventually, name

CLIENTS = {"segment": segment.Client, "rudder": rudder.Client}
EVENTS = 12


@pytest.mark.parametrize("is_gzip", [False, True])
@pytest.mark.parametrize("vendor", CLIENTS)
def test_what_an_official_client_sends_is_in_the_profile(
    stack: House, vendor: str, is_gzip: bool
) -> None:
    user, errors = name("user"), list[Any]()
    client = CLIENTS[vendor](
        stack.connection.server_write_key,
        host=stack.connection.ingest_url,
        gzip=is_gzip,
        upload_interval=0.05,
        on_error=lambda *told: errors.append(told),
    )
    client.identify(user, {"first_name": "Ada"})
    for number in range(EVENTS):
        client.track(user, "Counted", {"n": number})
    client.flush()
    client.join()

    found = eventually(
        lambda: stack.profile(f"user_id:{user}"),
        lambda told: bool(told and told["counters"].get("Counted") == EVENTS),
    )

    assert errors == []
    assert found is not None
    assert found["counters"]["Counted"] == EVENTS
    assert found["traits"]["first_name"] == "Ada"
