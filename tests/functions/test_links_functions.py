"""The functions of a run of links, called as the state machine does, over a generated world."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.pair_devices import handler as pair_devices
from functions.store_links import handler as store_links
from functions.train_links import handler as train_links
from stamgast.identity.link_settings import DeviceSettings
from stamgast.identity.settings import DEFAULT
from stamgast.workspace.model import Workspace
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.tables import EVENTS, IDENTITY, LINKS, RUNS
from tests.fakes.device_world import DeviceWorld, generate
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.fakes.linking import linking_of
from tests.lake.world import MemoryObjects

CONTEXT = SimpleNamespace(aws_request_id="11112222-3333")
SETTINGS = DeviceSettings(is_on=True, least_labels=20, history_days=42, window_days=14)


class Stack:
    """The functions' ports over memory."""

    def __init__(self, world: DeviceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.objects = world, MemoryObjects()
        self.catalogue: Any = MemoryCatalogue()
        self.dynamodb = DynamoDB("profiles", "control")
        for table, rows in ((EVENTS, world.events), (IDENTITY, world.identity)):
            self.catalogue.append(table, rows.to_reader(), Commit("r1", "load"))
        self.settings = SETTINGS
        lake = Lake(self.objects, "lake", self.catalogue, self.workspace, None)  # type: ignore[arg-type]
        self.lease = DynamoRunLease(client=self.dynamodb, table="control", now=lambda: 1_000.0)
        for module in (pair_devices, store_links):
            monkeypatch.setattr(module, "_lake", lambda: lake)
        monkeypatch.setattr(store_links, "_lease", lambda: self.lease)
        monkeypatch.setattr(store_links, "client", lambda _: self.dynamodb)
        monkeypatch.setattr(train_links, "_s3", lambda: self.objects)
        told = {"control_table": "control", "lake_database": "d", "workspace_secret": "s"}
        for name, value in {**told, "profiles_table": "profiles", "lake_bucket": "lake"}.items():
            monkeypatch.setenv(name.upper(), value)

    def workspace(self) -> Workspace:
        told = {"purposes": {"frequency_capping": 0.5}, "linking": linking_of(self.settings)}
        return Workspace("1", "UTC", {}, DEFAULT, **told)

    def pair(self, minutes: int = 0, **told: Any) -> dict[str, Any]:
        moment = self.world.ends_at + timedelta(minutes=minutes)
        event = {"moment": moment.isoformat(), "run_id": f"links-{minutes}", **told}
        return pair_devices.handler(event, CONTEXT)

    def run(self, minutes: int = 0, **told: Any) -> dict[str, Any]:
        trained = train_links.handler(self.pair(minutes, **told), None)
        return store_links.handler(trained, None)

    def items(self) -> list[Any]:
        return [i for i in self.dynamodb.items("profiles") if i["SK"]["S"].startswith("K#")]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(generate(420, 60, 5), monkeypatch)


def test_a_run_of_links_trains_states_and_tells_the_live_view(stack: Stack) -> None:
    told = stack.run()
    figures = told["figures"]
    assert (told["status"], figures["train_links"]["why"]) == ("done", None)
    assert figures["store_links"]["device"]["stated"] == len(stack.catalogue.rows(LINKS)) > 0
    assert len(stack.items()) == figures["store_links"]["published"] > 0
    assert {"probability_ppm", "reasons", "ttl", "mine", "other"} <= set(stack.items()[0])
    [row] = stack.catalogue.rows(RUNS)
    assert (row["stage"], row["workspace_version"]) == ("links", "1")
    assert stack.lease.read().expires_at_s == 0  # type: ignore[union-attr]


@pytest.mark.failure_line(35)
def test_a_run_knows_one_model_from_its_beginning_to_its_end(stack: Stack) -> None:
    """Line 35: what is retried after a newer model came scores by the version it began with."""
    first = stack.run()
    begun = stack.pair(minutes=5)
    stack.run(minutes=10, train=True)
    late = train_links.handler(begun, None)
    again = train_links.handler(begun, None)
    version = first["figures"]["train_links"]["version"]
    assert version is not None
    assert late["figures"]["train_links"]["version"] == version
    assert again["figures"] == late["figures"]


def test_storing_says_busy_while_another_run_holds_the_lease(stack: Stack) -> None:
    trained = train_links.handler(stack.pair(), None)
    stack.lease.acquire("another")
    told = store_links.handler(trained, None)
    assert (told["status"], told["tries"]) == ("busy", 1)
    assert stack.catalogue.rows(LINKS) == []


def test_with_devices_turned_off_nothing_is_measured(stack: Stack) -> None:
    stack.settings = replace(SETTINGS, is_on=False)
    told = stack.pair()
    assert (told["devices"], told["expiry_days"]) == (False, {})
    assert stack.objects.bodies == {}
