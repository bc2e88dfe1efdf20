"""Why, how many, and out: over the deployed functions, with and without enforced permissions."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from stamgast_cli.app import application
from tests.e2e.house import House, eventually, name, now, order

Verb = Callable[..., Any]
FIELDS = "person_id,traits.email,traits.city"


@pytest.fixture
def verb(house: House, monkeypatch: pytest.MonkeyPatch) -> Verb:
    monkeypatch.setenv("STAMGAST_HOME", str(house.places.home))

    def invoke(*arguments: str) -> Any:
        result: Result = CliRunner().invoke(application(), [*arguments, "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    return invoke


def says(user: str, is_granted: bool) -> dict[str, Any]:
    traits = {
        "email": f"{user}@example.com",
        "city": "=Delft",
        "consent": {"email": is_granted},
    }
    told = {"messageId": name("says"), "userId": user, "timestamp": now()}
    return {**told, "type": "identify", "traits": traits}


@pytest.mark.failure_line(38)
def test_a_newcomer_is_explained_counted_and_exported_until_the_consent_is_withdrawn(
    house: House, verb: Verb, tmp_path: Path
) -> None:
    """Line 38: whoever withdraws is in no later file, run or no run."""
    ada, bob = name("ada"), name("bob")
    house.send(order(ada, 25.0), order(bob, 30.0), says(ada, True))
    eventually(lambda: (house.profile(f"user_id:{ada}") or {}).get("traits"))
    house.run()

    told = verb("segment", "explain", "newcomers", f"user_id:{ada}")
    assert told["is_in"]
    assert told["membership"]["since"] is not None
    told = verb("segment", "explain", "reachable_champions", f"user_id:{bob}")
    assert not told["is_in"]

    previewed = ask(house, "preview", {"segment": "newcomers", "purpose": "email"})
    assert previewed["size"] >= 2
    assert previewed["consented"] >= 1

    out = tmp_path / "newcomers.csv"
    export = ("segment", "export", "newcomers", "--purpose", "email", "--fields", FIELDS)
    receipt = verb(*export, "--out", str(out))
    assert ada in out.read_text()
    assert bob not in out.read_text()
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    row = next(row for row in rows if ada in row["traits.email"])
    assert row["traits.city"] == "'=Delft"
    sql = f"select reason from egress_receipts where egress_id = '{receipt['export']}'"
    assert len(verb("query", sql)) == receipt["members"]

    house.send(says(ada, False))
    eventually(lambda: consent(house, ada) == {"email": False})
    receipt = verb(*export, "--out", str(out))
    assert ada not in out.read_text()
    assert receipt["reasons"]["consent_withdrawn"] >= 1


def consent(house: House, user: str) -> Any:
    return ((house.profile(f"user_id:{user}") or {}).get("traits") or {}).get("consent")


def ask(house: House, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer of a job, waited for."""
    headers = {"Authorization": f"Bearer {house.connection.reader_token}"}
    url = f"{house.connection.profile_url}/v1/segments"
    with httpx.Client(headers=headers, timeout=60) as client:
        job = client.post(f"{url}:{path}", json=body).json()
        job = eventually(
            lambda: client.get(f"{url}/jobs/{job['job']}").json(),
            lambda told: told["state"] in ("done", "failed"),
        )
    answer: dict[str, Any] = job["answer"]
    return answer
