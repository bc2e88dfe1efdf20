"""Which copy of a message is canonical: the smallest (received_at, receipt_id), in SQL.

Reads `staged` (new rows), `known_receipt` and `known_message` (what the lake holds in the days and
classes that the new rows touch), and `gone_message` (messages that were erased, whose copies stay
away where they name one of `erased_key`); no rule here depends on the order in which copies
arrived. `DROPPED` reads `displaced_evidence`, too: what evidence still says of the copies that
others displace.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The reason of receipts whose event an erasure took.
ERASED = "erased"
ARRIVAL = f"""
    create or replace temp table arrival as
    select receipt_id, source_id, message_key,
           case when reason = '{ERASED}' then null else payload_hash end as payload_hash,
           received_at, reason, sent_on, event_on,
           case when reason = '{ERASED}' then null else event_at end as event_at,
           case when reason = '{ERASED}' then null else anchor_key end as anchor_key,
           assurance, raw_object, raw_line
    from (
        select * replace (case when reason is null and message_key in (
                   select message_key from gone_message)
                       and anchor_key in (select key from erased_key)
                   then '{ERASED}' else reason end as reason),
               row_number() over (partition by receipt_id order by raw_object, raw_line) as nth
        from staged
        where not exists (
            select 1 from known_receipt known where known.receipt_id = staged.receipt_id)
    ) numbered
    where nth = 1
"""
TOUCHED = """
    create or replace temp table touched as
    select known.message_key, known.payload_hash, known.receipt_id, known.received_at,
           known.event_on, known.anchor_key, known.sent_on, known.event_at,
           known.assurance
    from known_message known
    where known.message_key in (select message_key from arrival where reason is null)
"""
CANONICAL = """
    create or replace temp table canonical as
    select message_key, payload_hash, receipt_id, received_at, event_on, anchor_key, sent_on,
           event_at, assurance, is_new
    from (
        select *, row_number() over (
            partition by message_key order by received_at, receipt_id) as nth
        from (
            select message_key, payload_hash, receipt_id, received_at, event_on, anchor_key,
                   sent_on, event_at, assurance, true as is_new
            from arrival where reason is null
            union all
            select *, false as is_new from touched
        ) copies
    ) numbered
    where nth = 1
"""
DISPLACED = """
    create or replace temp table displaced as
    select touched.*
    from touched join canonical on canonical.message_key = touched.message_key
    where touched.receipt_id <> canonical.receipt_id
"""
# Whom the displaced copies named, by the receipt of the one that holds.
DROPPED = """
    create or replace temp table dropped as
    select canonical.receipt_id, list(distinct named.key order by named.key) as keys
    from (
        select receipt_id, unnest([a, b]) as key from displaced_evidence
        where receipt_id in (select receipt_id from displaced)
    ) named
    join displaced on displaced.receipt_id = named.receipt_id
    join canonical on canonical.message_key = displaced.message_key
    where named.key is not null
    group by canonical.receipt_id
"""
STATES = f"""
    create or replace temp table outcome as
    select arrival.*,
           case when arrival.reason = '{ERASED}' then 'suppressed'
                when arrival.reason is not null then 'rejected'
                when arrival.receipt_id = canonical.receipt_id then 'stored'
                when arrival.payload_hash = canonical.payload_hash then 'duplicate'
                else 'conflict' end as state,
           state = 'duplicate' and (arrival.event_at is distinct from canonical.event_at
               or arrival.assurance is distinct from canonical.assurance) as is_unlike
    from arrival
    left join canonical on arrival.reason is null
         and canonical.message_key = arrival.message_key
"""


def decide(connection: "DuckDBPyConnection") -> None:
    """Makes the tables `arrival`, `canonical`, `displaced` and `outcome` of this load."""
    for statement in (ARRIVAL, TOUCHED, CANONICAL, DISPLACED, STATES):
        connection.execute(statement)
