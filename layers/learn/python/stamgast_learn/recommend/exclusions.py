"""What is not recommended: out of stock, of excluded categories, or bought just before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.recommend.baskets import Baskets, Codes
from stamgast_learn.recommend.known import Known

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Items that nobody is offered, and for how many days somebody is not offered what they have.

    `not_bought_within_days` of 0 excludes nothing that was bought.
    """

    items: Mask
    not_bought_within_days: int

    def of(self, known: Known, people: Codes) -> Mask:
        """What each of some people is not offered (people, items)."""
        told = np.repeat((self.items | ~known.offered)[None, :], len(people), axis=0)
        if self.not_bought_within_days:
            recent = known.last >= known.cut - self.not_bought_within_days
            told |= known.matrix(recent.astype(np.float64))[people].toarray() > 0
        return told


def exclusions_of(settings: Mapping[str, Any], baskets: Baskets) -> Exclusions:
    """The exclusions that a model's settings tell."""
    by_item = np.isin(baskets.items, list(settings["out_of_stock"]))
    by_category = np.isin(baskets.categories, list(settings["not_categories"]))
    return Exclusions(by_item | by_category, settings["not_bought_within_days"])
