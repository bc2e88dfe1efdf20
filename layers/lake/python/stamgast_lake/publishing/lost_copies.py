"""Copies that lost their message to another: what the live loop made of them is taken back."""

from datetime import date

from stamgast_lake.loading.redelivered import IMPORTED, redelivered
from stamgast_lake.logs import UNSETTLED, keep, see, see_fresh
from stamgast_lake.publishing.work import Task
from stamgast_lake.tables import RECEIPTS

# The class of messages that came without a time of their own; as a line's day, one not known.
NO_CLASS = date(1970, 1, 1)
# A copy loses in the run that loads it, or to an earlier copy that a later run loads: then its
# receipt says that it was stored. The earlier one was received before, so no older day is read.
# One that says the same loses where it is unlike: of another time, which follows from that of its
# receipt for an event without one and for one whose client said when it was sent, or on another
# word. What a file brings again was never live. Whom a displaced copy named, the receipt of the one
# that holds tells. What is delivered again loses again.
LOST = f"""
    create or replace temp table lost_copy as
    with losing as (
        select * from {{fresh}} where state = 'conflict'
           or state = 'duplicate' and is_unlike and not starts_with(receipt_id, '{IMPORTED}')
        union all
        select * from receipts where receipt_id in (select receipt_id from redelivered)
    ), displacing as (
        select message_key, flatten(list(identifiers)) as dropped from receipts
        where state = 'stored' and len(identifiers) > 0
          and message_key in (select message_key from losing where state = 'stored')
        group by message_key
    )
    select losing.message_key, anchor_key, sent_on,
        coalesce(cast(event_at as date), date '{NO_CLASS}') as placed_on,
        [key for key in list_append(
            coalesce(identifiers, []) || coalesce(dropped, []), anchor_key) if key is not null]
            as identifiers
    from losing left join displacing on displacing.message_key = losing.message_key
    union all
    select older.message_key, older.anchor_key, older.sent_on,
        coalesce(cast(older.event_at as date), date '{NO_CLASS}'),
        [key for key in list_append(coalesce(kept.identifiers, []), older.anchor_key)
            if key is not null]
    from receipts older join {{fresh}} kept on kept.message_key = older.message_key
    where kept.state = 'stored' and older.state = 'stored'
      and (older.received_at, older.receipt_id) > (kept.received_at, kept.receipt_id)
      and older.received_on >= (select min(received_on) from {{fresh}})
"""


def find_lost(task: Task) -> None:
    """Makes `lost_copy`: message, anchor, class and identifiers of each that this run learnt of.

    `placed_on` is the day of its line; `NO_CLASS` where that is not known. Needs `settled_run`.
    """
    task.once("lost_copy", lambda: _find(task))


def _find(task: Task) -> None:
    engine, lake = task.engine, task.publisher.lake
    see(engine, lake, RECEIPTS)
    see_fresh(engine, lake, RECEIPTS)
    owed = {run_id for (run_id,) in engine.execute(UNSETTLED).fetchall()}
    keep(engine, "redelivered", redelivered(lake, sorted(owed | {task.run.run_id})))
    engine.execute(LOST.format(fresh=task.fresh("receipts")))
