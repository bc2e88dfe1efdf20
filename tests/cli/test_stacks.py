"""A stack in AWS that cannot be looked for says what is missing, and what to do."""

from typing import Any

import pytest

from stamgast_cli.deployment import find
from stamgast_cli.errors import NotRunningError


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A machine without any configuration of AWS."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_stack_without_a_region_is_not_looked_for() -> None:
    with pytest.raises(NotRunningError, match="no AWS region is set") as told:
        find("prod")
    assert "AWS_REGION=" in str(told.value.hint)


def test_a_stack_without_credentials_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(NotRunningError, match="no AWS credentials") as told:
        find("prod")
    assert "AWS_PROFILE" in str(told.value.hint)
