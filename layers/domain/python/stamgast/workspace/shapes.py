"""What pydantic finds wrong with a part of the workspace, in words that say what to do."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

NO_MAPPING = "Input should be a valid mapping of names to values"


def message_of(shape: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """The message of one of pydantic's errors about a document of this shape."""
    kind, message = str(fault["type"]), str(fault["msg"])
    if kind == "extra_forbidden":
        return _unknown(str(fault["loc"][-1]), _names_at(shape, fault["loc"][:-1]))
    if kind in ("model_type", "dict_type"):
        return NO_MAPPING
    return message.removeprefix("Value error, ")


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"unknown name; did you mean `{near[0]}`?"
    return f"unknown name; known are {', '.join(known)}"


def _names_at(shape: Any, place: Sequence[Any]) -> list[str]:
    """The names that the part at a place of the document may have."""
    found = _inside(shape)
    for step in place:
        fields = found.model_fields if isinstance(found, type) else None
        found = _inside(fields[step].annotation if fields and step in fields else found)
    return list(found.model_fields) if isinstance(found, type) else []


def _inside(shape: Any) -> type[BaseModel] | None:
    """The model in an annotation: itself, or that of its values or items."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return shape
    return next((one for one in map(_inside, get_args(shape)) if one is not None), None)
