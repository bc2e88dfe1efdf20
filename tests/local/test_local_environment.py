"""Local verbs stay on this machine, whatever the shell around them says."""

from pathlib import Path

import pytest

from stamgast_cli.errors import NotLoopbackError
from stamgast_cli.local.cdk import sources_digest
from stamgast_cli.local.loopback import local_environment, require_loopback
from stamgast_cli.local.routes import http_target, reader, rest_target, write_routes


@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.eu-west-1.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://0.0.0.0:4566",
        "http://localhost.example.com",
        "",
    ],
)
def test_an_endpoint_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(NotLoopbackError):
        require_loopback(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"])
def test_an_endpoint_here_is_taken(url: str) -> None:
    assert require_loopback(url) == url


def test_the_users_own_credentials_and_endpoints_reach_no_local_process() -> None:
    shell = {
        "PATH": "/bin",
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    }

    told = local_environment("http://127.0.0.1:4566", shell)

    assert told["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(told)
    assert told["AWS_SECRET_ACCESS_KEY"] == "test"
    assert told["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_the_front_notices_a_deployment_without_a_restart(tmp_path: Path) -> None:
    routes = tmp_path / "routes.json"
    current = reader(routes, "ingest")
    assert current() is None

    write_routes(routes, ingest=rest_target("a", "live"), profile=http_target("b"))

    assert current() == "/restapis/a/live/_user_request_"


def test_a_changed_handler_changes_the_digest_and_a_compiled_one_does_not(tmp_path: Path) -> None:
    handler = tmp_path / "functions" / "collect_events" / "handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text("one")
    before = sources_digest(tmp_path)

    compiled = handler.parent / "__pycache__" / "handler.cpython-313.pyc"
    compiled.parent.mkdir()
    compiled.write_text("compiled")
    assert sources_digest(tmp_path) == before

    handler.write_text("two")
    assert sources_digest(tmp_path) != before
