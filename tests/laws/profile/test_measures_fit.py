"""What live rules ask of events fits into the items, however long the texts that they ask for."""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import pytest

from stamgast.profile.base_codec import base_attributes
from stamgast.profile.items import Base
from stamgast.segments.language.windows import Now
from stamgast.segments.live.base import MOST_BYTES, TOO_MANY, Sums, measured_of
from stamgast.segments.live.plan import LivePlan, plan_of
from stamgast.segments.live.rules import LiveRules
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.dynamo_values import item_of
from stamgast_aws.live_store import DynamoLiveStore
from tests.fakes.dynamodb import size
from tests.fakes.live_batches import NOON_MS, accepted, message, receipt
from tests.fakes.live_loops import Loop, anchor_of, no_pause

RULES, DAYS = 24, 400


def plan() -> LivePlan:
    """A rule for each of some properties."""
    told = "".join(
        f"  s{n}:\n    rule: last(properties.note{n}, last {DAYS} days) = 'x'\n"
        for n in range(RULES)
    )
    sources, segments = "sources:\n  web:\n    name: Web\n", f"segments:\n{told}"
    files = {"sources.yaml": sources, "segments.yaml": segments}
    return plan_of(workspace_of(compile_files(files)))


class Inline:
    """An executor that does its work where it is asked to."""

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return iter([work(item) for item in items])


def noise(random: Random, length: int) -> str:
    """A text that no compression shortens by much."""
    return random.randbytes(length // 2).hex()


@pytest.mark.failure_line(30)
def test_events_with_long_texts_that_rules_ask_for_are_taken_and_wait_for_a_run() -> None:
    """Line 30: no item outgrows its limit, no event fails; what does not fit is not known live."""
    loop, random = Loop(), Random(1)
    store = DynamoLiveStore(loop.client, "profiles", Inline(), no_pause)  # type: ignore[arg-type]
    loop.live = LiveRules(plan(), store, lambda _: 0, lambda: NOON_MS, no_pause)
    for n in range(8):
        properties = {f"note{m}": noise(random, 30_000) for m in range(3)}
        body = {"type": "track", "event": "Noted", "userId": "u1", "properties": properties}
        at_ms = NOON_MS - n * 1000
        told = message(receipt(f"r{n}", NOON_MS), accepted(0, f"m{n}", body, at_ms))
        assert loop.deliver(told).returned == set()
    item = loop.client.item("profiles", f"I#{anchor_of('u1')}", "L")
    assert item is not None
    assert size(item) < 8_192
    assert loop.facts("u1").counters == {"Noted": 8}


@pytest.mark.failure_line(30)
def test_a_base_of_many_days_of_long_texts_leaves_out_the_largest_measures() -> None:
    """Line 30: what is left out is marked, so that nobody takes it for nothing."""
    random, asked = Random(1), plan()
    today = Now(NOON_MS, asked.zone).today.toordinal()
    days = {
        (place, ""): {
            today - n: (NOON_MS - n, "k", noise(random, 10 * (place + 1))) for n in range(DAYS)
        }
        for place in range(RULES)
    }
    measured = measured_of(Sums(days), asked, Now(NOON_MS, asked.zone))
    left_out = [asked.tracked[n].id for n in range(RULES) if is_left_out(measured, asked, n)]
    assert len(measured) == RULES
    assert left_out == [tracked.id for tracked in asked.tracked[-len(left_out) :]]
    assert 0 < len(left_out) < RULES
    assert size(item_of(base_attributes(Base(1, 0, NOON_MS, measured=measured)))) < MOST_BYTES * 2


def is_left_out(measured: dict[str, Any], asked: LivePlan, place: int) -> bool:
    """Whether a measure is marked as too much."""
    return bool(measured[asked.tracked[place].id][""] == TOO_MANY)
