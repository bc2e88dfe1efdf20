"""What was decided about one person, the audit log's lines among it, read by their salts alone."""

import time

from stamgast.egress.pseudonyms import pseudonym
from stamgast_cli.deployment import Deployment
from stamgast_cli.lake import Rows, salts, select
from stamgast_lake.rules.literals import quoted

PERSON = "select person_id from identity_current where identifier = {key}"
WORDS = "select distinct message_id from consents where person_id in ({person})"
DECISIONS = """
    select decided_at, kind, recipient, purpose, segment, is_allowed, reason, consent_version,
        consent_at, fields
    from egress where person_id in ({person}) and {only} order by decided_at desc limit {most}
"""
VERSION = 7


def decisions_of(
    deployment: Deployment, key: str, purpose: str | None, most: int
) -> tuple[list[str], Rows]:
    """Return the newest decisions about the person behind an identifier's key (quoted for SQL)."""
    person = PERSON.format(key=key)
    ids = [str(row[0]) for row in select(deployment, person, tuple)[1]]
    known = salts(deployment).known(ids, time.sleep)
    only = "true" if purpose is None else f"purpose = {quoted(purpose)}"
    asked = DECISIONS.format(person=person, only=only, most=most)
    refs = [(person_id, pseudonym(salt, person_id)) for person_id, salt in known.items()]
    columns, rows = select(deployment, asked, lambda: refs)
    messages = [str(row[0]) for row in select(deployment, WORDS.format(person=person), tuple)[1]]
    meant = {pseudonym(salt, one): one for salt in known.values() for one in messages}
    return columns, [
        (*row[:VERSION], meant.get(row[VERSION], row[VERSION]), *row[VERSION + 1 :]) for row in rows
    ]
