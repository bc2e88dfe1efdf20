"""What ends in an event's row, as SQL: the whole event, or what a class of properties names.

What a person agreed to outlives the event that said so, for a refusal that is forgotten would be a
grant where a purpose is granted by default: the row of such an event stays with those words alone.
So do the decisions of operators about identities.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from stamgast.consent.words import PREFIX
from stamgast.identity.decision import PLATFORM_SOURCE
from stamgast.ingestion.never_stored import without
from stamgast.retention import PropertyClass
from stamgast_lake.tables import EVENTS

WORDS, CLASS = "words_of_consent", "without_class"
# What is told of a context in columns of its own.
OWN_COLUMNS = {
    ("context", "page"): "page",
    ("context", "campaign"): "campaign",
    ("context", "ip"): "ip",
    ("context", "useragent"): "user_agent",
    ("context", "locale"): "locale",
    ("context", "timezone"): "time_zone",
}
DOCUMENTS = {"properties", "traits", "context", "page", "campaign"}
EMPTIED = (
    *("event", "order_id", "revenue_minor", "currency", "products", "campaign", "page"),
    *("properties", "context", "ip", "user_agent", "locale", "time_zone"),
)
Function = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends, under a name: rows that match `gone`, and of others the columns of `values`.

    `functions` are what the statements ask of Python, each from a text to a text.
    """

    name: str
    days: int
    key: str
    gone: str = "false"
    values: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)

    @property
    def touched(self) -> str:
        """Whether a row changes at all; one that was emptied does not change again."""
        changed = " or ".join(f"{value} is distinct from {n}" for n, value in self.values.items())
        return f"({self.gone} or {changed or 'false'})"

    @property
    def left(self) -> str:
        """The rows that stay, with what is left of them."""
        told = (
            f'{self.values[name]} as "{name}"' if name in self.values else f'"{name}"'
            for name in EVENTS.column_names
        )
        return f"select {', '.join(told)} from candidate where not {self.gone}"


def whole_events(days: int) -> Ending:
    """Events go; of one that says what a person agreed to these words stay."""
    words = f"nullif({WORDS}(traits), '')"
    gone = f"(source_id <> '{PLATFORM_SOURCE}' and {words} is null)"
    emptied = dict.fromkeys(EMPTIED, f"case when source_id = '{PLATFORM_SOURCE}' then {{}} end")
    values = {name: value.format(name) for name, value in emptied.items()}
    values["traits"] = f"case when source_id = '{PLATFORM_SOURCE}' then traits else {words} end"
    return Ending("events", days, f"events {days}", gone, values, {WORDS: _words_of})


def of_class(told: PropertyClass) -> Ending:
    """What a class names goes, wherever a row has it."""
    by_column: dict[str, list[tuple[str, ...]]] = {}
    for path in told.paths:
        for column, rest in _places(path):
            by_column.setdefault(column, []).append(rest)
    values, functions = {}, dict[str, Function]()
    for number, (column, paths) in enumerate(sorted(by_column.items())):
        if column not in DOCUMENTS or () in paths:
            values[column] = "null"
            continue
        name = f"{CLASS}_{number}"
        values[column] = f"{name}({column})"
        functions[name] = _without(tuple(paths))
    key = orjson.dumps([told.days, sorted(told.paths)]).decode()
    return Ending(f"properties.{told.name}", told.days, key, "false", values, functions)


def _places(path: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Columns that may hold a property, and its path in them."""
    own = OWN_COLUMNS.get((path[0], path[1].lower()))
    places = [(path[0], path[1:])] + ([(own, path[2:])] if own else [])
    return [*places, ("context", path)] if path[0] == "traits" else places


def _without(paths: tuple[tuple[str, ...], ...]) -> Function:
    def changed(text: str) -> str:
        value: Any = orjson.loads(text)
        is_there = [without(value, path) for path in paths]
        return orjson.dumps(value).decode() if any(is_there) else text

    return changed


def _words_of(text: str) -> str:
    """The words about consents among traits, as JSON; nothing where there are none."""
    told = {name: one for name, one in orjson.loads(text).items() if name.startswith(PREFIX)}
    if not told:
        return ""
    return orjson.dumps(told).decode()
