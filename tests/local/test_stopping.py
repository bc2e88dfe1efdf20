"""Stopping the emulator ends all that it started."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from stamgast_cli.local import emulator
from stamgast_cli.local.emulator import Emulator
from stamgast_cli.local.places import Places

PARENT = """
import subprocess, sys
work = "import time; print('began', flush=True); time.sleep(5); print('went on', flush=True)"
subprocess.run([sys.executable, "-c", work])
"""


def test_a_function_in_the_middle_of_its_work_ends_with_the_emulator(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path)
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        told = asdict(Emulator(parent.pid, 1, 2, 3, is_enforcing=False))
        places.process.write_text(json.dumps(told), encoding="utf-8")

        assert emulator.stop(places)

        assert parent.stdout.read() == b""  # it ends with the last who could write
    assert emulator.running(places) is None
