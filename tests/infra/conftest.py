"""One worker synthesises the environments for all of these tests, and it alone loads the CDK."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests together under `--dist loadgroup`; the wheels may go elsewhere."""
    for item in items:
        if item.path.parent == HERE and item.path.name != "test_wheels.py":
            item.add_marker(pytest.mark.xdist_group("infra"))
