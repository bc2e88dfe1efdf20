"""cfn-lint over every template: the types and values that CloudFormation itself would refuse."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.assembly import CHECKED, assembly


def lint(*names: str) -> subprocess.CompletedProcess[str]:
    """Lint environments in one process: to load what CloudFormation takes costs as a template."""
    folders = [assembly(name).folder for name in names]
    templates = sorted(str(path) for one in folders for path in one.glob("*.template.json"))
    # W3005: CDK orders a function after its whole policy. W6001: outputs repeat what Data exports.
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--regions",
        "eu-west-1",
        "--ignore-checks",
        "W3005",
        "W6001",
        "--",
        *templates,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def test_cfn_lint_finds_no_fault_in_what_is_deployed_unless_said() -> None:
    done = lint("prod")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.deep
def test_cfn_lint_finds_no_fault_in_any_environment() -> None:
    done = lint(*CHECKED)
    assert done.returncode == 0, done.stdout + done.stderr
