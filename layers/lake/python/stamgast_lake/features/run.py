"""A model's panel out of the lake into a file, for the layer that learns and reads no table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.models.declaration import Model
from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast_lake.engine import session
from stamgast_lake.features.allowed import IS_ALLOWED, allow
from stamgast_lake.features.amounts import Amounts
from stamgast_lake.features.drawn import drawn, drawn_of
from stamgast_lake.features.panel import PANEL, Asked, cut_offs_of, fill
from stamgast_lake.features.received import known
from stamgast_lake.features.then import see_events
from stamgast_lake.lake import Lake

LEARNT = (
    f"select * from {PANEL} where {IS_ALLOWED} and (label is null or {{which}})"
    " order by cut_on, person_id"
)
FIRST = "select cast(min(event_at) at time zone '{zone}' as date) from person_event"


@dataclass(frozen=True, slots=True)
class Written:
    """A panel's cut-offs, and how many days of events lie before the newest that is learnt of;
    how much of what it tells had come by then, None where nothing is learnt of; what of it is an
    amount, None where nothing is; of how many people how many were `drawn`, None where all are."""

    scored_on: date
    learnt_on: tuple[date, ...]
    history_days: int
    known: Mapping[str, Any] | None = None
    amounts: Amounts | None = None
    drawn: tuple[int, int] | None = None


def write_panel(
    lake: Lake,
    model: Model,
    moment_ms: int,
    path: Path,
    passed: Callable[[int, int], None] = lambda *_: None,
) -> Written:
    """The panel as a Parquet file; cut-offs before the first event are left out.

    So is whoever does not allow the model's purpose. `passed` is told of each cut-off measured.
    """
    workspace = lake.workspace()
    zone = ZoneInfo(workspace.time_zone)
    rules = [segment.rule for segment in segments_of(workspace.segments)]
    asked = Asked(zone, computed_traits_of(workspace.traits), rules)
    scored, learnt = cut_offs_of(model, moment_ms, zone)
    with session() as engine:
        see_events(engine, lake)
        found = engine.execute(FIRST.format(zone=zone.key)).fetchone()
        first = found[0] if found and found[0] else scored.on
        learnt = tuple(one for one in learnt if one.on > first)
        amounts = fill(engine, model, asked, learnt, scored, passed)
        allow(engine, lake, model)
        which = drawn(engine)
        rows = engine.sql(LEARNT.format(which=which))
        rows.write_parquet(str(path), compression="zstd")
        came = known(engine, model, learnt[-1]) if learnt else None
        people = drawn_of(engine, which)
    newest = learnt[-1].on if learnt else first
    days = tuple(one.on for one in learnt)
    return Written(scored.on, days, (newest - first).days, came, amounts, people)
