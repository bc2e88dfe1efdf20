"""The shape of `models.yaml`: what is predicted, of whom, from what."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from stamgast.workspace.schema import Part
from stamgast.workspace.segment_schema import Name

MOST_MODELS, MOST_FEATURES = 50, 200
Days = Annotated[int, Field(ge=1, le=730)]


class CutoffsPart(Part):
    """At how many past moments a model is trained and judged, and how many days apart."""

    number: Annotated[int, Field(ge=3, le=60)] = 6
    every_days: Days = 30


class ContractPart(Part):
    """Events between which somebody is under contract: conditions on one event each."""

    starts: str
    ends: str


class RecommendPart(Part):
    """What is recommended, how much of it, and what is not."""

    of: Literal["product", "category"] = "product"
    number: Annotated[int, Field(ge=1, le=50)] = 10
    least_buyers: Annotated[int, Field(ge=2, le=100_000)] = 20
    not_bought_within_days: Annotated[int, Field(ge=0, le=3_650)] = 0
    out_of_stock: list[str] = Field(default_factory=list, max_length=10_000)
    not_categories: list[str] = Field(default_factory=list, max_length=1_000)
    cold_start_by: str | None = None


class ExperimentPart(Part):
    """A randomised experiment: when it began, and who was treated and who held out, as rules.

    With `every_days` people enter it all the time, in waves of so many days.
    """

    starts_on: Annotated[date, Field(strict=False)]
    every_days: Annotated[int, Field(ge=1, le=365)] | None = None
    treated: str
    held_out: str
    treated_share: Annotated[float, Field(gt=0, lt=1)] = 0.5


class ClustersPart(Part):
    """How many clusters there may be, and how well they must be found again."""

    most: Annotated[int, Field(ge=2, le=20)] = 8
    least_agreement: Annotated[float, Field(ge=0.5, le=1)] = 0.8


class ModelPart(Part):
    """One model; `defaults: false` leaves the default features out."""

    kind: Literal[
        "propensity",
        "churn",
        "lifetime_value",
        "look_alike",
        "recommendation",
        "discount",
        "uplift",
        "drivers",
        "clusters",
    ]
    title: str | None = None
    description: str = ""
    target: str | None = None
    within_days: Days = 30
    population: str | None = None
    exclude: str | None = None
    seed: Name | None = None
    purpose: Name | None = None
    cutoffs: CutoffsPart = CutoffsPart()
    train_every_days: Days = 7
    least_of_each: Annotated[int, Field(ge=100, le=1_000_000)] = 100
    margin: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    defaults: bool = True
    features: dict[Name, str] = Field(default_factory=dict, max_length=MOST_FEATURES)
    allow: list[Name] = Field(default_factory=list, max_length=MOST_FEATURES)
    contract: ContractPart | None = None
    recommend: RecommendPart | None = None
    experiment: ExperimentPart | None = None
    clusters: ClustersPart | None = None


class ModelsFile(Part):
    """`models.yaml`"""

    models: dict[Name, ModelPart] = Field(default_factory=dict, max_length=MOST_MODELS)


MODEL_FILES: dict[str, type[Part]] = {"models.yaml": ModelsFile}
SECTION_DEFAULTS: dict[str, dict[str, Any]] = {
    "recommend": RecommendPart().model_dump(mode="json"),
    "clusters": ClustersPart().model_dump(mode="json"),
}
