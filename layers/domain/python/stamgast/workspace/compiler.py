"""From a folder of YAML to the compiled workspace: validated whole, every fault with its line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import yaml
from pydantic import ValidationError

from stamgast.workspace.schema import FILES


class WorkspaceError(ValueError):
    """A workspace that cannot be used; `faults` has one entry for each mistake in it."""

    def __init__(self, faults: list["Fault"]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: file, line (from 1), place in the document and what to do about it."""

    file: str
    line: int
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.place or 'the file'}: {self.message}"


def compile_files(texts: Mapping[str, str]) -> dict[str, Any]:
    """The compiled workspace of `{file name: YAML text}`; files left out take their defaults.

    Raises WorkspaceError with every fault of every file at once.
    """
    known = ", ".join(sorted(FILES))
    unknown = sorted(set(texts) - set(FILES))
    faults = [Fault(name, 1, "", f"unknown file; known are {known}") for name in unknown]
    compiled: dict[str, Any] = {}
    for name, shape in FILES.items():
        parsed = _parsed(name, texts.get(name, "{}"), faults)
        if parsed is not None:
            compiled |= _validated(name, shape, *parsed, faults)
    if faults:
        raise WorkspaceError(faults)
    told = json.dumps(compiled, sort_keys=True, ensure_ascii=False)
    return {**compiled, "version": sha256(told.encode()).hexdigest()[:12]}


def _parsed(name: str, text: str, faults: list[Fault]) -> tuple[Any, yaml.Node | None] | None:
    try:
        return yaml.safe_load(text) or {}, yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        faults.append(Fault(name, line, "", f"not YAML: {error.problem}"))
    return None


def _validated(
    name: str, shape: Any, document: Any, node: yaml.Node | None, faults: list[Fault]
) -> dict[str, Any]:
    try:
        validated: dict[str, Any] = shape.model_validate(document).model_dump(mode="json")
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            place = tuple(str(step) for step in fault["loc"] if step != "[key]")
            faults.append(Fault(name, _line(node, place), ".".join(place), fault["msg"]))
        return {}
    return validated


def _line(node: yaml.Node | None, place: tuple[str, ...]) -> int:
    """The line where the deepest known step of a place stands."""
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if str(p[0].value) == step), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and step.isdigit():
            node = node.value[int(step)]
            line = node.start_mark.line + 1
    return line
