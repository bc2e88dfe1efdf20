"""What a sweep found, as it is written down before the first file changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SETS = ("gone", "redacted", "objects", "receipts")


@dataclass(slots=True)
class Found:
    """What tells of the erased: their messages, others' messages, and where the archive has them.

    `decided` are the days of decisions about the erased, `reasoned` those of decisions about others
    whose reason tells of them.
    """

    gone: set[str] = field(default_factory=set)
    redacted: set[str] = field(default_factory=set)
    decided: dict[str, str] = field(default_factory=dict)
    reasoned: dict[str, str] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    receipts: set[str] = field(default_factory=set)

    def to_dict(self) -> dict[str, Any]:
        """The form of the document that outlives a crash."""
        days = {"decided": self.decided, "reasoned": self.reasoned}
        return {**{name: sorted(getattr(self, name)) for name in SETS}, **days}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Found":
        """Reads what `to_dict` wrote."""
        days = dict(told["decided"]), dict(told["reasoned"])
        sets = {name: set(told[name]) for name in SETS}
        return cls(**sets, decided=days[0], reasoned=days[1])
