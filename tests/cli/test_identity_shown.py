"""What `stamgast identity` shows of a job is what it shows of the request: no JSON for people."""

from typing import Any

import pytest

from stamgast_cli.commands.identity import OF_JOB, _show
from stamgast_cli.output import Output


def identifier(namespace: str, value: str) -> dict[str, Any]:
    return {"key": f"{namespace}:k", "namespace": namespace, "value": value, "is_masked": False}


PAIR = [identifier("email", "ada@example.com"), identifier("user_id", "42")]


def shown(verdict: str, capsys: pytest.CaptureFixture[str], **told: Any) -> str:
    kept = {"job": f"{verdict}-1", "verdict": verdict, "state": "done", "pairs": [PAIR]}
    answer = {**kept, "persons": [], "note": "Done.", "superseded": [], **told}
    _show(answer, Output(), OF_JOB)
    return capsys.readouterr().out


def test_a_cut_is_shown_as_two_who_are_not_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown("cut", capsys)
    assert "email:ada@example.com ≠ user_id:42" in told
    assert "{" not in told


def test_a_lift_and_what_overtook_it_are_shown_by_identifiers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = shown("lift", capsys, superseded=[PAIR])
    assert told.count("email:ada@example.com = user_id:42") == 2
    assert "{" not in told
