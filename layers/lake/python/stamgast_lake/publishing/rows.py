"""RFM cells: the row of each person whose cell, scores or measures a run changed."""

from collections.abc import Iterator
from typing import Any

from stamgast.moments import iso_of, ms_of
from stamgast_lake.logs import latest, see, see_fresh
from stamgast_lake.publishing.parted import name_parted
from stamgast_lake.publishing.work import PersonRow, Task
from stamgast_lake.tables import RFM

ROWS_A_PAGE = 1_000
SORT_KEY = "R#rfm"
CHANGED = """
    create or replace temp table changed_rfm as
    with wanted as (
        select * from rfm_now
        where person_id > '{after}' and person_id in (
            select person_id from {fresh} union select person_id from parted)
    ), story as (
        select rfm.person_id, rfm.recorded_at,
            rfm.segment is not distinct from wanted.segment as is_same,
            row_number() over (
                partition by rfm.person_id order by rfm.recorded_at, rfm.run_id) as place
        from rfm join wanted on wanted.person_id = rfm.person_id
    ), other as (
        select person_id, max(case when is_same then 0 else place end) as until,
            count(*) = 1 as is_first
        from story group by person_id
    ), entered as (
        select story.person_id, min(recorded_at) as since, any_value(is_first) as is_first
        from story join other on other.person_id = story.person_id and place > until
        group by story.person_id
    )
    select wanted.person_id, segment, r, f, m, frequency, monetary_minor, currency,
        cast(last_order_on as varchar) as last_order_on, epoch_ms(since) as since_ms,
        is_first
    from wanted join entered on entered.person_id = wanted.person_id
"""
PAGE = "select * from changed_rfm where person_id > ? order by person_id limit ?"


def publish_rows(task: Task) -> Iterator[str]:
    """Writes page after page of rows; yields the last person of each."""
    engine, publisher = task.engine, task.publisher
    task.see_runs()
    see(engine, publisher.lake, RFM)
    see_fresh(engine, publisher.lake, RFM)
    latest(engine, "rfm", "person_id", "rfm_now")
    name_parted(task)
    engine.execute(CHANGED.format(after=task.after, fresh=task.fresh("rfm")))
    last = task.after
    while rows := engine.execute(PAGE, [last, ROWS_A_PAGE]).fetchall():
        moment_ms = ms_of(task.run.moment)
        task.put("rfm", [_row(row, moment_ms, is_whole=task.is_whole) for row in rows])
        last = rows[-1][0]
        yield last


def _row(row: tuple[Any, ...], moment_ms: int, *, is_whole: bool) -> PersonRow:
    """A person's row; one who has no orders any more has none."""
    person_id, segment, r, f, m, frequency, monetary_minor, currency, last_on, *rest = row
    since_ms, is_first = rest
    if segment is None:
        return PersonRow(person_id, SORT_KEY, None)
    return PersonRow(
        person_id,
        SORT_KEY,
        {
            "segment": segment,
            "since": iso_of(since_ms),
            "recency_score": r,
            "frequency_score": f,
            "monetary_score": m,
            "last_order_on": last_on,
            "frequency": frequency,
            "monetary_minor": monetary_minor,
            "currency": currency,
            "moment": iso_of(moment_ms),
        },
        is_first=is_first or is_whole,
    )
