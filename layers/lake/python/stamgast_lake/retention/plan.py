"""What a workspace's days would end by the next run, counted without a change."""

from dataclasses import dataclass
from datetime import date

from stamgast_lake.catalogue import earlier_than
from stamgast_lake.lake import Lake
from stamgast_lake.retention.events import past_events
from stamgast_lake.retention.history import HISTORY, RECEIPTS, past_rows
from stamgast_lake.retention.objects import past_objects
from stamgast_lake.tables import EGRESS_RECEIPTS


@dataclass(frozen=True, slots=True)
class PlannedEnding:
    """Of a store or a class: how much is past its days, in `what` (events, rows, objects)."""

    name: str
    days: int
    ends: int
    what: str


def planned_endings(lake: Lake, today: date) -> list[PlannedEnding]:
    """Each store and class that ends, by name."""
    retention = lake.workspace().retention
    days = {**retention.days, **{f"properties.{one.name}": one.days for one in retention.classes}}
    found = [
        *((name, ends, "events") for name, ends in past_events(lake, today).items()),
        *(
            (name, len({one.key for one in versions}), "objects")
            for name, versions in past_objects(lake, today).items()
        ),
    ]
    if (before := retention.before(RECEIPTS, today)) is not None:
        files = lake.catalogue.files(EGRESS_RECEIPTS, earlier_than("egress_on", before))
        found.append((RECEIPTS, sum(file.record_count for file in files), "rows"))
    if (before := retention.before(HISTORY, today)) is not None:
        found.append((HISTORY, past_rows(lake, before), "rows"))
    return [PlannedEnding(name, days[name], ends, what) for name, ends, what in sorted(found)]
