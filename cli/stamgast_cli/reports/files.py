"""Reports as files: the page where it was asked for, and its JSON beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stamgast_cli.errors import InputError


def write_report(told: Mapping[str, Any], page: str, out: Path) -> str:
    """Writes both files and returns their names; raises InputError where that is not possible."""
    beside = out.with_suffix(".json")
    if out.suffix == ".json":
        raise InputError(f"{out} would be overwritten by its own JSON", hint="Name it .html.")
    text = json.dumps(told, ensure_ascii=False, indent=1, default=str)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
        beside.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error
    return f"{out}, {beside}"
