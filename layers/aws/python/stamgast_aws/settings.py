"""A function's settings: one frozen dataclass, read from the environment once."""

from collections.abc import Mapping
from dataclasses import fields
from os import environ
from typing import Any, TypeVar

Settings = TypeVar("Settings")


class MissingSettingError(LookupError):
    """An environment variable that a function needs is absent or empty."""


def read_settings(model: type[Settings], env: Mapping[str, str] = environ) -> Settings:
    """The model with each field from the variable of its name in capitals, all of them texts.

    Dataclasses, not pydantic: these are texts by nature, and pydantic would cost each cold start
    a third of its budget.
    """
    told = {}
    for field in fields(model):  # type: ignore[arg-type]  # a dataclass type, by this function's contract
        value = env.get(field.name.upper())
        if not value:
            raise MissingSettingError(f"{field.name.upper()} is not set")
        told[field.name] = value
    build: Any = model
    settings: Settings = build(**told)
    return settings
