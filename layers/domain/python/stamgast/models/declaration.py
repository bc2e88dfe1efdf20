"""A declared model, decoded from the workspace's document when it is used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stamgast.segments.language.codec import of_document, to_json
from stamgast.segments.language.tree import TREE_VERSION, Node

Document = Mapping[str, Any]
TREES = ("target", "population", "exclude")


class Kind(StrEnum):
    """What a model says of a person.

    `propensity`: the probability that an event that passes the target comes within the horizon.
    `churn`: that none comes. `lifetime_value`: the money of the orders that come. `look_alike`: how
    much someone outside the segment `seed` resembles those inside.
    """

    PROPENSITY = "propensity"
    CHURN = "churn"
    LIFETIME_VALUE = "lifetime_value"
    LOOK_ALIKE = "look_alike"


@dataclass(frozen=True, slots=True)
class Feature:
    """A number of a person at a moment: its name, and its expression as a tree and as written."""

    name: str
    tree: Node
    text: str

    @property
    def document(self) -> dict[str, Any]:
        """The feature as JSON."""
        return {
            "name": self.name,
            "text": self.text,
            "tree": TREE_VERSION,
            "rule": to_json(self.tree),
        }


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """At how many past moments a model is trained and judged, and how many days lie between."""

    number: int = 6
    every_days: int = 30


@dataclass(frozen=True, slots=True)
class Model:
    """One declared model.

    `target` and `exclude` are None where they were left out. `margin` is by how much a new version
    must beat the one in use, and the baseline, before it takes over: a share of the Brier score, or
    of the absolute error of amounts. `purpose` is the consent that scored people must have given.
    """

    name: str
    kind: Kind
    version: str
    within_days: int
    population: Node
    features: tuple[Feature, ...]
    target: Node | None = None
    exclude: Node | None = None
    seed: str | None = None
    purpose: str | None = None
    cutoffs: Cutoffs = field(default_factory=Cutoffs)
    train_every_days: int = 7
    least_of_each: int = 100
    margin: float = 0.01
    title: str = ""
    description: str = ""
    texts: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The model as JSON."""
        plain = {
            name: getattr(self, name)
            for name in (
                *("name", "version", "within_days", "seed", "purpose", "train_every_days"),
                *("least_of_each", "margin", "title", "description", "texts"),
            )
        }
        return {
            **plain,
            "kind": self.kind.value,
            "tree": TREE_VERSION,
            **{name: to_json(getattr(self, name)) for name in TREES},
            "features": [feature.document for feature in self.features],
            "cutoffs": {"number": self.cutoffs.number, "every_days": self.cutoffs.every_days},
        }


def models_of(told: Iterable[Document]) -> tuple[Model, ...]:
    """The models of a workspace's document."""
    return tuple(model_of(one) for one in told)


def model_of(told: Document) -> Model:
    """The model that `Model.document` told."""
    trees = {name: _tree(told["tree"], told[name]) for name in TREES}
    rest = {
        name: one
        for name, one in told.items()
        if name not in {*TREES, "tree", "kind", "features", "cutoffs"}
    }
    return Model(
        kind=Kind(told["kind"]),
        features=tuple(_feature(one) for one in told["features"]),
        cutoffs=Cutoffs(**told["cutoffs"]),
        **trees,
        **rest,
    )


def _feature(told: Document) -> Feature:
    return Feature(
        told["name"], of_document({"tree": told["tree"], "rule": told["rule"]}), told["text"]
    )


def _tree(version: int, told: Any) -> Any:
    return None if told is None else of_document({"tree": version, "rule": told})
