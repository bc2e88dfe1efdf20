"""How the command starts: without the engine, which takes longer to load than most verbs to run."""

import subprocess
import sys


def test_no_engine_is_loaded_to_show_a_verb() -> None:
    code = """
import sys
from stamgast_cli.app import application
application()
print(*(name for name in ("duckdb", "pandas", "pyarrow", "pyiceberg") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
