"""cfn-lint over every template: the types and values that CloudFormation itself would refuse."""

import subprocess
import sys
from pathlib import Path

from tests.infra.assembly import assembly


def test_cfn_lint_finds_no_fault() -> None:
    """All in one process: to load what CloudFormation takes costs as much as a template."""
    folders = [assembly(name).folder for name in ("prod", "hosted")]
    templates = sorted(str(path) for one in folders for path in one.glob("*.template.json"))
    # W3005: CDK orders a function after its whole policy. W6001: outputs repeat what Data exports.
    lint = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--regions",
        "eu-west-1",
        "--ignore-checks",
        "W3005",
        "W6001",
        "--",
        *templates,
    ]
    done = subprocess.run(lint, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
