"""The recorded templates: a change of infrastructure is seen in review, resource by resource."""

import json
import os

import pytest

from tests.infra.assembly import ROOT, assembly, masked

RECORDED = ROOT / "tests" / "infra" / "recorded"
STACKS = [(name, part) for name in ("local", "prod") for part in ("data", "platform")]


@pytest.mark.parametrize(("name", "part"), STACKS)
def test_the_template_is_the_recorded_one(name: str, part: str) -> None:
    path = RECORDED / f"{name}-{part}.json"
    template = masked(getattr(assembly(name), part))
    if os.environ.get("STAMGAST_RECORD"):
        path.write_text(json.dumps(template, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    recorded = json.loads(path.read_text(encoding="utf-8"))
    assert template == recorded, "record anew with STAMGAST_RECORD=1 and read the difference"


def test_no_template_reaches_the_size_that_cloudformation_refuses() -> None:
    largest = max(
        len(json.dumps(assembly("prod").platform)), len(json.dumps(assembly("prod").data))
    )
    assert largest < 1_000_000
