"""An event's way through both stacks as deployed, with permissions open and enforced."""

from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from stamgast_cli.local.loopback import REGION
from tests.e2e.house import House, eventually, name, now, order


@pytest.mark.failure_line(40)
def test_a_sent_event_is_archived_and_its_person_is_found_by_every_identifier(
    house: House,
) -> None:
    """Line 40: every function can do what it must, with permissions enforced as well."""
    user, email = name("user"), f"{name('ada')}@example.com"
    message = {
        "type": "identify",
        "messageId": name("message"),
        "userId": user,
        "timestamp": now(),
        "traits": {"email": email, "first_name": "Ada"},
    }

    assert house.send(message).json() == {"success": True}

    found = eventually(
        lambda: house.profile(f"email:{email}"), lambda told: bool(told and told["traits"])
    )
    assert found is not None
    assert found["traits"]["first_name"] == "Ada"
    assert house.profile(f"user_id:{user}") == found
    assert [one for one in house.archived() if one["message_id"] == message["messageId"]]


@pytest.mark.failure_line(1)
def test_a_batch_that_is_sent_again_counts_once(house: House) -> None:
    """Line 1: the client resends what was acknowledged; one effect per messageId."""
    user = name("user")
    purchase, last = order(user, 12.5), order(user, 1.0)

    for _ in range(3):
        house.send(purchase).raise_for_status()
    house.send(last).raise_for_status()

    eventually(lambda: house.timeline(f"user_id:{user}"), lambda told: len(told) == 2)
    assert len(house.timeline(f"user_id:{user}")) == 2
    found = house.profile(f"user_id:{user}")
    assert found is not None
    assert found["counters"]["Order Completed"] == 2


@pytest.mark.failure_line(5)
def test_one_bad_event_is_quarantined_and_its_batch_is_taken(house: House) -> None:
    """Line 5: the rest of the batch is stored."""
    user, odd = name("user"), name("no-such-type")

    assert house.send(order(user, 3.0), {"type": odd, "userId": user}).status_code == 200

    eventually(lambda: house.profile(f"user_id:{user}"))
    rejected = eventually(lambda: [one for one in house.archived("rejected/") if odd in str(one)])
    assert len(rejected) == 1


def test_a_run_makes_the_lake_and_the_profiles_agree(house: House) -> None:
    user = name("user")
    house.send(order(user, 20.0), order(user, 30.0)).raise_for_status()
    live = eventually(lambda: house.profile(f"user_id:{user}"), has_orders)
    eventually(lambda: [one for one in house.archived() if user in one["body"]])

    told = house.run()

    assert told["execution"] == "SUCCEEDED"
    authoritative = house.profile(f"user_id:{user}")
    assert live is not None
    assert authoritative is not None
    assert authoritative["person_id"] == live["person_id"]
    assert authoritative["counters"] == live["counters"]
    assert authoritative["rfm"]


def has_orders(profile: dict[str, Any] | None) -> bool:
    return bool(profile and profile["counters"].get("Order Completed"))


def test_an_unknown_key_is_refused_in_the_form_that_clients_understand(house: House) -> None:
    answer = house.send(order("nobody", 1.0), key="pub_unknown")

    assert answer.status_code == 401
    assert set(answer.json()) >= {"code", "message"}


def test_browsers_are_answered_at_the_root_with_their_origin(house: House) -> None:
    answer = httpx.options(
        f"{house.connection.ingest_url}/v1/t",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-retry-count",
        },
        timeout=60,
    )

    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "x-retry-count" in answer.headers["access-control-allow-headers"]


def test_settings_send_browsers_back_to_the_front_by_the_scheme_they_came_by(
    house: House,
) -> None:
    told = house.connection
    path = f"{told.ingest_url}/v1/projects/{told.public_write_key}/settings"
    segment = httpx.get(path, timeout=60).json()["integrations"]["Segment.io"]

    assert f"{segment['protocol']}://{segment['apiHost']}" == f"{told.ingest_url}/v1"


def test_a_role_may_do_nothing_beyond_its_own_work(enforced_stack: House) -> None:
    """The enforcement that the other tests pass under is real."""
    deployment = enforced_stack.deployment
    role = deployment.client("lambda").get_function(FunctionName="stamgast-local-look-up-profile")[
        "Configuration"
    ]["Role"]
    told = deployment.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    sqs = boto3.client(
        "sqs",
        endpoint_url=deployment.endpoint_url,
        region_name=REGION,
        aws_access_key_id=told["AccessKeyId"],
        aws_secret_access_key=told["SecretAccessKey"],
        aws_session_token=told["SessionToken"],
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.send_message(QueueUrl=deployment.output("EventQueueUrl"), MessageBody="{}")
