"""`carry_out_rights` near the end of its time: what is left is asked of it once more."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.carry_out_rights import handler
from stamgast_aws.rights_store import RightsWorker
from stamgast_lake.erasure.progress import OutOfTimeError

EVENTS = ({}, {"prove": True}, {"requests": ["a", "b"]})
HOUR_MS = 3_600_000


@dataclass
class Called:
    """Lambda and its context, the work, and the look of each night: what was asked of each."""

    left_ms: int
    events: list[Mapping[str, Any]] = field(default_factory=list)
    carried: list[list[str]] = field(default_factory=list)
    watched: int = 0
    aws_request_id: str = "first"
    passes: list[str] = field(default_factory=list)
    is_found_again = staticmethod(lambda: False)

    def invoke(self, *, Payload: bytes, **_: Any) -> None:  # noqa: N803
        self.events.append(json.loads(Payload))

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms

    def open_ids(self) -> list[str]:
        return ["c"]

    def carry_out(
        self, request_ids: list[str], is_late: Callable[[], bool], by: str
    ) -> dict[str, str]:
        self.carried.append(request_ids)
        self.passes.append(by)
        if is_late():
            raise OutOfTimeError
        return dict.fromkeys(request_ids, "completed")

    def prove(self, _: Callable[[], bool]) -> int:
        return 1

    def watch(self) -> None:
        self.watched += 1


def called(
    monkeypatch: pytest.MonkeyPatch,
    event: Mapping[str, Any],
    left_ms: int,
    request_id: str = "first",
) -> Called:
    made = Called(left_ms, aws_request_id=request_id)
    for name in ("work", "requests", "watching"):
        monkeypatch.setattr(handler, name, lambda: made)
    monkeypatch.setattr(handler, "worker", lambda: RightsWorker(made, "rights"))
    handler.handler(event, made)
    return made


def handed_over(monkeypatch: pytest.MonkeyPatch, event: Mapping[str, Any]) -> None:
    """The same is asked once more, and nothing that comes after it."""
    late = called(monkeypatch, event, handler.MARGIN_MS - 1)
    assert (late.events, late.watched) == ([{**event, "begun_by": "first"}], 0)
    assert late.carried == [event.get("requests", ["c"])]


@pytest.mark.parametrize("event", EVENTS)
def test_what_is_left_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch, event: Mapping[str, Any]
) -> None:
    handed_over(monkeypatch, event)


@pytest.mark.parametrize("event", EVENTS)
def test_a_pass_that_ends_in_time_asks_nothing_more(
    monkeypatch: pytest.MonkeyPatch, event: Mapping[str, Any]
) -> None:
    told = called(monkeypatch, event, HOUR_MS)
    assert (told.events, told.watched) == ([], int(event == {}))


def test_who_goes_on_does_so_as_the_pass_that_was_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    [left] = called(monkeypatch, {}, handler.MARGIN_MS - 1).events
    assert called(monkeypatch, left, HOUR_MS, "second").passes == ["first"]
    assert called(monkeypatch, {}, HOUR_MS, "second").passes == ["second"]


def test_asking_for_the_requests_alone_once_more_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RightsWorker, "go_on", lambda one, event: one.begin(["c"]))
    with pytest.raises(AssertionError):
        handed_over(monkeypatch, {"prove": True})
