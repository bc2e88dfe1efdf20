"""A YAML file with the line of everything in it, and every mistake of its own form."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MOST_NODES = 200_000
ENDLESS = "found unexpected end of stream"
IN_QUOTES = "a text that begins so stands in quotes, or under `|`"
# The beginnings of what the reader of YAML says, and what usually helps.
HINTS = {
    "mapping values are not allowed here": "a name ends with `:`, the line before it, too;"
    " a text with `: ` in it stands in quotes, or under `|`",
    "found character '\\t' that cannot start any token": "indent with blanks, not with tabs",
    "found character '": IN_QUOTES,
    "found undefined alias": IN_QUOTES,
    "could not determine a constructor for the tag": IN_QUOTES,
    "expected <block end>, but found '<scalar>'": "a text with quotes in it stands under `|`",
    "expected <block end>": "indent it as its neighbours are",
    "expected ',' or '}'": "a comma in braces ends a text; put the text in quotes, or under `|`",
    ENDLESS: "what begins here has no end: close the quotes",
    "but found another document": "a file holds one document: take the line `---` out",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: file, line (from 1), place in the document and what to do about it."""

    file: str
    line: int
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.place or 'the file'}: {self.message}"


class WorkspaceError(ValueError):
    """A workspace that cannot be used; `faults` has one entry for each mistake in it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


Place = tuple[str, ...]
PLAIN = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null", "timestamp")
)
TEXT = "tag:yaml.org,2002:str"


class _Reader(yaml.SafeLoader):
    """Reads names as they are written, and a day that no calendar has as text.

    YAML 1.1 makes false of a model that is named `off`, and tells no line of an impossible day.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        for key, _ in node.value:
            if key.tag in PLAIN:
                key.tag = TEXT
        return super().construct_mapping(node, deep)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            return self.construct_scalar(node)


_Reader.add_constructor("tag:yaml.org,2002:timestamp", _Reader.construct_yaml_timestamp)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed file: its values, and its nodes with their lines."""

    name: str
    document: Any
    node: yaml.Node | None
    text: str = ""

    def line(self, place: Place) -> int:
        """The line where the deepest known step of a place stands."""
        return self._found(place)[0]

    def line_in(self, place: Place, line: int) -> int:
        """The file's line of a line within a text; only a `|` block keeps its lines apart."""
        first, node = self._found(place)
        is_block = isinstance(node, yaml.ScalarNode) and node.style == "|"
        return first + line if is_block else first

    def is_cut_by_comment(self, place: Place) -> bool:
        """Whether a text without quotes ends where YAML found a comment in its line."""
        _, node = self._found(place)
        if not isinstance(node, yaml.ScalarNode) or node.style is not None:
            return False
        rest = self.text.splitlines()[node.end_mark.line][node.end_mark.column :]
        return rest.lstrip().startswith("#")

    def fault(self, place: Place, message: str, line: int | None = None) -> Fault:
        """A mistake at a place."""
        return Fault(self.name, line or self.line(place), ".".join(place), message)

    def _found(self, place: Place) -> tuple[int, yaml.Node | None]:
        line, node = 1, self.node
        for step in place:
            if isinstance(node, yaml.MappingNode):
                pair = next((p for p in node.value if str(p[0].value) == step), None)
                if pair is None:
                    return line, None
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and step.isdigit():
                node = node.value[int(step)]
                line = node.start_mark.line + 1
        return line, node


def parse_file(name: str, text: str, faults: list[Fault]) -> YamlFile | None:
    """The file, or None with its fault added; a name that stands twice is a fault, too."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if _is_endless(node):
            faults.append(Fault(name, 1, "", "too large once its aliases are followed"))
            return None
        document = yaml.load(text, Loader=_Reader) or {}  # noqa: S506 - a reader of plain data
    except yaml.MarkedYAMLError as error:
        faults.append(_unreadable(name, error))
        return None
    except (yaml.YAMLError, ValueError) as error:
        faults.append(Fault(name, 1, "", f"not YAML: {' '.join(str(error).split())}"))
        return None
    except RecursionError:
        faults.append(Fault(name, 1, "", "nested too deep"))
        return None
    faults.extend(_repeated(name, node, ()))
    return YamlFile(name, document, node, text)


def _unreadable(name: str, error: yaml.MarkedYAMLError) -> Fault:
    """What the reader of YAML could not take, where, and what usually helps."""
    problem, mark = str(error.problem), error.problem_mark
    hint = next((told for begins, told in HINTS.items() if problem.startswith(begins)), None)
    if problem == ENDLESS and error.context_mark:
        mark, problem = error.context_mark, f"{error.context}: {problem}"
    line, where = (mark.line + 1, f", column {mark.column + 1}") if mark else (1, "")
    message = f"not YAML{where}: {problem}" + (f" ({hint})" if hint else "")
    return Fault(name, line, "", message)


def _is_endless(node: yaml.Node | None) -> bool:
    """Whether aliases name themselves, or each other so often that nothing could read the file."""
    todo, met = [node], 0
    while todo and met <= MOST_NODES:
        one, met = todo.pop(), met + 1
        if isinstance(one, yaml.MappingNode):
            todo += [part for pair in one.value for part in pair]
        elif isinstance(one, yaml.SequenceNode):
            todo += one.value
    return met > MOST_NODES


def _repeated(file: str, node: yaml.Node | None, place: Place) -> Iterator[Fault]:
    """Every name that stands twice in one mapping: the later would silently win."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _repeated(file, item, (*place, str(number)))
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        at, line = (*place, str(key.value)), key.start_mark.line + 1
        if str(key.value) in seen:
            message = f"this name stands in line {seen[str(key.value)]} already"
            yield Fault(file, line, ".".join(at), message)
        seen.setdefault(str(key.value), line)
        yield from _repeated(file, value, at)
