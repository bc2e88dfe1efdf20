"""The fields that may be asked of an export, and which of them a reader's scope covers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from stamgast.egress.manifest import OPEN, SCOPES
from stamgast.identity.settings import IdentitySettings
from stamgast.lookup.reader import Reader
from stamgast.segments.definitions import ComputedTrait

MOST_FIELDS = 60
LONGEST_PATH = 12


class Of(StrEnum):
    """Where a field's value comes from."""

    MEMBERSHIP = "membership"
    PROFILE = "profile"
    RFM = "rfm"
    TRAIT = "traits"
    COMPUTED = "computed"
    IDENTIFIER = "identifiers"


PLAIN: Mapping[str, Of] = {
    "person_id": Of.MEMBERSHIP,
    "segment": Of.MEMBERSHIP,
    "since": Of.MEMBERSHIP,
    "as_of": Of.MEMBERSHIP,
    "first_at": Of.PROFILE,
    "last_at": Of.PROFILE,
    "orders.count": Of.PROFILE,
    "orders.revenue": Of.PROFILE,
    "orders.currency": Of.PROFILE,
    "rfm.segment": Of.RFM,
    "rfm.r": Of.RFM,
    "rfm.f": Of.RFM,
    "rfm.m": Of.RFM,
    "rfm.frequency": Of.RFM,
    "rfm.monetary": Of.RFM,
    "rfm.last_order_on": Of.RFM,
}


class Form(StrEnum):
    """What the values of a field are, in files that know types."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    MOMENT = "moment"
    DATE = "date"


FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("orders.count", "rfm.r", "rfm.f", "rfm.m", "rfm.frequency"), Form.WHOLE),
    **dict.fromkeys(("orders.revenue", "rfm.monetary"), Form.NUMBER),
    **dict.fromkeys(("since", "as_of", "first_at", "last_at"), Form.MOMENT),
    "rfm.last_order_on": Form.DATE,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field by its name: `traits.address.city` is of TRAIT with the path (address, city)."""

    name: str
    of: Of
    path: tuple[str, ...] = ()

    @property
    def form(self) -> Form:
        """What its values are; traits and identifiers are texts."""
        return FORMS.get(self.name, Form.TEXT)

    def is_seen_by(self, reader: Reader) -> bool:
        """Whether the reader's scope covers it."""
        if self.name in OPEN:
            return True
        if self.of is Of.IDENTIFIER and not reader.may_name(self.path[0]):
            return False
        return reader.may_see(SCOPES.get(self.name, self.name))


class UnknownFieldError(ValueError):
    """A name that is no field."""


def field_of(name: str, settings: IdentitySettings, traits: Sequence[ComputedTrait]) -> Field:
    """The field of a name; raises UnknownFieldError with what might have been meant."""
    if name in PLAIN:
        return Field(name, PLAIN[name])
    root, *path = name.split(".")
    if path and all(path) and len(path) <= LONGEST_PATH and name.isprintable():
        if root == Of.TRAIT:
            return Field(name, Of.TRAIT, tuple(path))
        known = _known(root, settings, traits)
        if len(path) == 1 and path[0] in known:
            return Field(name, Of(root), tuple(path))
        if known:
            raise UnknownFieldError(_told(name, [f"{root}.{one}" for one in known]))
    raise UnknownFieldError(_told(name, list(PLAIN)))


def _known(
    root: str, settings: IdentitySettings, traits: Sequence[ComputedTrait]
) -> Collection[str]:
    match root:
        case Of.COMPUTED:
            return [trait.name for trait in traits]
        case Of.IDENTIFIER:
            return list(settings.by_name)
    return ()


def _told(name: str, known: Sequence[str]) -> str:
    meant = get_close_matches(name, known, 1)
    if not meant and name.isidentifier():
        meant = [f"traits.{name}"]
    return f"there is no field `{name}`" + (f" (did you mean `{meant[0]}`?)" if meant else "")
