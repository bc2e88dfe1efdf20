"""How a law over stories is searched: generated alone, for a story costs too much to shrink."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy


def thorough(examples: int) -> settings:
    """So many stories, however slowly each is told."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples, phases=[Phase.explicit, Phase.generate], suppress_health_check=slow
    )


def stories_of_shard(
    shard: int, examples: int, law: Callable[..., None], *drawn: SearchStrategy[Any]
) -> None:
    """The law over so many stories of a shard's own, so that shards run beside each other."""
    seed(shard)(thorough(examples)(given(*drawn)(law)))()


def seeds(few: Iterable[object], more: Iterable[object]) -> list[object]:
    """A few seeds or variants for every run of the tests, and more for those that run deep."""
    return [*few, *(pytest.param(one, marks=pytest.mark.deep) for one in more)]
