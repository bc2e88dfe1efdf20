"""Copies that lost their message to another: what the live loop made of them is taken back."""

from datetime import date

from stamgast_lake.logs import see, see_fresh
from stamgast_lake.publishing.work import Task
from stamgast_lake.tables import EVENTS, RECEIPTS

IMPORTED = "import-"
# The class of messages that came without a time of their own; as a line's day, one not known.
NO_CLASS = date(1970, 1, 1)
# A copy loses in the run that loads it, or to an earlier copy that a later run loads: then its
# receipt says that it was stored. The earlier one was received before, so no older day is read.
# One that says the same loses where it is unlike: of another time, which follows from that of its
# receipt for an event without one and for one whose client said when it was sent, or on another
# word. What a file brings again was never live. What a displaced copy named is not at hand; what
# the earlier one names may be known too well by it.
LOST = f"""
    create or replace temp table lost_copy as
    with copy as (
        select *, coalesce(cast(event_at as date), date '{NO_CLASS}') as placed_on from {{fresh}}
    ), named as (
        select message_key, [one.key for one in identifiers] as keys from fresh_events
    )
    select message_key, anchor_key, sent_on, placed_on, coalesce(identifiers, []) as identifiers
    from copy where state = 'conflict'
       or state = 'duplicate' and is_unlike and not starts_with(receipt_id, '{IMPORTED}')
    union all
    select older.message_key, older.anchor_key, older.sent_on,
        coalesce(cast(older.event_at as date), date '{NO_CLASS}'),
        [key for key in list_append(coalesce(keys, []), older.anchor_key) if key is not null]
    from receipts older join copy kept on kept.message_key = older.message_key
    left join named on named.message_key = kept.message_key
    where kept.state = 'stored' and older.state = 'stored'
      and (older.received_at, older.receipt_id) > (kept.received_at, kept.receipt_id)
      and older.received_on >= (select min(received_on) from copy)
"""


def find_lost(task: Task) -> None:
    """Makes `lost_copy`: message, anchor, class and identifiers of each that this run learnt of.

    `placed_on` is the day of its line; `NO_CLASS` where that is not known. Needs `settled_run`.
    """
    task.once("lost_copy", lambda: _find(task))


def _find(task: Task) -> None:
    see(task.engine, task.publisher.lake, RECEIPTS)
    see_fresh(task.engine, task.publisher.lake, RECEIPTS, EVENTS)
    task.engine.execute(LOST.format(fresh=task.fresh("receipts")))
