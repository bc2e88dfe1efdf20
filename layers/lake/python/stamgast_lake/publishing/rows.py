"""RFM cells: the row of each person whose cell, scores or measures a run changed."""

from collections.abc import Iterator
from typing import Any

from stamgast.moments import iso_of, ms_of
from stamgast_lake.logs import fresh, latest, see, see_runs
from stamgast_lake.publishing.work import PersonRow, Task
from stamgast_lake.tables import RFM

ROWS_A_PAGE = 1_000
SORT_KEY = "R#rfm"
CHANGED = """
    create or replace temp table changed_rfm as
    with other as (
        select rfm.person_id, max(rfm.recorded_at) as until
        from rfm join rfm_now on rfm_now.person_id = rfm.person_id
        where rfm.segment is distinct from rfm_now.segment group by rfm.person_id
    ), entered as (
        select rfm.person_id, min(rfm.recorded_at) as since
        from rfm left join other on other.person_id = rfm.person_id
        where until is null or rfm.recorded_at > until group by rfm.person_id
    )
    select rfm_now.person_id, segment, r, f, m, frequency, monetary_minor, currency,
        cast(last_order_on as varchar) as last_order_on, epoch_ms(since) as since_ms
    from rfm_now join entered on entered.person_id = rfm_now.person_id
    where rfm_now.person_id > '{after}'
      and rfm_now.person_id in (select person_id from {fresh})
"""
PAGE = "select * from changed_rfm where person_id > ? order by person_id limit ?"


def publish_rows(task: Task) -> Iterator[str]:
    """Writes page after page of rows; yields the last person of each."""
    engine, publisher = task.engine, task.publisher
    see_runs(engine, publisher.lake)
    see(engine, publisher.lake, RFM)
    fresh(engine, "rfm", "fresh_rfm")
    latest(engine, "rfm", "person_id", "rfm_now")
    engine.execute(CHANGED.format(after=task.after, fresh=task.fresh("rfm")))
    last = task.after
    while rows := engine.execute(PAGE, [last, ROWS_A_PAGE]).fetchall():
        told = [_row(row, ms_of(task.run.moment)) for row in rows]
        written = publisher.each(lambda row: publisher.rows.put(row, task.run.seq), told)
        task.figures["rfm"] += sum(written)
        last = rows[-1][0]
        yield last


def _row(row: tuple[Any, ...], moment_ms: int) -> PersonRow:
    """A person's row; one who has no orders any more has none."""
    person_id, segment, r, f, m, frequency, monetary_minor, currency, last_on, since_ms = row
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
    )
