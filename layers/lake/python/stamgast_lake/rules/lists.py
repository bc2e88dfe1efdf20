"""Lists in SQL: the texts of an order's lines, or the JSON texts of a document's list."""

from stamgast.segments.language.tree import Type
from stamgast_lake.rules.literals import read_json
from stamgast_lake.rules.sources import EVENT_SQL

Listed = tuple[str, bool]


def field_list(path: tuple[str, ...]) -> str:
    """A list over the lines of an order."""
    return EVENT_SQL[path]


def contains_sql(listed: Listed, kind: Type, item: str) -> str:
    """Whether the list has the item; null without a list or an item."""
    elements, is_text = listed
    if kind is Type.ANY:
        arms = [
            f"when {value} is not null then {_among(elements, is_text, one, value)}"
            for one in (Type.NUMBER, Type.TEXT, Type.BOOLEAN)
            for value in (read_json(one, item, "UTC"),)
        ]
        return f"(case {' '.join(arms)} end)"
    return f"(case when {item} is not null then {_among(elements, is_text, kind, item)} end)"


def _among(elements: str, is_text: bool, kind: Type, item: str) -> str:
    if is_text and kind is not Type.TEXT:
        return f"(case when {elements} is not null then false end)"
    if is_text:
        return f"list_contains({elements}, {item})"
    match kind:
        case Type.NUMBER:
            numbers = f"list_transform({elements}, lambda one: try_cast(one as double))"
            return f"list_contains({numbers}, {item})"
        case Type.BOOLEAN:
            return f"list_contains({elements}, case when {item} then 'true' else 'false' end)"
    return f"list_contains({elements}, cast(to_json({item}) as varchar))"


def size_sql(elements: str, _: bool) -> str:
    """How many elements a list has."""
    return f"cast(len({elements}) as double)"
