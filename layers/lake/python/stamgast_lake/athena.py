"""The views in the SQL of Athena (Trino): `python -m stamgast_lake.athena` writes all, in order.

Most run there as they stand; these take another form, for JSON and times are read in other words.
"""

import sys

from stamgast.consent.words import GRANT, PREFIX
from stamgast_lake.rules.literals import quoted
from stamgast_lake.views import VIEWS, View, create_statement

KIND, PURPOSE = len(PREFIX) + 1, len(PREFIX) + 4
CONSENTS = f"""
    select events.person_id, events.anchor_key, substr(word.name, {PURPOSE}) as purpose,
           substr(word.name, {KIND}, 1) = {quoted(GRANT)} as is_grant,
           events.event_at as said_at, events.received_at, events.source_id, events.assurance,
           json_extract_scalar(word.detail, '$.by') as "by",
           json_extract_scalar(word.detail, '$.version') as text_version,
           json_extract_scalar(word.detail, '$.proof') as proof,
           events.message_key, events.message_id
    from events_by_person events
    cross join unnest(cast(json_parse(events.traits) as map(varchar, json))) as word (name, detail)
    where starts_with(word.name, {quoted(PREFIX)})"""
# Salts lie in `control`, which Athena does not read: a line of the audit log has its hash alone.
EGRESS = """
    select egress_id, kind, person_id, cast(null as varchar) as person_ref, recipient, purpose,
           segment, fields, is_allowed, reason, consent_version, consent_at, decided_at
    from egress_receipts
    union all
    select disclosure_id, kind, cast(null as varchar), person_ref, recipient, purpose, segment,
           fields, is_allowed, reason, consent_ref, from_iso8601_timestamp(consent_at),
           from_iso8601_timestamp(decided_at)
    from (select distinct * from disclosures) once"""
OTHERWISE = {"consents": CONSENTS, "egress": EGRESS}


def athena_statement(view: View) -> str:
    """The statement that makes the view in Athena."""
    if view.name not in OTHERWISE:
        return create_statement(view)
    return f"create or replace view {view.name} as{OTHERWISE[view.name]}"


def main() -> None:
    """Write every statement, each after the views that it reads."""
    for view in VIEWS.values():
        sys.stdout.write(f"{athena_statement(view)};\n\n")


if __name__ == "__main__":
    main()
