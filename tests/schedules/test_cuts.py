"""Random schedules of cuts and lifts among live merges, runs, resumers and readers.

STAMGAST_SCHEDULES sets how many run over all worlds (20,000 unless said); one in five is here.
"""

import os
from itertools import count

import pytest

from stamgast.identity.cut_job import CutJob
from stamgast.identity.cut_request import Order
from stamgast.identity.decision import Verdict
from stamgast.identity.identifiers import Identifier
from tests.schedules.cut_variants import LEAVING, VARIANTS
from tests.schedules.cut_world import CUTTING, CutWorld, LeaveWorld
from tests.schedules.identity_oracle import Message
from tests.schedules.identity_world import violation_of

SHARE = 0.2
SHARDS = 10
SCHEDULES = int(SHARE * int(os.environ.get("STAMGAST_SCHEDULES", "20000")))
LEAVING_SCHEDULES = SCHEDULES // 8
DEEP_SCHEDULES = int(SHARE * 100_000)
MOST_UNTIL_CAUGHT = 3_000
PAIR = ("d:1", "u:0")


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


@pytest.mark.parametrize("seed", [1_008_203, 1_010_201])
def test_a_cut_ends_although_who_opened_its_change_died_before_the_first_lock(seed: int) -> None:
    assert violation_of(seed, CUTTING, CutWorld) is None


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_of_many_joins_what_was_cut(shard: int) -> None:
    """The same with other seeds."""
    seeds = range(1_000_000 + shard, 1_000_000 + DEEP_SCHEDULES, SHARDS)
    broken = {seed: told for seed in seeds if (told := violation_of(seed, CUTTING, CutWorld))}
    assert broken == {}


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_joins_again_what_was_let_leave(shard: int) -> None:
    """The same where identifiers leave as well: each link that crosses is cut by the answer.

    Others join and are cut meanwhile, and operators lift what they find to be cut.
    """
    seeds = range(shard, LEAVING_SCHEDULES, SHARDS)
    broken = {seed: told for seed in seeds if (told := violation_of(seed, CUTTING, LeaveWorld))}
    assert broken == {}


@pytest.mark.deep
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_schedule_of_many_joins_again_what_was_let_leave(shard: int) -> None:
    seeds = range(2_000_000 + shard, 2_000_000 + DEEP_SCHEDULES // 2, SHARDS)
    broken = {seed: told for seed in seeds if (told := violation_of(seed, CUTTING, LeaveWorld))}
    assert broken == {}


@pytest.mark.parametrize("variant", sorted(LEAVING))
def test_a_variant_of_leaving_without_one_rule_is_caught(variant: str) -> None:
    caught = next(s for s in count() if violation_of(s, LEAVING[variant], LeaveWorld))
    assert caught < MOST_UNTIL_CAUGHT


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_of_cuts_without_one_rule_is_caught(variant: str) -> None:
    """Each piece is needed: left out, some schedule breaks a law."""
    caught = next(seed for seed in count() if violation_of(seed, VARIANTS[variant], CutWorld))
    assert caught < MOST_UNTIL_CAUGHT


def decided(world: CutWorld, verdict: Verdict) -> CutJob:
    """A verdict about the pair that is archived and decided, and no further yet."""
    named = {key: Identifier(*key.split(":")) for key in PAIR}
    job = world.requests.job([PAIR], named, Order(verdict, "operator", "", 50))
    assert job is not None
    world.put([(job.job_id, line.encode()) for line in job.lines])
    assert all(world.store.decide(decision) for decision in job.decisions)
    return job


def test_a_lift_that_a_newer_cut_overtook_is_done_and_answers_for_no_cut() -> None:
    world = CutWorld(0, CUTTING)
    world.schedule.faults = {}
    world.work([Message("m", 1, 1, 1, ("u:0", "d:1"))])
    decided(world, Verdict.CUT)
    lift, cut = decided(world, Verdict.LIFT), decided(world, Verdict.CUT)
    done, stood = world.cutter.carry_out(lift), world.held()
    assert done.report is not None
    assert done.report["superseded"] == [list(PAIR)]
    world.acknowledge(lift, stood)
    assert world.items.home("d:1") is world.items.home("u:0")
    assert world.items.cuts == []
    world.cutter.carry_out(cut)
    world.acknowledge(cut, stood)
    assert world.items.home("d:1") is not world.items.home("u:0")
    assert world.items.cuts == [PAIR]
