"""What record linkage compares, how it finds pairs worth comparing, and what it keeps of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256


class ColumnKind(StrEnum):
    """How the values of a comparison column are normalised and compared."""

    NAME = "name"
    DATE = "date"
    HOUSE = "house"
    STREET = "street"
    TEXT = "text"
    CODE = "code"
    CHOICE = "choice"
    EMAIL = "email"
    PHONE = "phone"


COLUMNS: Mapping[str, ColumnKind] = {
    "given_name": ColumnKind.NAME,
    "surname": ColumnKind.NAME,
    "middle_name": ColumnKind.NAME,
    "birth_date": ColumnKind.DATE,
    "house": ColumnKind.HOUSE,
    "street": ColumnKind.STREET,
    "street_2": ColumnKind.STREET,
    "locality": ColumnKind.TEXT,
    "postcode": ColumnKind.CODE,
    "region": ColumnKind.CHOICE,
    "country": ColumnKind.CHOICE,
    "email": ColumnKind.EMAIL,
    "phone": ColumnKind.PHONE,
    "gender": ColumnKind.CHOICE,
    "birth_place": ColumnKind.TEXT,
    "occupation": ColumnKind.TEXT,
}
"""Every comparison column; one without values in the data is left out of the model."""

DEFAULT_TRAITS: Mapping[str, tuple[str, ...]] = {
    "given_name": ("given_name", "first_name", "firstName", "forename"),
    "surname": ("surname", "last_name", "lastName", "family_name"),
    "full_name": ("name", "full_name"),
    "middle_name": ("middle_name", "middleName"),
    "birth_date": ("birth_date", "birthday", "date_of_birth", "birthDate", "dob"),
    "house": ("house_number", "address.house_number", "street_number"),
    "street": ("street", "address.street", "address_line_1", "address_1"),
    "street_2": ("address_line_2", "address_2", "address.street_2"),
    "locality": ("city", "address.city", "suburb", "town", "locality"),
    "postcode": ("postcode", "postal_code", "address.postal_code", "address.postalCode", "zip"),
    "region": ("state", "address.state", "region", "province"),
    "country": ("country", "address.country"),
    "email": ("email",),
    "phone": ("phone", "mobile"),
    "gender": ("gender", "sex"),
    "birth_place": ("birth_place", "place_of_birth"),
    "occupation": ("occupation",),
}
"""Where a profile's traits say them, best first; a dot leads into an object.

`full_name` is no column: what is missing of given name and surname is read from it.
"""

DERIVED = ("names", "email_local")
"""Keys that columns lead to: both names in one order, and what stands before an address's `@`."""

DEFAULT_RULES = (
    "surname + given_name",
    "names",
    "surname:sound + birth_date",
    "given_name:sound + birth_date",
    "phone",
    "email",
    "email_local",
    "house + street",
    "surname:sound + postcode",
    "given_name:sound + postcode",
    "birth_date + postcode",
    "birth_date + locality:4",
    "house + postcode + street:4",
    "house + surname:3",
    "house + given_name:3",
    "street:6 + locality:4",
    "street:5 + postcode",
    "house + locality:5",
    "house + postcode",
    "street_2 + surname:1",
    "given_name:sound + surname:sound",
    "given_name:3 + surname:3",
    "surname:sound + birth_date:month",
    "given_name:sound + birth_date:month",
    "surname:3 + birth_date:year",
    "given_name:3 + birth_date:year",
    "surname:sound + birth_date:day_of_year",
    "given_name:sound + birth_date:day_of_year",
    "surname:sound + locality:4",
    "given_name:sound + locality:4",
    "given_name:2 + street:5",
    "surname:2 + street:5",
    "surname:1 + given_name:1 + postcode:3",
    "birth_date",
    "street",
    "street_2",
    "phone:-6",
    "email_local:6",
    "surname:sound + birth_place:4",
    "given_name:sound + birth_place:4",
    "birth_date:year + birth_place:5 + occupation:5",
    "given_name:1 + surname:4 + occupation:5",
    "surname",
    "postcode",
    "given_name + locality:3",
    "given_name",
    "locality",
    "surname:sound",
    "given_name:sound",
    "birth_date:month",
    "birth_date:day_of_year",
    "street:5",
    "street_2:5",
    "postcode:3",
    "birth_date:year",
    "house",
)
"""Narrow rules first: what they find is not compared again, and wide ones are tightened first."""

PARTS = {"sound", "year", "month", "day_of_year"}
_KEY = re.compile(r"(?P<column>[a-z_0-9]+)(?::(?P<part>-?\d{1,2}|[a-z_]+))?")


@dataclass(frozen=True, slots=True)
class Key:
    """A column, or a part of it: its first (or last) letters, its sound, a date's year."""

    column: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Two records are worth comparing when they agree in all of these keys."""

    name: str
    keys: tuple[Key, ...]


class BlockingRuleError(ValueError):
    """A blocking rule that names no column or no part of one."""


def rule_of(text: str) -> BlockingRule:
    """The rule that `surname:sound + birth_date:year` spells; raises BlockingRuleError."""
    return BlockingRule(text, tuple(_key(part.strip()) for part in text.split("+")))


def _key(text: str) -> Key:
    found = _KEY.fullmatch(text)
    if found is None:
        raise BlockingRuleError(f"{text!r} is no key; write a column, or column:part")
    column, part = found["column"], found["part"]
    if column not in COLUMNS and column not in DERIVED:
        known = ", ".join((*COLUMNS, *DERIVED))
        raise BlockingRuleError(f"{column!r} is no comparison column; known are {known}")
    if part and not part.lstrip("-").isdigit():
        _check_part(column, part)
    return Key(column, part)


def _check_part(column: str, part: str) -> None:
    kind = COLUMNS.get(column)
    if part not in PARTS:
        raise BlockingRuleError(f"{part!r} is no part; write a number, or {sorted(PARTS)}")
    if (part == "sound") != (kind is ColumnKind.NAME) or (
        part != "sound" and kind is not ColumnKind.DATE
    ):
        raise BlockingRuleError(f"{column} has no {part}: names have a sound, dates the rest")


@dataclass(frozen=True, slots=True)
class Similarity:
    """Levels of one comparison between equal and different, most alike first."""

    jaro_winkler: tuple[float, ...] = ()
    edits: tuple[int, ...] = ()


DEFAULT_SIMILARITIES: Mapping[ColumnKind, Similarity] = {
    ColumnKind.NAME: Similarity(jaro_winkler=(0.93, 0.85)),
    ColumnKind.DATE: Similarity(),
    ColumnKind.HOUSE: Similarity(edits=(1,)),
    ColumnKind.STREET: Similarity(jaro_winkler=(0.93, 0.85)),
    ColumnKind.TEXT: Similarity(jaro_winkler=(0.93, 0.85)),
    ColumnKind.CODE: Similarity(edits=(1,)),
    ColumnKind.CHOICE: Similarity(jaro_winkler=(0.9,)),
    ColumnKind.EMAIL: Similarity(jaro_winkler=(0.93, 0.85)),
    ColumnKind.PHONE: Similarity(edits=(1,)),
}


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """How a workspace links records; the defaults are what a workspace without a word gets.

    `traits` says where a profile tells a column, `rules` which pairs are compared, `similarities`
    how alike values may be by column. A link is kept from `least_probability` on. A run makes up
    to `comparisons_a_record` comparisons for each record. Probabilities are calibrated from
    `least_labels` confirmed and as many refuted pairs on.
    """

    is_on: bool = False
    traits: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_TRAITS))
    rules: tuple[str, ...] = DEFAULT_RULES
    similarities: Mapping[str, Similarity] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()
    comparisons_a_record: int = 12
    least_probability: float = 0.5
    expiry_days: int = 90
    train_every_days: int = 30
    least_labels: int = 100

    @property
    def blocking(self) -> tuple[BlockingRule, ...]:
        """The blocking rules, spelled out."""
        return tuple(rule_of(text) for text in self.rules)

    def similarity(self, column: str) -> Similarity:
        """How alike two values of a column may be without being equal."""
        return self.similarities.get(column, DEFAULT_SIMILARITIES[COLUMNS[column]])

    @property
    def fingerprint(self) -> str:
        """Equal for settings under which a model means the same."""
        told = (
            sorted(self.traits.items()),
            self.rules,
            sorted((name, one.jaro_winkler, one.edits) for name, one in self.similarities.items()),
            sorted(self.leave_out),
            self.comparisons_a_record,
            self.least_probability,
        )
        return sha256(repr(told).encode()).hexdigest()[:16]
