"""Plain Python values as DynamoDB's attribute values, and back."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Item: TypeAlias = dict[str, dict[str, Any]]


def item_of(attributes: Mapping[str, Any]) -> Item:
    """Each attribute as its typed value: numbers are whole, bytes are binary."""
    return {name: typed(value) for name, value in attributes.items()}


def attributes_of(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The plain values of an item."""
    return {
        name: held if kind in AS_THEY_ARE else READERS[kind](held)
        for name, value in item.items()
        for kind, held in value.items()
    }


def typed(value: Any) -> dict[str, Any]:
    """One value with its type; raises TypeError for what no item of ours holds."""
    write = WRITERS.get(type(value))  # most values are of a plain type; `match` takes the others
    if write is not None:
        return write(value)
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
    return held if kind in AS_THEY_ARE else READERS[kind](held)


AS_THEY_ARE = frozenset({"S", "B", "BOOL", "BS", "NS"})
READERS: Mapping[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "N": int,
    "M": attributes_of,
    "L": lambda held: [plain(one) for one in held],
    "SS": set,
}
WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    str: lambda value: {"S": value},
    int: lambda value: {"N": str(value)},
    bool: lambda value: {"BOOL": value},
    bytes: lambda value: {"B": value},
    dict: lambda value: {"M": item_of(value)},
    list: lambda value: {"L": [typed(one) for one in value]},
}
