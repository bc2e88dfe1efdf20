"""The official browser clients in a real browser, with nothing changed but host and key."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from time import monotonic, sleep

import orjson
import pytest

from stamgast.raw.record import RawRecord, RejectedRecord
from tests.clients.conftest import NODE_MODULES, PUBLIC_KEY, World
from tests.clients.gateway import Pages

SENT = 13
PROGRAM = Path(__file__).parent / "programs" / "browser.cjs"
SEGMENT = NODE_MODULES / "@segment/analytics-next/dist/umd"
RUDDER = NODE_MODULES / "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"
CALLS = """
  await client.page("Home");
  await client.identify("ada", { email: "ada@example.org" });
  await client.group("17", { name: "Analytical Engines" });
  for (let n = 0; n < 10; n += 1) await client.track("Counted", { n });
"""
PAGE = """<!doctype html><title>Shop</title><script src="/client.js"></script><script type="module">
const host = "%(host)s", key = "%(key)s";
%(load)s
%(calls)s
window.outcome = "sent";
</script>"""
SEGMENT_LOAD = """
const client = AnalyticsNext.AnalyticsBrowser.load(
  { writeKey: key, cdnURL: host }, %(options)s);
"""
RUDDER_LOAD = """
const client = new rudderanalytics.RudderAnalytics();
client.load(key, host, { configUrl: host, storage: { migrate: false }%(options)s });
await new Promise((done) => client.ready(done));
"""
BATCHED = '{ integrations: { "Segment.io": { deliveryStrategy: { strategy: "batching", config: { size: 5, timeout: 300 } } } } }'  # noqa: E501  (one line of JavaScript)


def files_of(vendor: str, host: str, options: str) -> dict[str, tuple[str, bytes]]:
    """The page of one vendor's client, and the client's own files."""
    load = (SEGMENT_LOAD if vendor == "segment" else RUDDER_LOAD) % {"options": options}
    told = {"host": host, "key": PUBLIC_KEY, "load": load, "calls": CALLS}
    script = "text/javascript"
    files = {"/": ("text/html", (PAGE % told).encode())}
    if vendor == "rudder":
        return {**files, "/client.js": (script, RUDDER.read_bytes())}
    parts = {f"/{path.name}": (script, path.read_bytes()) for path in SEGMENT.glob("*.js")}
    return {**files, **parts, "/client.js": parts["/index.js"]}


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A new, empty profile of the browser."""
    return tmp_path / "profile"


def arrived(world: World, count: int) -> tuple[list[RawRecord], list[RejectedRecord]]:
    """What the queue holds when this many events are there, or after half a minute; and a second
    later, for what should not have come."""
    raw, rejected = world.received()
    deadline = monotonic() + 30
    while len(raw) < count and monotonic() < deadline:
        sleep(0.1)
        more = world.received()
        raw, rejected = raw + more[0], rejected + more[1]
    sleep(1)
    more = world.received()
    return raw + more[0], rejected + more[1]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("vendor", "options"),
    [
        ("segment", "{}"),
        ("segment", BATCHED),
        ("rudder", ""),
        ("rudder", ", useBeacon: true, beaconQueueOptions: { flushQueueInterval: 300 }"),
    ],
)
def test_every_event_of_a_browser_client_is_in_the_queue_once(
    world: World, node: str, chromium: str, profile: Path, vendor: str, options: str
) -> None:
    pages = Pages(files_of(vendor, world.gateway.url, options))
    with subprocess.Popen(
        [node, str(PROGRAM), chromium, str(profile), pages.url + "/"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
    ) as browser:
        assert browser.stdout
        told = json.loads(browser.stdout.readline())
        raw, rejected = arrived(world, SENT)
        browser.communicate(timeout=60)
    pages.close()
    assert browser.returncode == 0
    assert told["outcome"] == "sent", told
    assert rejected == []
    assert {request["status"] for request in world.gateway.requests} == {200}, told
    types = Counter(record.type for record in raw)
    assert types == {"page": 1, "identify": 1, "group": 1, "track": 10}, told
    bodies = [orjson.loads(record.body) for record in raw]
    counted = [body["properties"]["n"] for body in bodies if body["type"] == "track"]
    assert sorted(counted) == list(range(10))
    assert len({record.message_id for record in raw}) == len(raw)
    assert len({body["anonymousId"] for body in bodies}) == 1
    assert {body["userId"] for body in bodies if body["type"] == "track"} == {"ada"}
    assert all(record.source_id == "web" and record.original_ms for record in raw)
