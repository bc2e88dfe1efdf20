"""A person who is two is cut by the command, stays cut through replay and run, and is lifted."""

import json
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stamgast_cli.app import application
from tests.e2e.house import House, eventually, name, now, order


@pytest.fixture
def verb(enforced_stack: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("STAMGAST_HOME", str(enforced_stack.places.home))

    def invoke(*arguments: str) -> Any:
        result: Result = CliRunner().invoke(application(), [*arguments, "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    return invoke


@pytest.mark.failure_line(27)
def test_a_cut_holds_through_a_replay_and_a_run_until_it_is_lifted(
    verb: Any, enforced_stack: House
) -> None:
    """Line 27: un-merge, then replay, and they are one again; with every permission enforced."""
    stack = enforced_stack
    user, email, device = name("user"), f"{name('mail')}@example.com", name("device")
    events = [
        {
            "type": "identify",
            "messageId": name("login"),
            "userId": user,
            "timestamp": now(),
            "traits": {"email": email},
        },
        order(user, 30.0),
        {
            "type": "identify",
            "messageId": name("letter"),
            "anonymousId": device,
            "timestamp": now(),
            "traits": {"email": email, "city": "Delft"},
        },
    ]
    stack.send(*events).raise_for_status()
    one, other = f"user_id:{user}", f"email:{email}"
    whole = eventually(
        lambda: stack.profile(one),
        lambda told: bool(told and len(told["identifiers"]) == 3 and told["orders"]),
    )
    assert whole is not None
    stack.run()
    person = person_of(stack, one)

    plan = verb("identity", "cut", one, other, "--plan")
    assert sorted(len(person["identifiers"]) for person in plan["persons"]) == [1, 2]
    assert person_of(stack, one) == person_of(stack, other)

    done = verb("identity", "cut", one, other, "--reason", "two customers, one mail box")
    assert (done["state"], done["post_condition"]["holds"]) == ("done", True)
    parts = person_of(stack, one), person_of(stack, other)
    assert len(set(parts)) == 2
    his, hers = stack.profile(one), stack.profile(other)
    assert his is not None
    assert hers is not None
    assert (his["orders"], hers["orders"]) == (whole["orders"], {})
    assert (his["traits"].get("city"), hers["traits"].get("city")) == (None, "Delft")
    assert [told["job"] for told in verb("identity", "jobs")].count(done["job"]) == 1

    stack.send(*events).raise_for_status()
    stack.send(order(user, 5.0)).raise_for_status()
    eventually(
        lambda: stack.profile(one), lambda told: bool(told and told["orders"]["EUR"]["count"] == 2)
    )
    assert (person_of(stack, one), person_of(stack, other)) == parts
    eventually(lambda: [line for line in stack.archived() if line["type"] == "cut"])
    stack.run()
    assert (person_of(stack, one), person_of(stack, other)) == parts
    rfm = stack.profile(one)
    assert rfm is not None
    assert rfm["rfm"]
    held = "select a, b from constraints where kind = 'cannot_link' and lifted_at is null"
    assert verb("query", held)

    lifted = verb("identity", "lift", one, other)
    assert lifted["state"] == "done"
    assert person_of(stack, one) == person_of(stack, other) == person
    stack.run()
    assert person_of(stack, one) == person_of(stack, other) == person


def person_of(stack: House, identifier: str) -> str:
    found = stack.profile(identifier)
    assert found is not None
    return str(found["person_id"])
