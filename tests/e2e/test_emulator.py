"""The emulator keeps what it stored through a graceful end, and starts empty after any other."""

import os
import signal
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from stamgast_cli.local import emulator
from stamgast_cli.local.emulator import Emulator
from stamgast_cli.local.loopback import REGION
from stamgast_cli.local.places import ROOT, Places
from tests.e2e.house import eventually


@pytest.fixture
def places(tmp_path: Path) -> Any:
    made = Places(ROOT, tmp_path)
    yield made
    emulator.stop(made)


def client(running: Emulator, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=running.endpoint_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def stores(running: Emulator) -> tuple[list[str], list[str]]:
    """Return the names of its buckets and queues."""
    buckets = [one["Name"] for one in client(running, "s3").list_buckets()["Buckets"]]
    queues = client(running, "sqs").list_queues().get("QueueUrls", [])
    return buckets, [url.rsplit("/", 1)[-1] for url in queues]


def test_a_graceful_end_keeps_everything_at_the_same_addresses(places: Places) -> None:
    before = emulator.start(places)
    client(before, "s3").create_bucket(Bucket="kept")
    client(before, "sqs").create_queue(QueueName="kept")

    assert emulator.stop(places)
    assert emulator.running(places) is None
    after = emulator.start(places)

    assert stores(after) == (["kept"], ["kept"])
    assert after.endpoint_url == before.endpoint_url
    assert after.ingest_url == before.ingest_url


def test_after_a_crash_it_starts_empty_rather_than_with_half_of_its_state(places: Places) -> None:
    before = emulator.start(places)
    client(before, "s3").create_bucket(Bucket="lost")

    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: emulator.running(places) is None)

    assert stores(emulator.start(places)) == ([], [])


def test_it_answers_on_the_loopback_alone(places: Places) -> None:
    running = emulator.start(places)
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    }
    ports = {f"{port:04X}" for port in (running.port, running.ingest_port, running.profile_port)}

    found = {one for one in listening if one.rpartition(":")[2] in ports}

    assert len(found) == 3
    assert all(one.startswith("0100007F:") for one in found)


def test_the_front_says_what_to_do_before_anything_is_deployed(places: Places) -> None:
    answer = httpx.get(emulator.start(places).ingest_url)

    assert answer.status_code == 503
    assert "stamgast up" in answer.json()["message"]
