"""Every kind of model by its name: how a version is made and judged, and how people are scored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from stamgast.models.declaration import Kind, Model
from stamgast_learn.cluster import run as cluster
from stamgast_learn.discount import run as discount
from stamgast_learn.drivers import run as drivers
from stamgast_learn.lifetime import run as lifetime
from stamgast_learn.predict import run as predict
from stamgast_learn.predict.run import Order, Outcome
from stamgast_learn.recommend import run as recommend
from stamgast_learn.uplift import run as uplift

Learnt: TypeAlias = tuple[Outcome, bytes | None]
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """How a kind learns, and how it scores people; a kind that scores nobody has no `score`."""

    learn: Callable[[Order, Path, bytes | None], Learnt]
    score: Callable[[Order, bytes, Path, Path], Json] | None


def order_of(model: Model, version: str, history_days: int, *, is_training: bool = True) -> Order:
    """The order to train, or only to score, a declared model."""
    return Order(
        model=model.name,
        version=version,
        features=tuple(feature.name for feature in model.features),
        within_days=model.within_days,
        least_of_each=model.least_of_each,
        margin=model.margin,
        history_days=history_days,
        is_training=is_training,
        is_look_alike=model.kind is Kind.LOOK_ALIKE,
        kind=model.kind.value,
        settings=dict(model.settings),
        allowed=model.allow,
    )


def learn_run(order: Order, panel: Path, champion: bytes | None) -> Learnt:
    """Trains and judges a version if asked; the outcome, and the model to use, if any."""
    return WAYS[order.kind].learn(order, panel, champion)


def score_run(order: Order, model: bytes, panel: Path, scores: Path) -> Json:
    """Scores everybody who is to be scored into file `scores`; answers figures about them."""
    score = WAYS[order.kind].score
    return {"scored": 0} if score is None else score(order, model, panel, scores)


ODDS = Way(predict.learn_run, predict.score_run)
WAYS: Mapping[str, Way] = {
    Kind.PROPENSITY: ODDS,
    Kind.CHURN: ODDS,
    Kind.LOOK_ALIKE: ODDS,
    Kind.LIFETIME_VALUE: Way(lifetime.learn_run, lifetime.score_run),
    Kind.RECOMMENDATION: Way(recommend.learn_run, recommend.score_run),
    Kind.DISCOUNT: Way(discount.learn_run, discount.score_run),
    Kind.UPLIFT: Way(uplift.learn_run, uplift.score_run),
    Kind.DRIVERS: Way(drivers.learn_run, None),
    Kind.CLUSTERS: Way(cluster.learn_run, cluster.score_run),
}
