"""What a report withholds: figures that would tell of fewer people than its minimum."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_LEAST = 10


@dataclass(frozen=True, slots=True)
class Minimum:
    """The fewest people whom a figure may tell of; nobody at all is no secret."""

    least: int = DEFAULT_LEAST

    def hides(self, *people: int) -> bool:
        """Whether one of these counts is of somebody, and of too few."""
        return any(0 < count < self.least for count in people)

    def row(
        self, row: Mapping[str, Any], people: Iterable[str], figures: Iterable[str]
    ) -> dict[str, Any]:
        """The row, its `figures` None if one of the counts of `people` is too small.

        `is_suppressed` says whether that happened.
        """
        is_hidden = self.hides(*(row[name] for name in people))
        hidden = dict.fromkeys(figures) if is_hidden else {}
        return {
            **row,
            **hidden,
            "is_suppressed": bool(is_hidden or row.get("is_suppressed", False)),
        }
