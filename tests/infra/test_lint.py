"""cfn-lint over every template: the types and values that CloudFormation itself would refuse."""

import subprocess
import sys

import pytest

from tests.infra.assembly import assembly


@pytest.mark.parametrize("name", ["prod", "hosted"])
def test_cfn_lint_finds_no_fault(name: str) -> None:
    templates = sorted(str(path) for path in assembly(name).folder.glob("*.template.json"))
    lint = [sys.executable, "-m", "cfnlint", "--regions", "eu-west-1", "--", *templates]
    done = subprocess.run(lint, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
