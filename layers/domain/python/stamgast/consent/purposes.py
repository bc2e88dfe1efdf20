"""The purposes of a workspace: on which legal basis each stands, and which uses it covers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from stamgast.identity.assurance import Assurance

ALL = "$all"
SUPPRESSED = "$suppressed"
PROFILING = "profiling"


class Use(StrEnum):
    """What somebody's data can be used for."""

    FIELDS = "fields"
    LOOKUP = "lookup"
    SEGMENTS = "segments"
    MODELS = "models"
    LINKS = "links"
    EXPORTS = "exports"
    EVENTS = "events"


class Signal(StrEnum):
    """A browser's word about everything: Global Privacy Control, or Do Not Track."""

    GPC = "gpc"
    DNT = "dnt"


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose; `covers` are uses such as `exports`, `fields.traits.email`, `models.churn`.

    `categories` are the names under which consent banners know it, beside its own. A grant counts
    from `least_assurance` on, a refusal always.
    """

    name: str
    covers: tuple[str, ...] = tuple(Use)
    legal_basis: str = "consent"
    is_default_granted: bool = False
    categories: tuple[str, ...] = ()
    refused_by: tuple[str, ...] = (Signal.GPC,)
    least_assurance: Assurance = Assurance.ANONYMOUS
    title: str = ""

    def allows(self, use: Use, what: str | None = None) -> bool:
        """Whether it covers a use, of `what`: a field, a segment's or a model's name."""
        return any(_names(one, use, what) for one in self.covers)


@dataclass(frozen=True)
class Purposes:
    """All purposes by name. Where none is declared, every name is one, denied until granted."""

    by_name: Mapping[str, Purpose] = field(default_factory=dict)
    is_purpose_required: bool = False

    @property
    def is_declared(self) -> bool:
        """Whether the workspace says what its purposes are."""
        return bool(self.by_name)

    def of(self, name: str) -> Purpose | None:
        """The purpose of a name; None for one that a workspace with purposes does not declare."""
        return self.by_name.get(name) if self.is_declared else Purpose(name)

    def meant_by(self, category: str) -> tuple[str, ...]:
        """The purposes that a name of a consent banner speaks of; none where it is unknown."""
        if not self.is_declared or category in (ALL, SUPPRESSED):
            return (category,)
        return self._by_category.get(category, ())

    def refused_by(self, signal: str) -> tuple[str, ...]:
        """The purposes that a browser's signal refuses."""
        if not self.is_declared:
            return (ALL,) if signal == Signal.GPC else ()
        return tuple(name for name, one in self.by_name.items() if signal in one.refused_by)

    def takes_grant(self, purpose: str, assurance: Assurance) -> bool:
        """Whether a grant of this assurance counts."""
        known = self.by_name.get(purpose)
        return known is None or assurance >= known.least_assurance

    @cached_property
    def _by_category(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, purpose in self.by_name.items():
            for category in dict.fromkeys((name, *purpose.categories)):
                found[category] = (*found.get(category, ()), name)
        return found


UNDECLARED = Purposes()


def purposes_of(told: Mapping[str, Any]) -> Purposes:
    """The purposes that the compiled `consent` part of a workspace tells."""
    named = told.get("purposes", {})
    return Purposes(
        {name: _purpose(name, one) for name, one in named.items()},
        is_purpose_required=told.get("purpose_required", False),
    )


def _purpose(name: str, told: Mapping[str, Any]) -> Purpose:
    return Purpose(
        name=name,
        covers=tuple(told["covers"]),
        legal_basis=told["legal_basis"],
        is_default_granted=told["default"] == "granted",
        categories=tuple(told["categories"]),
        refused_by=tuple(told["refused_by"]),
        least_assurance=Assurance[told["least_assurance"].upper()],
        title=told["title"] or name,
    )


def _names(pattern: str, use: Use, what: str | None) -> bool:
    """`fields.traits` names all of that section, `fields` or `fields.*` every field."""
    section = pattern.removesuffix(".*")
    if section == use or what is None:
        return section.partition(".")[0] == use
    return f"{use}.{what}" == section or f"{use}.{what}".startswith(section + ".")
