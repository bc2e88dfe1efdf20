"""Retention, once a day, after a run's load and before the stages that fold events.

Each part may be repeated. A call that dies leaves no mark of the day, so the next run goes on.
"""

from datetime import datetime

from stamgast_lake.lake import Lake
from stamgast_lake.retention.done import Done
from stamgast_lake.retention.events import age_events
from stamgast_lake.retention.history import end_rows
from stamgast_lake.retention.objects import end_objects


def retain_daily(lake: Lake, run_id: str, seq: int, moment: datetime) -> dict[str, int]:
    """Takes out what is past the workspace's days; the figures, of nought where nothing is due."""
    figures = {"aged": 0, "ended_objects": 0, "ended_rows": 0}
    today, retention = moment.date(), lake.workspace().retention
    if retention.is_idle:
        return figures
    done = Done.read(lake)
    if done.on == (key := f"{today} {lake.workspace().version}"):
        return figures
    figures["aged"], is_all = age_events(lake, run_id, seq, today, done)
    figures["ended_objects"] = end_objects(lake, today)
    figures["ended_rows"] = end_rows(lake, run_id, seq, today, done)
    done.on = key if is_all else ""
    done.write(lake)
    return figures
