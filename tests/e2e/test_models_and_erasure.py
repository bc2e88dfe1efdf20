"""Models are trained and score by their machine; an erased person is nowhere; permissions hold."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stamgast.erasure.needles import Needles
from stamgast_cli.app import application
from stamgast_lake.erasure.scan import tells_of
from tests.e2e.house import House, eventually, name, now, order

Verb = Callable[..., Any]
BUYERS, DAYS, EVERY = 240, 270, 9


@pytest.fixture
def verb(enforced_stack: House, monkeypatch: pytest.MonkeyPatch) -> Verb:
    monkeypatch.setenv("STAMGAST_HOME", str(enforced_stack.places.home))

    def invoke(*arguments: str) -> Any:
        result: Result = CliRunner().invoke(application(), [*arguments, "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    return invoke


def history(batch: str) -> Iterator[dict[str, Any]]:
    """Purchases of people, half of whom come seldom; every second one stays away some day.

    Were all of them alike, whether they came the last time would tell nearly as much as a model.
    """
    chance = random.Random(5)
    begin = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    begin -= timedelta(days=DAYS)
    for person in range(BUYERS):
        last = DAYS if person % 2 else chance.uniform(60, DAYS)
        skipped = 0.3 if person % 4 < 2 else 0.85
        for day in range(0, round(last), EVERY):
            if chance.random() < skipped:
                continue
            yield {
                **order(f"{batch}-{person:03}", round(chance.uniform(5, 90), 2)),
                "timestamp": (begin + timedelta(days=day, seconds=person)).isoformat(),
            }


@pytest.mark.failure_line(36)
def test_whoever_was_trained_on_and_scored_is_erased_from_every_bucket_and_table(
    enforced_stack: House, verb: Verb, tmp_path: Path
) -> None:
    """Line 36: the person is gone from the profile, and everything else still knows them."""
    house, batch = enforced_stack, name("buyer")
    user, email, city = f"{batch}-001", f"{batch}@example.com", name("city")
    file = tmp_path / f"{batch}.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in history(batch)))
    verb("import", str(file), "--source", "shop")
    consent = {"consent": {"categoryPreferences": {"Email": True, "Analytics": True}}}
    traits = {"email": email, "city": city}
    told = {"userId": user, "anonymousId": name("device"), "timestamp": now()}
    said = {**told, "type": "identify", "messageId": name("m"), "traits": traits}
    refused = {**told, "type": "nonsense", "messageId": name("m"), "traits": traits}
    house.send({**said, "context": consent}, refused).raise_for_status()
    eventually(lambda: house.profile(f"email:{email}"))
    house.run()

    scored = verb("model", "train", "stays_away")["figures"]["store_scores"]["scored"]
    assert scored["stays_away"]["people"] > BUYERS / 4
    assert verb("model", "compare", "stays_away")[-1]["state"] == "champion"
    assert verb("model", "explain", f"email:{email}")
    asked = ("--purpose", "email", "--fields", "person_id,traits.email")
    verb("segment", "export", "newcomers", *asked, "--out", str(tmp_path / "newcomers.csv"))
    texts = (user, email, city, str((house.profile(f"email:{email}") or {})["person_id"]))
    needles = Needles((), hashed=tuple(text.encode() for text in texts))  # wherever it stands
    assert found(house, needles)

    done = verb("erase", f"email:{email}")
    assert done["request_status"] == "completed"
    assert house.profile(f"user_id:{user}") is None
    verb("rights", "prove")
    status = eventually(
        lambda: verb("rights", "status", done["subject_request_id"]),
        lambda told: "certificate" in told,
    )

    assert status["is_proven"]
    assert status["certificate"]["remaining"] == 0
    assert found(house, needles) == []


def still_there(s3: Any, place: dict[str, str]) -> bytes:
    """A version's content; none if the look that follows a proof has dropped it by now."""
    try:
        body: bytes = s3.get_object(**place)["Body"].read()
    except s3.exceptions.ClientError as gone:
        if gone.response["Error"]["Code"] != "NoSuchVersion":
            raise
        return b""
    return body


def found(house: House, needles: Needles) -> list[str]:
    """Every version of an object, and every item, that tells of somebody."""
    s3, dynamodb = house.deployment.client("s3"), house.deployment.client("dynamodb")
    told: list[str] = []
    for bucket in s3.list_buckets()["Buckets"]:
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket["Name"])
        for one in (one for page in pages for one in page.get("Versions", ())):
            place = {"Bucket": bucket["Name"], "Key": one["Key"], "VersionId": one["VersionId"]}
            body = still_there(s3, place)
            told += [one["Key"]] if tells_of(BytesIO(body), needles) else []
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            items = [repr(item).encode() for item in page["Items"]]
            told += [table for item in items if needles.found_in(item)]
    return told
