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
    written = capsys.readouterr()
    return written.out + written.err


def test_a_cut_is_shown_as_two_who_are_not_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown("cut", capsys)
    assert "email:ada@example.com ≠ user_id:42" in told
    assert "{" not in told


def test_whom_the_next_run_joins_is_shown_with_the_links(
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = {"person_id": "p1", "founded_at": "now", "is_new": False, "anchors": []}
    link = {"a": PAIR[1], "b": identifier("device_id", "7"), "assurance": "claimed"}
    join = {"person": {**person, "identifiers": PAIR}, "of": ["p1", "p2"], "links": [link]}
    ahead = {"joins": [join], "is_whole": True, "note": "To keep them apart."}
    told = shown("cut", capsys, next_run=ahead)
    assert "Joined by the next run" in told
    assert "user_id:42 = device_id:7 (claimed)" in told
    assert "To keep them apart." in told
    nobody = shown("cut", capsys, next_run={**ahead, "joins": []})
    assert "next run" not in nobody
    assert "To keep them apart." not in nobody


def test_a_lift_and_what_overtook_it_are_shown_by_identifiers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = shown("lift", capsys, superseded=[PAIR])
    assert told.count("email:ada@example.com = user_id:42") == 2
    assert "{" not in told
