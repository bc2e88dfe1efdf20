"""What pydantic finds wrong with a part of the workspace, in words that say what to do."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

NO_MAPPING = "Input should be a valid mapping of names to values"
A_NAME = "^[a-z][a-z0-9_]{0,60}$"
NO_NAME = "a name has lower-case letters, digits and `_`, at most 61, and a letter first"
IN_BRACES = "a comma in braces ends a text in YAML; put the text in quotes, or under `|`"
NOTHING = "; nothing stands there (write `{}`, or leave the name out)"
SYNONYMS = {
    **dict.fromkeys(("string", "str", "varchar"), "text"),
    **dict.fromkeys(("integer", "int", "float", "double", "decimal"), "number"),
    "bool": "boolean",
    "datetime": "moment",
    "timestamp": "moment",
    "array": "list",
    "mean": "average",
    "avg": "average",
    "min": "minimum",
    "max": "maximum",
    "mode": "most_frequent",
}
PERCENT = r"(\d{1,3}(?:\.\d{1,6})?) ?%"
UNQUOTED = "put it in quotes, or it is no text in YAML"


def message_of(shape: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """The message of one of pydantic's errors about a document of this shape."""
    kind, message = str(fault["type"]), str(fault["msg"])
    if _is_cut_by_a_comma(fault):
        return IN_BRACES
    if kind == "extra_forbidden":
        return _unknown(str(fault["loc"][-1]), _names_at(shape, fault["loc"][:-1]))
    if kind in ("model_type", "dict_type"):
        return NO_MAPPING + (NOTHING if fault.get("input") is None else "")
    hint = _hint(kind, fault)
    told = NO_NAME if _is_of_name(fault) else message.removeprefix("Value error, ")
    return f"{told}; {hint}" if hint else told


def _hint(kind: str, fault: Mapping[str, Any]) -> str | None:
    """What might have been meant, where it can be told."""
    given = fault.get("input")
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(fault["ctx"]["expected"]))
        like = SYNONYMS.get(str(given).lower(), str(given))
        return _meant(get_close_matches(like, known, n=1))
    if kind == "string_type" and isinstance(given, bool | int | float):
        return UNQUOTED
    if kind == "float_type" and (share := re.fullmatch(PERCENT, str(given))):
        return _meant([f"{float(share[1]) / 100:g}"])
    if _is_of_name(fault):
        like = re.sub("[^a-z0-9]+", "_", str(given).lower()).strip("_")[:61]
        return _meant([like] if re.fullmatch(A_NAME, like) else [])
    return None


def _is_cut_by_a_comma(fault: Mapping[str, Any]) -> bool:
    """Whether it is about the rest of a text, which became a name: `{a: f(b, c)}`, `{a: 1,5}`."""
    place = [str(one) for one in fault["loc"] if one != "[key]"]
    if fault["type"] == "extra_forbidden" and place[-1].isdigit():
        return True
    return bool(place) and place[-1].count(")") > place[-1].count("(")


def _is_of_name(fault: Mapping[str, Any]) -> bool:
    return bool(fault.get("ctx", {}).get("pattern") == A_NAME)


def _meant(near: Sequence[str]) -> str | None:
    return f"did you mean `{near[0]}`?" if near else None


def _unknown(name: str, known: Sequence[str]) -> str:
    meant = _meant(get_close_matches(name, known, n=1))
    return f"unknown name; {meant or 'known are ' + ', '.join(known)}"


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
