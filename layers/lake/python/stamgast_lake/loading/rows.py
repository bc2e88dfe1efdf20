"""The rows that a load writes, as SQL over its decisions, each sorted as its table is kept."""

from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import (
    EVENTS,
    EVIDENCE,
    MESSAGE_INDEX,
    RECEIPTS,
    LakeTable,
    ListOf,
    Scalar,
    Struct,
    Type,
)

DUCKDB = {Scalar.STRING: "VARCHAR", Scalar.INT: "INTEGER", Scalar.LONG: "BIGINT"}
DERIVED = {"run_id": "'{run_id}'"}


def json_shape(told: Type) -> str:
    """The structure that DuckDB's from_json takes for a type."""
    match told:
        case ListOf(element):
            return f"[{json_shape(element)}]"
        case Struct(fields):
            return "{" + ", ".join(f'"{name}": {json_shape(of)}' for name, of in fields) + "}"
        case scalar:
            return f'"{DUCKDB[scalar]}"'


def _event_column(name: str, told: Type) -> str:
    if name == "run_id":
        return "'{run_id}' as run_id"
    if isinstance(told, ListOf):
        shape = json_shape(told).replace("{", "{{").replace("}", "}}")
        return f"from_json(staged.{name}, '{shape}') as {name}"
    return f"staged.{name}"


EVENT_ROWS = f"""
    select {", ".join(_event_column(column.name, column.type) for column in EVENTS.columns)}
    from staged
    join arrival on arrival.receipt_id = staged.receipt_id
         and arrival.raw_object = staged.raw_object and arrival.raw_line = staged.raw_line
    join canonical on canonical.receipt_id = arrival.receipt_id and canonical.is_new
         and canonical.message_key = arrival.message_key
"""
STAR = 'from_json(staged.identifiers, \'[{{"key": "VARCHAR", "namespace": "VARCHAR"}}]\')'
EVIDENCE_ROWS = f"""
    select least(star[1].key, star[place].key) || '|' || greatest(star[1].key, star[place].key)
               as edge_key,
           star[1].key as a,
           case when place > 1 then star[place].key end as b,
           star[1].namespace as namespace_a,
           case when place > 1 then star[place].namespace end as namespace_b,
           cast(place - 1 as integer) as position,
           message_key, message_id, event_at, received_at, source_id, assurance,
           case when place > 1 then 'seen_together' else 'alone' end as rule,
           cast(null as double) as probability,
           cast(null as timestamptz) as expires_at,
           receipt_id,
           cast({shard_sql("star[1].key")} as integer) as shard,
           '{{run_id}}' as run_id
    from (
        select message_key, message_id, receipt_id, event_at, received_at, source_id,
               assurance, star,
               unnest(case when len(star) = 1 then [1] else range(2, len(star) + 1) end) as place
        from (
            select staged.*, {STAR} as star
            from staged
            join arrival on arrival.receipt_id = staged.receipt_id
                 and arrival.raw_object = staged.raw_object and arrival.raw_line = staged.raw_line
            join canonical on canonical.receipt_id = arrival.receipt_id and canonical.is_new
                 and canonical.message_key = arrival.message_key
            where staged.anchor_key is not null
        ) starred
    ) placed
"""
MESSAGE_ROWS = """
    select message_key, payload_hash, receipt_id, received_at, event_on, anchor_key, sent_on,
           '{run_id}' as run_id
    from canonical where is_new
"""
RECEIPT_ROWS = """
    select receipt_id, source_id, message_key, payload_hash, received_at, state, reason,
           sent_on, anchor_key, raw_object, raw_line, cast(received_at as date) as received_on,
           '{run_id}' as run_id
    from outcome
"""
ROWS = {
    EVENTS.name: EVENT_ROWS,
    EVIDENCE.name: EVIDENCE_ROWS,
    MESSAGE_INDEX.name: MESSAGE_ROWS,
    RECEIPTS.name: RECEIPT_ROWS,
}


def in_order(table: LakeTable, rows: str) -> str:
    """The rows sorted by partition, then as the table's files are sorted."""
    return f"select * from ({rows}) kept order by {', '.join((*table.partition, *table.sort))}"


def new_rows(table: LakeTable, run_id: str) -> str:
    """What this run adds to a table."""
    return ROWS[table.name].format(run_id=run_id)
