"""The shape of `models.yaml`: what is predicted, of whom, from what."""

from typing import Annotated, Literal

from pydantic import Field

from stamgast.workspace.schema import Part
from stamgast.workspace.segment_schema import Name

MOST_MODELS, MOST_FEATURES = 50, 200
Days = Annotated[int, Field(ge=1, le=730)]


class CutoffsPart(Part):
    """At how many past moments a model is trained and judged, and how many days apart."""

    number: Annotated[int, Field(ge=3, le=60)] = 6
    every_days: Days = 30


class ModelPart(Part):
    """One model; `defaults: false` leaves the default features out."""

    kind: Literal["propensity", "churn", "lifetime_value", "look_alike"]
    title: str | None = None
    description: str = ""
    target: str | None = None
    within_days: Days = 30
    population: str = "orders.count >= 1"
    exclude: str | None = None
    seed: Name | None = None
    purpose: Name | None = None
    cutoffs: CutoffsPart = CutoffsPart()
    train_every_days: Days = 7
    least_of_each: Annotated[int, Field(ge=100, le=1_000_000)] = 100
    margin: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    defaults: bool = True
    features: dict[Name, str] = Field(default_factory=dict, max_length=MOST_FEATURES)


class ModelsFile(Part):
    """`models.yaml`"""

    models: dict[Name, ModelPart] = Field(default_factory=dict, max_length=MOST_MODELS)


MODEL_FILES: dict[str, type[Part]] = {"models.yaml": ModelsFile}
