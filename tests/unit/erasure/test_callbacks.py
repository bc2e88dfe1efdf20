"""Call-backs: where none is ever sent, how often one is tried, and what it says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest
from urllib3.connection import HTTPConnection, HTTPSConnection

from stamgast.erasure.callbacks import MOST_TRIES, Callback, Target, is_public, target_of
from stamgast.erasure.request import Kind, RightsRequest, State
from stamgast.erasure.telling import PASS_SECONDS, Telling
from stamgast_aws.callback_sender import HttpsCallbacks, connected

URL = "https://desk.example.com/told"
INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::7f00:1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
    "64:ff9b::7f00:1",
    "localhost",
    "",
]


@pytest.mark.failure_line(39)
@pytest.mark.parametrize("address", INNER)
def test_an_inner_address_is_never_called(address: str) -> None:
    """FAILURES line 39: a webhook to a link-local address, and to any other inner one."""
    assert not is_public(address)
    sender = HttpsCallbacks(may_be_local=False, resolve=lambda *_: [address])
    assert sender.send(URL, b"{}", {}) == "address_not_allowed"


def test_a_name_with_one_inner_address_among_outer_ones_is_not_called() -> None:
    sender = HttpsCallbacks(may_be_local=False, resolve=lambda *_: ["8.8.8.8", "10.0.0.1"])
    assert sender.send(URL, b"{}", {}) == "address_not_allowed"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111"])
def test_an_outer_address_may_be_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.com/",
        "http://127.0.0.1/",
        "https://user@desk.example.com/",
        "https://user:word@desk.example.com/",
        "https://",
        "https:///told",
        "https://desk.example.com:0/",
        "https://desk.example.com:99999/",
        "https://desk.example.com\\@10.0.0.1/",
        "https://desk.example.com/\r\nhost: inner",
        "https://[::1",
        "ftp://desk.example.com/",
        "file:///etc/passwd",
        "desk.example.com",
        "",
    ],
)
def test_what_is_no_plain_https_address_is_no_target(url: str) -> None:
    assert target_of(url) is None


def test_a_laptop_may_be_called_by_itself_and_by_nothing_else_inside() -> None:
    assert target_of("http://localhost:8080/told", may_be_local=True) is not None
    assert target_of("http://10.0.0.1/", may_be_local=True) is None
    sender = HttpsCallbacks(may_be_local=True, resolve=lambda *_: ["10.0.0.1"])
    assert sender.send(URL, b"{}", {}) == "address_not_allowed"
    rebound = HttpsCallbacks(may_be_local=True, resolve=lambda *_: ["8.8.8.8"])
    assert rebound.send("http://localhost/", b"{}", {}) == "address_not_allowed"


def test_a_name_is_resolved_once_so_that_rebinding_finds_nothing() -> None:
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    connections: list[HTTPConnection] = []

    def resolve(_host: str, _port: int) -> list[str]:
        return answers.pop(0)

    def connect(target: Target, address: str) -> HTTPConnection:
        connections.append(connected(target, address))
        raise ConnectionRefusedError

    sender = HttpsCallbacks(may_be_local=False, resolve=resolve, connect=connect)
    with pytest.raises(ConnectionRefusedError):
        sender.send(URL, b"{}", {})
    [made] = connections
    assert isinstance(made, HTTPSConnection)
    assert (made.host, made.port) == ("8.8.8.8", 443)
    assert made.server_hostname == made.assert_hostname == "desk.example.com"
    assert (made.cert_reqs, made.proxy, len(answers)) == ("CERT_REQUIRED", None, 1)


class Log:
    """Requests in memory, as much of the port as telling needs."""

    def __init__(self, request: RightsRequest) -> None:
        self.kept = request

    def replace(self, before: RightsRequest, after: RightsRequest) -> bool:
        if self.kept != before:
            return False
        self.kept = after
        return True

    def read(self, _request_id: str) -> RightsRequest:
        return self.kept


@dataclass
class Receiver:
    """Who is called back: what came, and what is answered."""

    answers: list[str] = field(default_factory=list)
    came: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    seconds: float = 0.0
    takes: float = 0.0

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        self.came.append((url, json.loads(body), dict(headers)))
        self.seconds += self.takes
        return self.answers.pop(0) if self.answers else ""

    def telling(self, log: Log) -> Telling:
        requests: Any = log
        return Telling(
            requests,
            self.send,
            lambda body: {"signature": sha256(body).hexdigest()},
            lambda: self.seconds,
        )


def asked(*urls: str, state: State = State.IN_PROGRESS) -> RightsRequest:
    callbacks = tuple(Callback(url) for url in urls)
    made = RightsRequest("r", Kind.ERASURE, "officer", "gdpr", ("k",), 1_795_262_400_000)
    return replace(made, state=state, callbacks=callbacks, domain="lookup.example.com")


def test_each_status_is_told_once_and_signed() -> None:
    log, receiver = Log(asked(URL)), Receiver()
    for _ in range(2):
        receiver.telling(log).tell([log.kept])
    log.kept = log.kept.completed(1, {})
    receiver.telling(log).tell([log.kept])
    assert [body["request_status"] for _, body, _ in receiver.came] == ["in_progress", "completed"]
    url, body, headers = receiver.came[0]
    assert (url, body["status_callback_url"], body["subject_request_id"]) == (URL, URL, "r")
    assert headers["x-opendsr-processor-domain"] == "lookup.example.com"
    assert len(headers["x-opendsr-signature"]) == 64
    assert "results_url" not in body


def test_what_was_only_asked_for_is_told_by_its_answer_alone() -> None:
    log, receiver = Log(asked(URL, state=State.PENDING)), Receiver()
    receiver.telling(log).tell([log.kept])
    assert receiver.came == []


def test_a_failed_call_back_is_tried_by_later_passes_and_not_for_ever() -> None:
    log, receiver = Log(asked(URL)), Receiver(answers=["timed_out"] * 20)
    for _ in range(MOST_TRIES + 3):
        assert log.kept.is_left
        receiver.telling(log).tell([log.kept])
    assert len(receiver.came) == MOST_TRIES
    [one] = log.kept.callbacks
    told = {"status_callback_url": URL, "told": None, "tries": 8, "failure": "timed_out"}
    assert one.shown() == told
    log.kept = replace(log.kept, state=State.CANCELLED)
    assert log.kept.is_left
    receiver.answers.clear()
    receiver.telling(log).tell([log.kept])
    assert (log.kept.callbacks[0].told, log.kept.is_left) == ("cancelled", False)


def test_receivers_that_do_not_answer_cost_a_pass_no_more_than_its_time() -> None:
    urls = [f"{URL}/{n}" for n in range(20)]
    log, receiver = Log(asked(*urls)), Receiver(takes=10.0)
    receiver.telling(log).tell([log.kept])
    assert len(receiver.came) == PASS_SECONDS / 10
    receiver.telling(log).tell([log.kept])
    assert [url for url, _, _ in receiver.came] == urls[:12]


def test_what_another_worker_noted_meanwhile_stands() -> None:
    log, receiver = Log(asked(URL)), Receiver()
    stale = log.kept
    log.kept = log.kept.completed(1, {})
    assert receiver.telling(log).tell([stale]) == [log.kept]
