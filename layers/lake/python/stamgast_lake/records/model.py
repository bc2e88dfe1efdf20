"""A trained model of record linkage: pinned, versioned by its content, kept as JSON in the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import orjson

from stamgast_lake.records.blocking import Block

FORMAT = 3
DIGITS = 6
"""Significant digits that a parameter keeps, so that the order of a sum changes no model."""


@dataclass(frozen=True, slots=True)
class Level:
    """How often matches (`m`) and others (`u`) agree this much, and how that is tested in SQL."""

    told: Mapping[str, Any]
    m: float
    u: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison column with its levels, most alike first; missing values say nothing."""

    column: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How common the commonest values are (by the key of the value), and the rest of them."""

    common: Mapping[int, float]
    rest: float


@dataclass(frozen=True, slots=True)
class Dependence:
    """What is added to the weight of a column for what its parents show, in bits.

    The first parent that agrees counts, else the first that is known: `gains[way][class][level]`,
    the classes equal, nearly equal, alike and different. The ways are the parents, then all but the
    first once more, for where one before it differs. Beside a parent that is not different, the
    frequency of a value adds nothing.
    """

    column: str
    parents: tuple[tuple[str, ...], ...]
    gains: tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What the blocking rules find of the matches: by rule, alone, and all that there may be."""

    found_by_rule: Mapping[str, float]
    found: float
    estimated: float

    @property
    def recall(self) -> float:
        """The estimated share of matches that blocking reaches; 1.0 where none are expected."""
        return self.found / self.estimated if self.estimated else 1.0


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that scoring needs, so that equal records score alike in every later run."""

    records: int
    prior: float
    comparisons: tuple[Compared, ...]
    blocks: tuple[Block, ...]
    frequencies: Mapping[str, Frequencies]
    reach: Reach
    dependences: tuple[Dependence, ...] = ()
    notes: tuple[str, ...] = ()
    version: str = ""

    def named(self) -> "Model":
        """The model under the name that its content gives it."""
        content = replace(self, version="").to_json()
        return replace(self, version=sha256(content).hexdigest()[:12])

    def to_json(self) -> bytes:
        """The model as its object in the lake."""
        return orjson.dumps(
            {"format": FORMAT, **asdict(self)},
            option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS,
        )

    @classmethod
    def from_json(cls, text: bytes) -> "Model":
        """The model that `to_json` wrote."""
        told = orjson.loads(text)
        return cls(
            records=told["records"],
            prior=told["prior"],
            comparisons=tuple(_compared(one) for one in told["comparisons"]),
            blocks=tuple(_block(one) for one in told["blocks"]),
            frequencies={name: _frequencies(one) for name, one in told["frequencies"].items()},
            reach=Reach(**told["reach"]),
            dependences=tuple(_dependence(one) for one in told["dependences"]),
            notes=tuple(told["notes"]),
            version=told["version"],
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The comparison columns, in the model's order."""
        return tuple(one.column for one in self.comparisons)


def _compared(told: Mapping[str, Any]) -> Compared:
    return Compared(told["column"], tuple(Level(**level) for level in told["levels"]))


def _block(told: Mapping[str, Any]) -> Block:
    return Block(**{**told, "stopped": tuple(told["stopped"])})


def _frequencies(told: Mapping[str, Any]) -> Frequencies:
    return Frequencies({int(key): one for key, one in told["common"].items()}, told["rest"])


def _dependence(told: Mapping[str, Any]) -> Dependence:
    gains = tuple(tuple(tuple(row) for row in parent) for parent in told["gains"])
    return Dependence(told["column"], tuple(tuple(one) for one in told["parents"]), gains)


def rounded(value: float) -> float:
    """A parameter with six significant digits."""
    return float(f"{value:.{DIGITS}g}")


def prior_levels(comparison: Mapping[str, Any], equal: float) -> list[float]:
    """What is believed of matches at first: `equal` agree, each next level half as many."""
    count = sum(1 for one in comparison["comparison_levels"] if not one.get("is_null_level"))
    shares: Sequence[float] = [0.5**place for place in range(count - 1)]
    return [equal, *((1 - equal) * share / sum(shares) for share in shares)]
