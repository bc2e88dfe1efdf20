"""The pages for operators name what is really there."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from infra.environments import Domain, Environment
from tests.infra.assembly import ROOT

OPERATIONS = ROOT / "docs" / "operations"
PAGES = sorted(OPERATIONS.rglob("*.md"))
IDENTITY = {"name", "account", "region"}


def test_every_setting_of_an_environment_is_explained() -> None:
    page = (OPERATIONS / "environments.md").read_text(encoding="utf-8")
    explained = {*re.findall(r"`([a-z_]+)`", page)}
    assert {field.name for field in fields(Environment)} - IDENTITY <= explained


def test_the_custom_domains_settings_are_shown() -> None:
    page = (OPERATIONS / "custom-domain.md").read_text(encoding="utf-8")
    assert all(f"{field.name}=" in page for field in fields(Domain))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_links_only_to_what_exists(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]
