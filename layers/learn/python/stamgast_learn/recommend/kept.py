"""A recommender as data: what it learnt of items, and its weights, without anybody's purchases."""

import io
import json
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from stamgast_learn.parquet import Column
from stamgast_learn.recommend.baskets import Baskets
from stamgast_learn.recommend.evidence import Learnt, owned
from stamgast_learn.recommend.known import known_at
from stamgast_learn.recommend.recommender import Moment, Weights


@dataclass(frozen=True, slots=True)
class Recommender:
    """Weights, what items are like, and the newest cut-off whose outcome was learnt from."""

    items: Column
    categories: Column
    offered: np.ndarray
    learnt: Learnt
    weights: Weights
    learnt_until: int

    def dumped(self) -> bytes:
        """The recommender as an archive of arrays; no object is in it."""
        kept, alike = io.BytesIO(), self.learnt.alike
        about = {"intercept": self.weights.intercept, "learnt_until": self.learnt_until}
        np.savez_compressed(
            kept,
            about=np.array(json.dumps(about, sort_keys=True)),
            items=self.items.astype(str),
            categories=self.categories.astype(str),
            offered=self.offered,
            slopes=self.weights.slopes,
            repeats=self.learnt.repeats,
            cells=self.learnt.cells.astype(str),
            popular=self.learnt.popular.astype(np.float32),
            **{name: getattr(alike, name) for name in ("data", "indices", "indptr")},
        )
        return kept.getvalue()


def recommender_of(told: bytes) -> Recommender:
    """The recommender that `dumped` told; an archive with an object in it raises ValueError."""
    with np.load(io.BytesIO(told), allow_pickle=False) as kept:
        parts = {name: kept[name] for name in kept.files}
    about = json.loads(str(parts["about"]))
    items = parts["items"].astype(object)
    shape = (len(items), len(items))
    alike = csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
    popular = parts["popular"].astype(np.float64)
    return Recommender(
        items=items,
        categories=parts["categories"].astype(object),
        offered=parts["offered"],
        learnt=Learnt(alike, parts["repeats"], parts["cells"].astype(object), popular),
        weights=Weights(parts["slopes"], about["intercept"]),
        learnt_until=about["learnt_until"],
    )


def moment_of(model: Recommender, baskets: Baskets, cut: int) -> Moment:
    """People to be scored as the model sees them, and what they bought of what it knows."""
    people, cell = baskets.meant_at(cut, is_scored=True)
    known = replace(known_at(_recoded(baskets, model.items), cut, 0), offered=model.offered)
    return Moment(
        known, model.learnt, owned(known, model.learnt), people, model.learnt.cell_of(cell)
    )


def _recoded(baskets: Baskets, items: Column) -> Baskets:
    """The purchases of the model's items, by its codes."""
    place = np.minimum(np.searchsorted(items, baskets.items), len(items) - 1)
    code = np.where(items[place] == baskets.items, place, -1)[baskets.item]
    is_known = code >= 0
    person, item, day = baskets.person[is_known], code[is_known], baskets.day[is_known]
    return replace(baskets, items=items, person=person, item=item, day=day)
