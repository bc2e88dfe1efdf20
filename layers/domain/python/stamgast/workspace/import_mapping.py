"""How the rows of import files become events, as a workspace says it of a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How the rows of matching import files become events.

    `match` is a glob over the object's path below `imports/<source>/`. `columns` maps a place in
    the event's body (`properties.order_id`) to a column's name, `constants` to a fixed value, and
    `formats` to how the column spells it (`stamgast.ingestion.spellings`). `encoding` is that of
    text files; `time_zone` that of moments that name none.
    """

    match: str
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    time_zone: str = "UTC"
