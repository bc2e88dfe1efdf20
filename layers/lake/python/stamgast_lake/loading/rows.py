"""The rows that a load writes, as SQL over its decisions, each sorted as its table is kept."""

from stamgast.identity.decision import PLATFORM_SOURCE, Verdict
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import (
    CONSTRAINTS,
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
NAMED = '[{{"key": "VARCHAR", "namespace": "VARCHAR", "position": "INTEGER"}}]'
STAR = f"from_json(staged.identifiers, '{NAMED}')"
EVIDENCE_ROWS = f"""
    select least(star[1].key, star[place].key) || '|' || greatest(star[1].key, star[place].key)
               as edge_key,
           star[1].key as a,
           case when place > 1 then star[place].key end as b,
           star[1].namespace as namespace_a,
           case when place > 1 then star[place].namespace end as namespace_b,
           star[place].position as position,
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
# A decision names two identifiers, vouches for neither and links nothing: the run that reads it
# looks at the persons of both again.
DECIDED = f"""
    select staged.*, {STAR} as star
    from staged
    join arrival on arrival.receipt_id = staged.receipt_id
         and arrival.raw_object = staged.raw_object and arrival.raw_line = staged.raw_line
    join canonical on canonical.receipt_id = arrival.receipt_id and canonical.is_new
         and canonical.message_key = arrival.message_key
    where staged.source_id = '{PLATFORM_SOURCE}' and len({STAR}) = 2
      and staged.type in ({", ".join(f"'{verdict}'" for verdict in Verdict)})
"""
DECISION_ROWS = f"""
    select star[place].key || '|' || star[place].key as edge_key, star[place].key as a,
           cast(null as varchar) as b, star[place].namespace as namespace_a,
           cast(null as varchar) as namespace_b, star[place].position as position,
           message_key, message_id, event_at, received_at, source_id,
           cast(0 as integer) as assurance, type as rule, cast(null as double) as probability,
           cast(null as timestamptz) as expires_at, receipt_id,
           cast({shard_sql("star[place].key")} as integer) as shard, '{{run_id}}' as run_id
    from (select *, unnest([1, 2]) as place from ({DECIDED}) decided) placed
"""
CONSTRAINT_ROWS = f"""
    select 'cannot_link' as kind, star[1].key as a, star[2].key as b, event_at as recorded_at,
           coalesce(json_extract_string(properties, '$.by'), '') as "by",
           json_extract_string(properties, '$.reason') as reason,
           case when type = '{Verdict.LIFT}' then event_at end as lifted_at, message_key,
           '{{run_id}}' as run_id
    from ({DECIDED}) decided
"""
MESSAGE_ROWS = """
    select message_key, payload_hash, receipt_id, received_at, event_on, anchor_key, sent_on,
           event_at, assurance, '{run_id}' as run_id
    from canonical where is_new
"""
RECEIPT_ROWS = f"""
    select outcome.receipt_id, source_id, message_key, payload_hash, received_at, state, reason,
           sent_on, event_at, is_unlike, anchor_key,
           coalesce(named.keys, dropped.keys) as identifiers, outcome.raw_object, outcome.raw_line,
           cast(received_at as date) as received_on, '{{run_id}}' as run_id
    from outcome
    left join (
        select receipt_id, raw_object, raw_line, [one.key for one in {STAR}] as keys
        from staged where receipt_id in (
            select receipt_id from outcome where state = 'conflict' or is_unlike)
    ) named on named.receipt_id = outcome.receipt_id
         and named.raw_object = outcome.raw_object and named.raw_line = outcome.raw_line
    left join dropped on dropped.receipt_id = outcome.receipt_id
"""
ROWS = {
    EVENTS.name: EVENT_ROWS,
    EVIDENCE.name: f"{EVIDENCE_ROWS} union all {DECISION_ROWS}",
    CONSTRAINTS.name: CONSTRAINT_ROWS,
    MESSAGE_INDEX.name: MESSAGE_ROWS,
    RECEIPTS.name: RECEIPT_ROWS,
}


def in_order(table: LakeTable, rows: str) -> str:
    """The rows sorted by partition, then as the table's files are sorted."""
    return f"select * from ({rows}) kept order by {', '.join((*table.partition, *table.sort))}"


def new_rows(table: LakeTable, run_id: str) -> str:
    """What this run adds to a table."""
    return ROWS[table.name].format(run_id=run_id)
