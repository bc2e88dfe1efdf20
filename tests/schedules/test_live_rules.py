"""Random schedules of workers that settle live rules: the last word, and one telling a change."""

import pytest

from tests.schedules.live_world import VARIANTS, violation_of

SCHEDULES, DEEP_SCHEDULES = 150, 20_000
MOST_UNTIL_CAUGHT = 3_000


@pytest.mark.failure_line(13)
@pytest.mark.failure_line(14)
def test_who_saw_all_has_the_last_word_and_every_change_is_told_under_one_id() -> None:
    """Lines 13 and 14: copies, lost replies, a bus that refuses; no second effect."""
    broken = {seed: told for seed in range(SCHEDULES) if (told := violation_of(seed))}
    assert broken == {}


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(10))
def test_no_schedule_of_many_breaks_the_law(shard: int) -> None:
    seeds = range(1_000_000 + shard, 1_000_000 + DEEP_SCHEDULES, 10)
    assert {seed: told for seed in seeds if (told := violation_of(seed))} == {}


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_without_one_of_the_rules_is_caught(variant: str) -> None:
    """Each piece is needed: left out, some schedule breaks a law."""
    rules = VARIANTS[variant]
    tried = range(rules.first_seed, rules.first_seed + MOST_UNTIL_CAUGHT)
    assert any(violation_of(seed, rules) for seed in tried)
