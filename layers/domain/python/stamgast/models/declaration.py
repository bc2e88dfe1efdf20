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
    much someone outside the segment `seed` resembles those inside. `recommendation`: what they buy
    next. `discount`: how much of what they buy is discounted, as observed. `uplift`: how much more
    likely the event is because of an experiment's treatment. `drivers`: what goes with the outcome,
    of nobody in particular. `clusters`: which group of people who are alike they belong to.
    """

    PROPENSITY = "propensity"
    CHURN = "churn"
    LIFETIME_VALUE = "lifetime_value"
    LOOK_ALIKE = "look_alike"
    RECOMMENDATION = "recommendation"
    DISCOUNT = "discount"
    UPLIFT = "uplift"
    DRIVERS = "drivers"
    CLUSTERS = "clusters"


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
    `allow` names features that are used though they are suspected of knowing the outcome.
    `settings` are those of its kind alone, as plain data; `rules` are trees that they name.
    `currency` is that of the amounts among its features, None until people were measured.
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
    settings: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Node] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    currency: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The model as JSON."""
        plain = {
            name: getattr(self, name)
            for name in (
                *("name", "version", "within_days", "seed", "purpose", "train_every_days"),
                *("least_of_each", "margin", "title", "description", "texts", "settings"),
            )
        }
        return {
            **plain,
            **({} if self.currency is None else {"currency": self.currency}),
            "kind": self.kind.value,
            "allow": list(self.allow),
            "tree": TREE_VERSION,
            **{name: to_json(getattr(self, name)) for name in TREES},
            "features": [feature.document for feature in self.features],
            "rules": {name: to_json(tree) for name, tree in self.rules.items()},
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
        if name not in {*TREES, "tree", "kind", "features", "rules", "cutoffs", "allow"}
    }
    return Model(
        kind=Kind(told["kind"]),
        features=tuple(_feature(one) for one in told["features"]),
        allow=tuple(told.get("allow", ())),
        cutoffs=Cutoffs(**told["cutoffs"]),
        rules={name: _tree(told["tree"], one) for name, one in told["rules"].items()},
        **trees,
        **rest,
    )


def _feature(told: Document) -> Feature:
    return Feature(
        told["name"], of_document({"tree": told["tree"], "rule": told["rule"]}), told["text"]
    )


def _tree(version: int, told: Any) -> Any:
    return None if told is None else of_document({"tree": version, "rule": told})
