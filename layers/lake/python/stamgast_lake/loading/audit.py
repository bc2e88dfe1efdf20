"""The daily audit: copies of a message under different dates, which large loads do not meet."""

from collections.abc import Callable, Sequence

from duckdb import DuckDBPyConnection

from stamgast_lake.catalogue import Catalogue, Commit
from stamgast_lake.loading import load
from stamgast_lake.tables import EVENTS, EVIDENCE, MESSAGE_INDEX

STAGE = "audit"
LOSERS = """
    create or replace temp table displaced as
    select message_key, payload_hash, receipt_id, received_at, event_on, anchor_key, sent_on
    from (
        select *, row_number() over (
            partition by message_key order by received_at, receipt_id) as nth
        from audited
        where message_key in (
            select message_key from audited group by message_key having count(*) > 1)
    ) numbered
    where nth > 1
"""


def audit(
    catalogue: Catalogue,
    connection: DuckDBPyConnection,
    run_id: str,
    note: Callable[[Sequence[str]], None],
) -> int:
    """Keeps the canonical copy of each message alone; returns how many others it took out.

    The receipts of those are noted before anything goes, for the live view still believes them.

    A small index is joined whole by every load, so it needs no audit. A repeat after the last
    commit finds nothing left and says 1, so that later stages still look at everything again.
    """
    commit = Commit(run_id, STAGE)
    if catalogue.is_done(MESSAGE_INDEX, commit):
        return 1
    if sum(file.record_count for file in catalogue.files(MESSAGE_INDEX)) <= load.CHECKED_WHOLE_ROWS:
        return 0
    connection.register("audited", catalogue.dataset(MESSAGE_INDEX))
    connection.execute(LOSERS)
    losers = load.values_of(connection, "select receipt_id from displaced order by receipt_id")
    if losers:
        note(losers)
        for table in (EVENTS, EVIDENCE, MESSAGE_INDEX):
            load.without_displaced(catalogue, connection, table, commit)
    return len(losers)
