"""Who acts in the demo and when: the past as files, the last weeks live, from one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stamgast.moments import iso_of, ms_of
from stamgast_cli.demo import households, purchases, story
from stamgast_cli.demo.story import Act


@dataclass(frozen=True, slots=True)
class Story:
    """What will be sent: the past as files, the last weeks live, and who should be found.

    If it `is_whole`, the last weeks of those who are not live are in the files, too.
    """

    purchases: purchases.Purchases
    past: list[Act]
    present: list[Act]
    live: frozenset[int]
    is_whole: bool = False


def prepare(live_households: int, folder: Path | None = None, *, is_whole: bool = False) -> Story:
    """The story of a sample of households; the same sample on each run."""
    bought = purchases.read(datetime.now(UTC).date(), folder)
    numbers = sorted({basket.household for basket in bought.baskets})
    recent = sorted({basket.household for basket in bought.baskets if basket.is_live})
    draw = random.Random(households.SEED)  # noqa: S311  a seeded draw, no secret
    live = frozenset(draw.sample(recent, min(live_households, len(recent))))
    times = [basket.at for basket in bought.baskets]
    layer = households.generate(numbers, min(times), max(times))
    acts = story.tell(bought, layer, live, is_whole=is_whole)
    past = [act for act in acts if not act.is_live]
    return Story(bought, past, [act for act in acts if act.is_live], live, is_whole)


def expected_last(acts: Sequence[Act]) -> dict[str, str]:
    """For each identifier that anchors live purchases, the time of the last one (a second less).

    A server corrects a client's clock by some milliseconds, hence the second.
    """
    last: dict[str, datetime] = {}
    for act in acts:
        if anchor := next(iter(act.identifiers), None):
            last[":".join(anchor)] = max(act.at, last.get(":".join(anchor), act.at))
    return {named: iso_of(ms_of(at) - 1000) for named, at in last.items()}
