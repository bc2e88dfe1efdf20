"""What a check is noted in, and the lake of the local stack as any client would read it."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from pyiceberg.catalog.glue import GlueCatalog


@dataclass
class Verdict:
    """What was compared, and what differs."""

    checks: list[dict[str, Any]] = field(default_factory=list)

    def equal(self, name: str, expected: Any, found: Any) -> None:
        """Notes one comparison."""
        is_same = abs(expected - found) < 1e-9 if isinstance(expected, float) else expected == found
        self.checks.append(
            {"check": name, "expected": expected, "found": found, "agrees": bool(is_same)}
        )

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return all(check["agrees"] for check in self.checks)


class Stack:
    """The lake of the local stack, without the product's code."""

    def __init__(self, home: Path) -> None:
        self.told = json.loads((home / "local.json").read_text(encoding="utf-8"))
        session: Any = boto3.Session("test", "test", region_name="us-east-1")  # the emulator's
        self._session = session
        endpoint = {"s3.endpoint": self.told["endpoint_url"], "s3.region": "us-east-1"}
        keys = {"s3.access-key-id": "test", "s3.secret-access-key": "test"}
        self._catalog = GlueCatalog("check", client=self.client("glue"), **endpoint, **keys)

    def client(self, service: str) -> Any:
        """A client of the emulator."""
        return self._session.client(service, endpoint_url=self.told["endpoint_url"])

    def table(self, name: str, *columns: str) -> pd.DataFrame:
        """Columns of an Iceberg table."""
        table = self._catalog.load_table((self.told["lake_database"], name))
        return table.scan(selected_fields=columns).to_pandas()

    def secret(self) -> tuple[int, bytes]:
        """Version and secret of the workspace."""
        name = self.told["outputs"]["WorkspaceSecret"]
        answer = self.client("secretsmanager").get_secret_value(SecretId=name)
        told = json.loads(answer["SecretString"])
        return int(told["version"]), told["secret"].encode()


def key_of(named: str, version: int, secret: bytes) -> str:
    """The lake's key of `namespace:value`: HMAC-SHA-256 of namespace, NUL, value; base32, 25."""
    namespace, _, value = named.partition(":")
    digest = hmac.digest(secret, f"{namespace}\0{value}".encode(), hashlib.sha256)
    return f"{namespace}:{version}{base64.b32encode(digest).decode()[:25].lower()}"
