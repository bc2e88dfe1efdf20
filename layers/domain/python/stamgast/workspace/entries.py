"""An entry of a file as far as it has its form: one fault hides no other that stands beside it."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

Shape: TypeAlias = type[BaseModel]
Steps: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry tells, and which of its names have a fault of their form.

    Of an entry without faults `part` is what it means, whole. Of another it says what stands there,
    with the default, or None, for what is missing or has a fault.
    """

    part: Mapping[str, Any]
    faulty: frozenset[str] = frozenset()


def entry_of(shape: Shape, told: Any) -> Entry:
    """The entry that a part of a document tells."""
    try:
        return Entry(shape.model_validate(told).model_dump(mode="json"))
    except ValidationError as error:
        places = {tuple(str(step) for step in one["loc"]) for one in error.errors()}
    names = frozenset(place[0] if place else "" for place in places)
    return Entry(_as_far(shape, told, {*places, *_cut(told, ())}, ()), names)


def _cut(told: Any, place: Steps) -> Iterator[Steps]:
    """The places of texts that a comma cut short in braces: their rest became a name of nothing."""
    before: str | None = None
    for name, one in told.items() if isinstance(told, dict) else ():
        if one is not None:
            before = str(name)
            yield from _cut(one, (*place, before))
        elif before is not None and not str(name).isidentifier():
            yield (*place, before)


def _as_far(shape: Shape, told: Any, faulty: Set[Steps], place: Steps) -> dict[str, Any]:
    known = told if isinstance(told, dict) else {}
    return {
        name: _default(field)
        if name not in known or (*place, name) in faulty
        else _value(field, known[name], faulty, (*place, name))
        for name, field in shape.model_fields.items()
    }


def _value(field: FieldInfo, told: Any, faulty: Set[Steps], place: Steps) -> Any:
    """What stands at a place where nothing is wrong, or something deeper."""
    if inner := next(_shapes(field), None):
        return None if told is None else _as_far(inner, told, faulty, place)
    if isinstance(told, dict):
        return {str(name): one for name, one in told.items() if (*place, str(name)) not in faulty}
    is_sound = all(one[: len(place)] != place for one in faulty)
    return told if is_sound else _default(field)


def _shapes(field: FieldInfo) -> Iterator[Shape]:
    """The shape of the section that a field is, if it is one."""
    kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind


def _default(field: FieldInfo) -> Any:
    told = field.get_default(call_default_factory=True)
    if isinstance(told, BaseModel):
        return told.model_dump(mode="json")
    return None if told is PydanticUndefined else told
