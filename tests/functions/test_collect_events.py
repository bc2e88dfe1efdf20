"""The handler of `collect_events`: proxy events in, proxy answers out, over moto."""

import gzip
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.session import Session
from moto import mock_aws

from functions.collect_events import handler as module
from stamgast.ingestion.envelope import decode
from stamgast.raw.record import RawRecord
from stamgast.raw.unfold import unfold
from stamgast_aws import clients
from stamgast_aws.rest_api import request_of, truncated
from stamgast_aws.settings import MissingSettingError, read_settings
from stamgast_aws.source_registry import DynamoSourceRegistry

KEY = "pub_key"
BASIC = {"Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode()}
Received = Callable[[], list[RawRecord]]


def proxy_event(path: str, body: str | None = None, **more: Any) -> dict[str, Any]:
    """An event as a REST API hands it over."""
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": BASIC,
        "queryStringParameters": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "192.0.2.77"},
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "stage": "live",
        },
        **more,
    }


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    """The function's world, and what its queue received."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("CONTROL_TABLE", "control")
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    with mock_aws():
        session = Session()
        sqs, dynamodb = session.create_client("sqs"), session.create_client("dynamodb")
        url = sqs.create_queue(QueueName="events")["QueueUrl"]
        monkeypatch.setenv("EVENT_QUEUE_URL", url)
        dynamodb.create_table(
            TableName="control",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("PK", "SK")],
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
        )
        registry = DynamoSourceRegistry(dynamodb, "control")
        registry.declare("web", "Web", None)
        registry.issue("web", "public", "2026-11-22T00:00:00Z", KEY)
        _forget()
        yield lambda: _drain(sqs, url)
    _forget()


def _forget() -> None:
    wired = (module._collector, module._settings, module._workspaces)
    for cached in (*wired, clients.client, clients._session):
        cached.cache_clear()


def _drain(sqs: Any, url: str) -> list[RawRecord]:
    found: list[RawRecord] = []
    while told := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in told:
            found += unfold(decode(message["Body"]))[0]
    return found


def test_a_call_is_acknowledged_when_the_queue_holds_it(received: Received) -> None:
    answer = module.handler(proxy_event("/v1/track", '{"userId": "u", "event": "e"}'), None)
    assert (answer["statusCode"], answer["body"]) == (200, '{"success": true}')
    (record,) = received()
    assert (record.source_id, record.type, record.ip) == ("web", "track", "192.0.2.0")
    assert record.receipt_id == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef:0"


@pytest.mark.parametrize("is_gzip", [True, False])
def test_a_binary_body_arrives_in_base64(received: Received, is_gzip: bool) -> None:
    body = b'{"batch": [{"type": "identify", "userId": "u"}]}'
    sent = b64encode(gzip.compress(body) if is_gzip else body).decode()
    event = proxy_event("/v1/batch", sent, isBase64Encoded=True)
    assert module.handler(event, None)["statusCode"] == 200
    assert [record.type for record in received()] == ["identify"]


def test_a_pixels_picture_goes_to_the_gateway_as_base64(received: Received) -> None:
    data = b64encode(json.dumps({"writeKey": KEY, "userId": "u", "event": "Opened"}).encode())
    query = {"data": data.decode()}
    event = proxy_event("/v1/pixel/track", httpMethod="GET", queryStringParameters=query)
    answer = module.handler(event, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert b64decode(answer["body"]).startswith(b"GIF89a")
    assert [record.type for record in received()] == ["track"]


def test_a_body_that_is_no_base64_is_refused_with_headers_for_the_page(received: Received) -> None:
    event = proxy_event("/v1/batch", "%", isBase64Encoded=True)
    answer = module.handler(event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["code"] == "invalid_base64"
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_one_line_is_logged_a_request_and_nothing_personal_in_it(
    received: Received, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps({"batch": [{"type": "identify", "userId": "ada@example.org"}, 3]})
    module.handler(proxy_event("/v1/batch", body), None)
    (line,) = capsys.readouterr().out.strip().splitlines()
    told = json.loads(line)
    assert (told["accepted"], told["rejected"]) == (1, {"not_an_object": 1})
    assert (told["status"], told["source_id"], told["route"]) == (200, "web", "batch")
    for secret in ("ada", KEY, "192.0.2"):
        assert secret not in line


@pytest.mark.parametrize(
    ("headers", "host", "scheme"),
    [
        ({"Host": "abc.execute-api.eu-central-1.amazonaws.com"}, "/live", "https"),
        ({"Host": "in.example.org"}, "in.example.org", "https"),
        ({"Host": "127.0.0.1:8080"}, "127.0.0.1:8080", "http"),
        ({"Host": "x", "X-Forwarded-Host": "in.example.org"}, "in.example.org", "https"),
        ({"Host": 'x"/><script>'}, "/live", "https"),
        ({"Host": "127.0.0.1:1", "X-Forwarded-Proto": "https"}, "127.0.0.1:1", "https"),
    ],
)
def test_the_host_that_clients_are_sent_to_is_the_one_they_asked(
    headers: dict[str, str], host: str, scheme: str
) -> None:
    request = request_of(proxy_event("/", headers=headers))
    assert request.host.endswith(host)
    assert request.scheme == scheme


def test_addresses_are_truncated() -> None:
    assert truncated("198.51.100.23") == "198.51.100.0"
    assert truncated("2001:db8:1:2::3") == "2001:db8:1::"
    assert truncated("nonsense") is None
    assert truncated(None) is None


def test_behind_a_distribution_the_address_is_the_viewers() -> None:
    headers = {"X-Amz-Cf-Id": "x", "X-Forwarded-For": "10.0.0.9, 198.51.100.23, 192.0.2.1"}
    assert request_of(proxy_event("/", headers=headers)).ip == "198.51.100.0"


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(MissingSettingError, match="EVENT_QUEUE_URL"):
        read_settings(module.Settings, {"CONTROL_TABLE": "control"})


def refused(**_: Any) -> tuple[Any, dict[str, Any]]:
    """What SQS answers in the place of a call while it throttles."""
    error = {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}


def lost(**_: Any) -> None:
    """The queue has the message, and its answer gets lost on the way."""
    raise ReadTimeoutError(endpoint_url="queue:")


@pytest.mark.failure_line(8)
@pytest.mark.parametrize(
    ("moment", "fault", "kept"), [("before-call", refused, 0), ("after-call", lost, 1)]
)
def test_while_the_queue_refuses_or_stays_silent_nothing_is_acknowledged(
    received: Received, moment: str, fault: Callable[..., Any], kept: int
) -> None:
    """Line 8: 503 with whole seconds to wait; what is sent again then has the same message id."""
    event = proxy_event("/v1/track", '{"userId": "u", "event": "e", "messageId": "m"}')
    sqs, name = clients.client("sqs", module.READ_SECONDS), f"{moment}.sqs.SendMessage"
    sqs.meta.events.register(name, fault, unique_id="fault")
    for _ in range(3):
        answer = module.handler(event, None)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "not_durable")
        assert int(answer["headers"]["Retry-After"]) > 0
        assert [record.message_id for record in received()] == ["m"] * kept
    sqs.meta.events.unregister(name, unique_id="fault")
    assert module.handler(event, None)["statusCode"] == 200
    assert [record.message_id for record in received()] == ["m"]


@pytest.mark.failure_line(9)
def test_past_its_reply_a_process_has_nothing_left_to_do(received: Received) -> None:
    """Line 9: no thread and no buffer is left behind, should the process never wake up again."""
    before = set(threading.enumerate())
    batch = [{"type": "track", "event": "e", "userId": "u", "messageId": str(n)} for n in range(30)]
    assert module.handler(proxy_event("/v1/batch", json.dumps({"batch": batch})), None)
    assert set(threading.enumerate()) == before
    _forget()
    assert [record.message_id for record in received()] == [str(n) for n in range(30)]


@pytest.mark.failure_line(12)
def test_behind_one_address_only_the_source_over_its_limit_is_refused(received: Received) -> None:
    """Line 12: two sources behind the same proxy, one of them at a limit of one a second."""
    registry = DynamoSourceRegistry(clients.client("dynamodb"), "control")
    registry.declare("app", "App", 1)
    registry.issue("app", "public", "2026-11-22T00:00:00Z", "pub_app")
    body = json.dumps({"batch": [{"type": "track", "event": "e", "userId": "u"}] * 20})
    app = {"Authorization": "Basic " + b64encode(b"pub_app:").decode()}
    flood = [module.handler(proxy_event("/v1/batch", body, headers=app), None) for _ in range(5)]
    assert flood[-1]["statusCode"] == 429
    assert int(flood[-1]["headers"]["Retry-After"]) > 0
    assert module.handler(proxy_event("/v1/batch", body), None)["statusCode"] == 200
    assert len([record for record in received() if record.source_id == "web"]) == 20
