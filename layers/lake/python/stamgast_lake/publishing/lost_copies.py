"""Copies that lost their message to another: what the live loop made of them is taken back."""

from stamgast_lake.logs import see, see_fresh
from stamgast_lake.publishing.work import Task
from stamgast_lake.tables import RECEIPTS

# A copy loses in the run that loads it, or to an earlier copy that a later run loads: then its
# receipt says that it was stored. The earlier one was received before, so no older day is read.
LOST = """
    create or replace temp table lost_copy as
    select message_key, anchor_key, sent_on, coalesce(identifiers, []) as identifiers
    from {fresh} where state = 'conflict'
    union all
    select older.message_key, older.anchor_key, older.sent_on,
        case when older.anchor_key is null then [] else [older.anchor_key] end as identifiers
    from receipts older join {fresh} kept on kept.message_key = older.message_key
    where kept.state = 'stored' and older.state = 'stored'
      and older.payload_hash <> kept.payload_hash
      and (older.received_at, older.receipt_id) > (kept.received_at, kept.receipt_id)
      and older.received_on >= (select min(received_on) from {fresh})
"""


def find_lost(task: Task) -> None:
    """Makes `lost_copy`: message, anchor, class and identifiers of each that this run learnt of.

    Needs `settled_run`.
    """
    task.once("lost_copy", lambda: _find(task))


def _find(task: Task) -> None:
    see(task.engine, task.publisher.lake, RECEIPTS)
    see_fresh(task.engine, task.publisher.lake, RECEIPTS)
    task.engine.execute(LOST.format(fresh=task.fresh("receipts")))
