"""Random schedules of live merges, runs, resumers and readers over the real identity code.

STAMGAST_SCHEDULES sets how many run over all worlds (20,000 unless said); two in five are here,
and one in five, with cuts and lifts among them, in `test_cuts.py`.
"""

import os

import pytest

from tests.schedules.identity_variants import VARIANTS
from tests.schedules.identity_world import violation_of

SHARE = 0.4
SHARDS = 10
SCHEDULES = int(SHARE * int(os.environ.get("STAMGAST_SCHEDULES", "20000")))
DEEP_SCHEDULES = int(SHARE * 100_000)
MOST_UNTIL_CAUGHT = 5_000


@pytest.mark.failure_line(19)
@pytest.mark.failure_line(20)
@pytest.mark.failure_line(21)
@pytest.mark.failure_line(22)
@pytest.mark.failure_line(26)
@pytest.mark.failure_line(32)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_breaks_a_person(shard: int) -> None:
    """Laws 1, 2 and 4 for identity, under crashes, lost replies, throttling and two runs at once.

    Lines 19 to 22, 26 and 32: persons created, merged and corrected by many at once end as one
    component; a lost reply absorbs nothing twice; what is contended is parked, minted and drained;
    reads after a write are never behind what was acknowledged.
    """
    seeds = range(shard, SCHEDULES, SHARDS)
    assert {seed: broken for seed in seeds if (broken := violation_of(seed))} == {}


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_of_many_breaks_a_person(shard: int) -> None:
    """The same with other seeds, a hundred thousand of them over all worlds."""
    seeds = range(1_000_000 + shard, 1_000_000 + DEEP_SCHEDULES, SHARDS)
    assert {seed: broken for seed in seeds if (broken := violation_of(seed))} == {}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_of_identity_without_one_rule_is_caught(variant: str) -> None:
    """Each piece of the protocol is needed: left out, some schedule breaks a law."""
    rules = VARIANTS[variant]
    tried = range(rules.first_seed, rules.first_seed + MOST_UNTIL_CAUGHT)
    assert any(violation_of(seed, rules) for seed in tried)
