"""The views over the tables, once each, in SQL of DuckDB; `athena` has the forms for Athena."""

from dataclasses import dataclass

from stamgast_lake.consents import words_sql
from stamgast_lake.tables import (
    ANCHORS,
    COMPUTED_TRAITS,
    DISCLOSURES,
    EGRESS_RECEIPTS,
    EVENTS,
    IDENTITY,
    LINKS,
    MEMBERSHIPS,
    MESSAGE_INDEX,
    MODELS,
    PERSONS,
    PROFILES,
    RECEIPTS,
    RFM,
    RUNS,
    SCORES,
    LakeTable,
)

SALTED = "salted_persons"
"""Who stands behind a line of the audit log, by the salts of `control`; the session fills it."""


@dataclass(frozen=True, slots=True)
class View:
    """A view: what it says, the tables and views it reads, and its SQL."""

    name: str
    doc: str
    reads: tuple[str, ...]
    sql: str


def _latest(table: LakeTable, key: str, keeps: str = "true", *reads: View) -> View:
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    return View(
        f"{table.name}_current",
        f"The latest row of {table.name} for each {key}.",
        (table.name, *(view.name for view in reads)),
        f"""
    select {columns}
    from (
        select {columns}, row_number() over (
            partition by {key} order by recorded_at desc, run_id desc) as nth
        from {table.name}
    ) numbered
    where nth = 1 and {keeps}""",
    )


RECEIPT_STATES = View(
    "receipt_states",
    "Each receipt in exactly one state, as it holds now: whichever copy came first is stored.",
    (RECEIPTS.name, MESSAGE_INDEX.name),
    """
    select receipts.receipt_id, receipts.source_id, receipts.message_key, receipts.received_at,
           receipts.received_on, receipts.reason, receipts.raw_object, receipts.raw_line,
           case when receipts.reason = 'erased' then 'suppressed'
                when receipts.reason is not null then 'rejected'
                when message_index.message_key is null then 'suppressed'
                when message_index.receipt_id = receipts.receipt_id then 'stored'
                when message_index.payload_hash = receipts.payload_hash then 'duplicate'
                else 'conflict' end as state
    from receipts
    left join message_index on receipts.reason is null
         and message_index.message_key = receipts.message_key""",
)
MESSAGE_STATES = View(
    "message_states",
    "One row for each (source, messageId): stored, suppressed or rejected, and its copies.",
    (RECEIPT_STATES.name,),
    """
    select message_key, min(source_id) as source_id,
           case when count(*) filter (where state = 'stored') > 0 then 'stored'
                when count(*) filter (where state = 'suppressed') > 0 then 'suppressed'
                else 'rejected' end as state,
           min(received_at) as first_received_at,
           count(*) as copies,
           count(*) filter (where state = 'duplicate') as duplicates,
           count(*) filter (where state = 'conflict') as conflicts,
           count(*) filter (where state = 'rejected') as rejections
    from receipt_states
    where message_key is not null
    group by message_key""",
)
RECONCILIATION = View(
    "reconciliation",
    "Receipts against what became of them, by source and day; is_conserved is always true.",
    (RECEIPT_STATES.name, EVENTS.name),
    """
    select counted.source_id, counted.received_on, counted.receipts, counted.stored,
           counted.duplicates, counted.conflicts, counted.rejected, counted.suppressed,
           coalesce(held.events, 0) as events,
           counted.receipts = counted.stored + counted.duplicates + counted.conflicts
               + counted.rejected + counted.suppressed
               and counted.receipts = counted.distinct_receipts
               and counted.stored = coalesce(held.events, 0) as is_conserved
    from (
        select source_id, received_on, count(*) as receipts,
               count(distinct receipt_id) as distinct_receipts,
               count(*) filter (where state = 'stored') as stored,
               count(*) filter (where state = 'duplicate') as duplicates,
               count(*) filter (where state = 'conflict') as conflicts,
               count(*) filter (where state = 'rejected') as rejected,
               count(*) filter (where state = 'suppressed') as suppressed
        from receipt_states group by source_id, received_on
    ) counted
    left join (
        select source_id, cast(received_at as date) as received_on, count(*) as events
        from events group by source_id, cast(received_at as date)
    ) held on held.source_id = counted.source_id and held.received_on = counted.received_on""",
)
IDENTITY_CURRENT = _latest(IDENTITY, "identifier", "person_id is not null")
PERSONS_CURRENT = _latest(PERSONS, "person_id")
ANCHORS_CURRENT = _latest(ANCHORS, "anchor_key", "events > 0")
STANDING = f"person_id in (select person_id from {PERSONS_CURRENT.name} where state = 'active')"
PROFILES_CURRENT = _latest(PROFILES, "person_id", STANDING, PERSONS_CURRENT)
RFM_CURRENT = _latest(RFM, "person_id", "segment is not null")
COMPUTED_TRAITS_CURRENT = _latest(COMPUTED_TRAITS, "person_id", "traits <> '{}'")
MEMBERSHIPS_CURRENT = _latest(MEMBERSHIPS, "person_id, segment", "change = 'entered'")
EVENTS_BY_PERSON = View(
    "events_by_person",
    "Each event with the person that its anchor belongs to now; none while no run has seen it.",
    (EVENTS.name, IDENTITY_CURRENT.name),
    """
    select identity_current.person_id, events.*
    from events
    left join identity_current on identity_current.identifier = events.anchor_key""",
)
WORDS = words_sql("events_by_person")
CONSENTS = View(
    "consents",
    "Every word about consents: who, which purpose, when, by which source and message, which text.",
    (EVENTS_BY_PERSON.name,),
    f"""
    select word.person_id, events.anchor_key, word.purpose, word.is_grant,
           events.event_at as said_at, events.received_at, events.source_id, events.assurance,
           json_extract_string(word.detail, '$.by') as "by",
           json_extract_string(word.detail, '$.version') as text_version,
           json_extract_string(word.detail, '$.proof') as proof,
           events.message_key, events.message_id
    from ({WORDS}) word
    join events on events.message_key = word.message_key""",
)
EGRESS = View(
    "egress",
    "Every decision about what left, was shown, or was told, one row each: what, why, why not.",
    (EGRESS_RECEIPTS.name, DISCLOSURES.name, SALTED),
    f"""
    select egress_id, kind, person_id, cast(null as varchar) as person_ref, recipient, purpose,
           segment, fields, is_allowed, reason, consent_version, consent_at, decided_at
    from egress_receipts
    union all
    select disclosure_id, kind, {SALTED}.person_id, person_ref, recipient, purpose, segment, fields,
           is_allowed, reason, consent_ref, cast(consent_at as timestamptz),
           cast(decided_at as timestamptz)
    from (select distinct * from disclosures) once
    left join {SALTED} using (person_ref)""",
)
MOMENT = "(select max(moment) from runs)"
LINKS_LATEST = _latest(LINKS, "kind, a, b").sql
LINKS_CURRENT = View(
    "links_current",
    "The provisional links that stand and have not expired at the newest run's moment.",
    (LINKS.name, RUNS.name),
    f"""
    select * from ({LINKS_LATEST}
    ) latest where state = 'standing' and (expires_at > {MOMENT} or {MOMENT} is null)""",
)
LINKS_SETTLED = View(
    "links_settled",
    "The links that log-ins confirmed or refuted, each with when and by which message.",
    (LINKS.name,),
    f"""
    select * from ({LINKS_LATEST}
    ) latest where state in ('confirmed', 'refuted')""",
)
MODELS_CURRENT = _latest(MODELS, "model, version")
SCORES_LATEST = _latest(SCORES, "model, person_id").sql
SCORES_CURRENT = View(
    "scores_current",
    "What models say of people, as it holds at the newest run's moment.",
    (SCORES.name, RUNS.name),
    f"""
    select * from ({SCORES_LATEST}
    ) latest where value is not null and (valid_until > {MOMENT} or {MOMENT} is null)""",
)
VIEWS = {
    view.name: view
    for view in (
        RECEIPT_STATES,
        MESSAGE_STATES,
        RECONCILIATION,
        IDENTITY_CURRENT,
        PERSONS_CURRENT,
        ANCHORS_CURRENT,
        PROFILES_CURRENT,
        RFM_CURRENT,
        COMPUTED_TRAITS_CURRENT,
        MEMBERSHIPS_CURRENT,
        EVENTS_BY_PERSON,
        LINKS_CURRENT,
        LINKS_SETTLED,
        CONSENTS,
        EGRESS,
        MODELS_CURRENT,
        SCORES_CURRENT,
    )
}


def create_statement(view: View) -> str:
    """The statement that makes the view, in DuckDB and in Athena."""
    return f"create or replace view {view.name} as{view.sql}"
