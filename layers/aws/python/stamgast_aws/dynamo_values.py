"""Plain Python values as DynamoDB's attribute values, and back."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Item: TypeAlias = dict[str, dict[str, Any]]


def item_of(attributes: Mapping[str, Any]) -> Item:
    """Each attribute as its typed value: numbers are whole, bytes are binary."""
    return {name: typed(value) for name, value in attributes.items()}


def attributes_of(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The plain values of an item."""
    return {name: plain(value) for name, value in item.items()}


def typed(value: Any) -> dict[str, Any]:
    """One value with its type; raises TypeError for what no item of ours holds."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": item_of(value)}
        case list() | tuple():
            return {"L": [typed(one) for one in value]}
    raise TypeError(f"no attribute value for {type(value).__name__}")


def plain(value: Mapping[str, Any]) -> Any:
    """One value without its type."""
    ((kind, held),) = value.items()
    if kind == "S":  # most of all values; a read of a person unwraps hundreds
        return held
    read = READERS.get(kind)
    return held if read is None else read(held)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "N": int,
    "M": attributes_of,
    "L": lambda held: [plain(one) for one in held],
    "SS": set,
}
