"""A stack that is too busy to answer in time is asked again, and not for ever."""

from typing import Any

import httpx
import pytest

from stamgast_cli import jobs
from stamgast_cli.deployment import Deployment
from stamgast_cli.jobs import MOST_UNANSWERED, finished

HERE = Deployment("Stamgast-test-Platform", {})


class Busy:
    """The API of a stack that leaves so many questions without an answer, then says it is done."""

    def __init__(self, unanswered: int) -> None:
        self.unanswered, self.asked = unanswered, 0

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        self.asked += 1
        if self.asked <= self.unanswered:
            raise httpx.ReadTimeout("timed out")
        return {"job": "j1", "state": "done"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LOOK_AGAIN_SECONDS", 0.0)


def test_a_look_without_an_answer_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ask", busy := Busy(MOST_UNANSWERED - 1))
    assert finished(HERE, "token", {"job": "j1", "state": "waiting"})["state"] == "done"
    assert busy.asked == MOST_UNANSWERED


def test_a_stack_that_never_answers_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ask", busy := Busy(100))
    with pytest.raises(httpx.ReadTimeout):
        finished(HERE, "token", {"job": "j1", "state": "waiting"})
    assert busy.asked == MOST_UNANSWERED
