"""How the rows of import files become events, as a workspace says it of a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How the rows of matching import files become events.

    `match` is a glob over the object's path below `imports/<source>/`. `columns` maps a place in
    the event's body (`properties.order_id`) to a column's name, `constants` to a fixed value.
    """

    match: str
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
