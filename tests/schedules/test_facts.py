"""Random schedules of the live loop, publishers and readers over the real code.

STAMGAST_SCHEDULES sets how many run over all worlds (20,000 unless said); two in five are here.
"""

import os
from itertools import count

import pytest

from tests.schedules.facts_variants import VARIANTS
from tests.schedules.facts_world import violation_of

SHARE = 0.4
SHARDS = 10
SCHEDULES = int(SHARE * int(os.environ.get("STAMGAST_SCHEDULES", "20000")))
DEEP_SCHEDULES = int(SHARE * 100_000)
MOST_UNTIL_CAUGHT = 5_000


def violations(shard: int, schedules: int) -> dict[int, str]:
    """What the schedules of one shard broke, by seed."""
    seeds = range(shard, schedules, SHARDS)
    return {seed: broken for seed in seeds if (broken := violation_of(seed))}


@pytest.mark.failure_line(14)
@pytest.mark.failure_line(32)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_counts_twice_loses_or_lags(shard: int) -> None:
    """Laws 1 and 2 for facts, under crashes, lost replies, throttling, copies and torn reads.

    Lines 14 and 32: a time-out in the middle of a batch has one outcome; reads after a write are
    never behind what was acknowledged.
    """
    assert violations(shard, SCHEDULES) == {}


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_of_many_counts_twice_loses_or_lags(shard: int) -> None:
    """The same with other seeds, a hundred thousand of them over all worlds."""
    seeds = range(1_000_000 + shard, 1_000_000 + DEEP_SCHEDULES, SHARDS)
    assert {seed: broken for seed in seeds if (broken := violation_of(seed))} == {}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_without_one_of_the_rules_is_caught(variant: str) -> None:
    """Each piece of the protocol is needed: left out, some schedule breaks a law."""
    caught = next(seed for seed in count() if violation_of(seed, VARIANTS[variant]))
    assert caught < MOST_UNTIL_CAUGHT
