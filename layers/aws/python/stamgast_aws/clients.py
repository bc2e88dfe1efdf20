"""Low-level AWS clients, one a service and process, made on first use."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session

# Requests are typed here: to look at each value again cost a seventh of what publishing takes.
SETTINGS = Config(
    parameter_validation=False,
    connect_timeout=2,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=32,
)


@cache
def _session() -> Session:
    return Session()


@cache
def client(service: str, read_seconds: int = 20) -> Any:
    """The client of one service; botocore alone, for boto3 costs a cold start 50 ms more.

    `read_seconds` bounds each try: less than the default where somebody waits for the answer.
    """
    config = SETTINGS.merge(Config(read_timeout=read_seconds))
    return _session().create_client(service, config=config)


@cache
def signing_client() -> Any:
    """A client of S3 whose addresses are signed by version 4: objects under a key need it."""
    return _session().create_client("s3", config=SETTINGS.merge(Config(signature_version="s3v4")))
