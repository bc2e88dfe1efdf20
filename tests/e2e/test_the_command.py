"""The verbs do against a running deployment what their help says."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from stamgast_cli.app import application
from tests.e2e.house import House, eventually, name


@pytest.fixture
def verb(stack: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("STAMGAST_HOME", str(stack.places.home))

    def invoke(*arguments: str, fails: bool = False) -> Any:
        result: Result = CliRunner().invoke(application(), [*arguments, "--json"])
        assert (result.exit_code != 0) == fails, (result.output, result.exception)
        return json.loads(result.stdout)

    return invoke


def test_a_csv_file_goes_in_by_its_mapping_and_its_person_comes_out(
    verb: Any, tmp_path: Path
) -> None:
    customer = name("customer")
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "customer,order,total,at\n"
        f"{customer},o1,12.50,2026-01-05T10:00:00Z\n"
        f"{customer},o2,7.25,2026-02-05T10:00:00Z\n"
    )
    mapping = [
        "--column=userId=customer",
        "--column=properties.order_id=order",
        "--column=properties.revenue=total",
        "--column=timestamp=at",
        "--constant=type=track",
        "--constant=event=Order Completed",
        "--constant=properties.currency=EUR",
    ]

    for _ in range(2):
        told = verb("send", str(orders), *mapping)
        assert told == {"rows": 2, "sent": 2, "refused": 0, "faults": [], "warnings": []}

    def profile() -> dict[str, Any]:
        result = CliRunner().invoke(
            application(), ["profile", "get", f"user_id:{customer}", "--json"]
        )
        told: dict[str, Any] = json.loads(result.stdout) if result.exit_code == 0 else {}
        return told

    found = eventually(
        profile, lambda told: told.get("orders", {}).get("EUR", {}).get("count") == 2
    )
    assert found["orders"]["EUR"]["revenue_minor"] == 1975


def test_an_identifier_has_the_same_key_on_the_command_line_and_in_its_profile(
    verb: Any, stack: House
) -> None:
    email = f"{name('key')}@example.com"
    stack.send({"type": "identify", "userId": name("u"), "traits": {"email": email}})
    found = eventually(lambda: stack.profile(f"email:{email}"))
    assert found is not None
    keys = {one["namespace"]: one["key"] for one in found["identifiers"]}

    assert verb("key", f"email:{email.upper()}") == {"key": keys["email"]}


def test_the_lake_can_be_asked_before_any_run(verb: Any) -> None:
    assert verb("query", "select count(*) as n from message_states where state = 'no such'") == [
        {"n": 0}
    ]


def test_a_rotated_key_works_beside_the_old_one_and_a_revoked_key_does_not(
    verb: Any, stack: House
) -> None:
    source = name("source")
    old = verb("source", "add", source, "--kind", "secret")["write_key"]
    new = verb("source", "rotate", source, "--kind", "secret")["write_key"]
    event = {"type": "track", "event": "Seen", "anonymousId": name("a")}
    assert stack.send(event, key=old).status_code == 200

    verb("source", "revoke", old)

    assert stack.send(event, key=new).status_code == 200
    eventually(lambda: stack.send(event, key=old).status_code, lambda status: status == 401)
    assert stack.send(event, key=old).status_code == 401


def test_a_scoped_token_sees_its_fields_alone(verb: Any, stack: House) -> None:
    user = name("user")
    stack.send({"type": "identify", "userId": user, "traits": {"first_name": "Ada", "city": "X"}})
    eventually(lambda: stack.profile(f"user_id:{user}"), lambda told: bool(told and told["traits"]))
    token = verb("token", "add", "till", "--fields", "traits.city")["reader_token"]

    answer = httpx.get(
        f"{stack.connection.profile_url}/v1/profiles/user_id:{user}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )

    assert answer.json()["traits"] == {"city": "X"}


def test_the_doctor_finds_a_fresh_deployment_fit_and_says_what_is_not_proven(verb: Any) -> None:
    told = verb("doctor")

    assert {one["verdict"] for one in told["findings"]} <= {"good", "warning"}
    assert told["findings"][-1]["found"].startswith("in the profile after")
    assert told["unproven"]
    assert told["patches"]


def test_status_knows_that_this_code_is_deployed(verb: Any) -> None:
    told = verb("status")

    assert told["running"]
    assert told["ingestion_answers"]


def test_an_earlier_workspace_can_be_put_back_in_force(verb: Any) -> None:
    version = verb("workspace", "publish")["version"]

    assert verb("workspace", "point", version) == {"version": version}
