"""Random schedules of cuts and lifts among live merges, runs, resumers and readers.

STAMGAST_SCHEDULES sets how many run over all worlds (20,000 unless said); one in five is here.
"""

import os
from itertools import count

import pytest

from tests.schedules.cut_variants import VARIANTS
from tests.schedules.cut_world import CUTTING, CutWorld
from tests.schedules.identity_world import violation_of

SHARE = 0.2
SHARDS = 10
SCHEDULES = int(SHARE * int(os.environ.get("STAMGAST_SCHEDULES", "20000")))
DEEP_SCHEDULES = int(SHARE * 100_000)
MOST_UNTIL_CAUGHT = 3_000


@pytest.mark.failure_line(27)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_joins_what_was_cut_or_loses_what_came_meanwhile(shard: int) -> None:
    """Law 3 and line 27: a cut pair shares no person from its acknowledgement to its lift.

    Under crashes, lost replies, throttling, an archive that fails, two verdicts about one pair at
    once, and runs with older inputs. At the end persons equal the oracle's over the newest ones.
    """
    seeds = range(shard, SCHEDULES, SHARDS)
    broken = {seed: told for seed in seeds if (told := violation_of(seed, CUTTING, CutWorld))}
    assert broken == {}


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_of_many_joins_what_was_cut(shard: int) -> None:
    """The same with other seeds."""
    seeds = range(1_000_000 + shard, 1_000_000 + DEEP_SCHEDULES, SHARDS)
    broken = {seed: told for seed in seeds if (told := violation_of(seed, CUTTING, CutWorld))}
    assert broken == {}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_of_cuts_without_one_rule_is_caught(variant: str) -> None:
    """Each piece is needed: left out, some schedule breaks a law."""
    caught = next(seed for seed in count() if violation_of(seed, VARIANTS[variant], CutWorld))
    assert caught < MOST_UNTIL_CAUGHT
