"""Our own layers carry the compiled files that a function's disk cannot keep."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.infra.assembly import assembly

UNCHECKED_HASH = 1


def test_each_module_lies_beside_its_compiled_file_which_nobody_checks(tmp_path: Path) -> None:
    from infra.blocks.compiled import RUNTIME, compiled

    if sys.version_info[:2] != RUNTIME:
        pytest.skip("compiles for Lambda's own version of Python alone")
    source = tmp_path / "layer"
    module = source / "python" / "pkg" / "told.py"
    stale = module.parent / "__pycache__" / "told.cpython-310.pyc"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of another version")
    module.write_text("TOLD = 1\n", encoding="utf-8")

    compiled(source, tmp_path / "out")

    there = tmp_path / "out" / "python" / "pkg"
    [found] = (there / "__pycache__").iterdir()
    assert found.name == Path(importlib.util.cache_from_source("told.py")).name
    assert int.from_bytes(found.read_bytes()[4:8], "little") == UNCHECKED_HASH
    assert b"/opt/python/pkg/told.py" in found.read_bytes()
    assert str(tmp_path).encode() not in found.read_bytes()


def test_layers_of_ours_are_compiled_where_they_are_deployed_and_not_locally() -> None:
    """Staged are as many compiled files as our own layers have modules (stand-ins: one each)."""
    from infra.blocks.compiled import RUNTIME

    if sys.version_info[:2] != RUNTIME:
        pytest.skip("compiles for Lambda's own version of Python alone")
    assert list(assembly("prod").folder.rglob("*.pyc"))
    assert not list(assembly("local").folder.rglob("*.pyc"))
