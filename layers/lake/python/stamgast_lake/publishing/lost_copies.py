"""Copies that lost their message to another: what the live loop made of them is taken back."""

from datetime import date

from stamgast_lake.logs import see, see_fresh
from stamgast_lake.publishing.work import Task
from stamgast_lake.tables import RECEIPTS

IMPORTED = "import-"
# The class of messages that came without a time of their own.
NO_CLASS = date(1970, 1, 1)
# Such a message happened when it was received: each of its copies at another time, though all say
# the same. What a file brings again was never live.
RETIMED = f"sent_on = date '{NO_CLASS}' and not starts_with(receipt_id, '{IMPORTED}')"
# A copy loses in the run that loads it, or to an earlier copy that a later run loads: then its
# receipt says that it was stored. The earlier one was received before, so no older day is read.
LOST = f"""
    create or replace temp table lost_copy as
    select message_key, anchor_key, sent_on, sent_on as placed_on,
        coalesce(identifiers, []) as identifiers
    from {{fresh}} where state = 'conflict'
    union all
    select message_key, anchor_key, sent_on, received_on as placed_on, [] as identifiers
    from {{fresh}} where state = 'duplicate' and {RETIMED}
    union all
    select older.message_key, older.anchor_key, older.sent_on, older.sent_on as placed_on,
        case when older.anchor_key is null then [] else [older.anchor_key] end as identifiers
    from receipts older join {{fresh}} kept on kept.message_key = older.message_key
    where kept.state = 'stored' and older.state = 'stored'
      and (older.payload_hash <> kept.payload_hash or older.sent_on = date '{NO_CLASS}')
      and (older.received_at, older.receipt_id) > (kept.received_at, kept.receipt_id)
      and older.received_on >= (select min(received_on) from {{fresh}})
"""


def find_lost(task: Task) -> None:
    """Makes `lost_copy`: message, anchor, class and identifiers of each that this run learnt of.

    `placed_on` is the day of its line; `NO_CLASS` where that is not known. Needs `settled_run`.
    """
    task.once("lost_copy", lambda: _find(task))


def _find(task: Task) -> None:
    see(task.engine, task.publisher.lake, RECEIPTS)
    see_fresh(task.engine, task.publisher.lake, RECEIPTS)
    task.engine.execute(LOST.format(fresh=task.fresh("receipts")))
