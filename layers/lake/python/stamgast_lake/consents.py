"""The SQL readings of `stamgast.consent.coverage`: of a profile, and of words at a past moment.

A parity test holds them and Python's equal.
"""

from stamgast.consent.purposes import ALL, PROFILING, SUPPRESSED, UNDECLARED, Purposes
from stamgast.consent.words import GRANT, MOST_WORDS, PREFIX
from stamgast_lake.rules.literals import quoted

CLOSED = "$.consent.is_closed"
REGISTER = "json_extract({traits}, '$.consent')"
"""The consent as `profiles.traits` keeps it, with its provenance; null where none was said."""


def register_sql(traits: str) -> str:
    """What a person said of purposes, as JSON that `consent_of_row` reads."""
    return REGISTER.format(traits=traits)


def covers_sql(traits: str, purpose: str, purposes: Purposes = UNDECLARED) -> str:
    """Whether a profile's traits cover a purpose: true or false, never null."""
    known = purposes.of(purpose)
    if known is None:
        return "false"
    step = purpose.replace("\\", "\\\\").replace('"', '\\"')
    said = _text(traits, f'$.consent.value."{step}"')
    if not known.is_default_granted:
        return f"coalesce({said} = 'true', false)"
    closed = _text(traits, CLOSED)
    return f"coalesce({said}, case when {closed} = 'true' then 'false' else 'true' end) = 'true'"


def profiled_sql(traits: str, purposes: Purposes = UNDECLARED) -> str:
    """Whether models may learn of a person and score them: true unless they object to profiling.

    Where the workspace denies the purpose `profiling` by default, only a grant will do.
    """
    declared = purposes.by_name.get(PROFILING)
    unless_closed = declared is None or declared.is_default_granted
    said, closed = _text(traits, f"$.consent.value.{PROFILING}"), _text(traits, CLOSED)
    unsaid = f"case when {closed} = 'true' then 'false' else '{str(unless_closed).lower()}' end"
    return f"coalesce({said}, {unsaid}) = 'true'"


def counted_sql(traits: str, purpose: str | None, purposes: Purposes = UNDECLARED) -> str:
    """Whether figures may count a person: not the suppressed, and for a purpose who covers it."""
    if purpose is not None:
        return covers_sql(traits, purpose, purposes)
    return f"coalesce({_text(traits, CLOSED)}, 'false') <> 'true'"


def words_sql(relation: str, where: str = "true") -> str:
    """A SELECT of the words about consents in events: person_id, purpose, and what each says."""
    kind, assurance, purpose = len(PREFIX) + 1, len(PREFIX) + 2, len(PREFIX) + 4
    return f"""
    select person_id, word.key as name, substr(word.key, {purpose}) as purpose,
        substr(word.key, {kind}, 1) = {quoted(GRANT)} as is_grant,
        cast(substr(word.key, {assurance}, 1) as integer) as assurance,
        epoch_ms(event_at) as said_ms, message_key, word.value as detail
    from {relation}, json_each({relation}.traits) word
    where {where} and contains({relation}.traits, '"{PREFIX}')
        and starts_with(word.key, {quoted(PREFIX)})"""


def values_sql(words: str) -> str:
    """A SELECT of each person's consent as `values_of` tells it, from a SELECT of words."""
    return f"""
    with word as ({words}
    ), refused as (
        select person_id, purpose, max(said_ms) as last_ms, max(assurance) as surest
        from word where not is_grant group by person_id, purpose
    ), settled as (
        select word.person_id, word.purpose, coalesce(bool_or(
            word.is_grant
            and word.assurance >= coalesce(greatest(own.surest, every.surest), 0)
            and coalesce(word.said_ms > greatest(own.last_ms, every.last_ms), true)
        ), false) as is_granted
        from word
        left join refused own
            on own.person_id = word.person_id and own.purpose = word.purpose
        left join refused every
            on every.person_id = word.person_id and every.purpose = {quoted(ALL)}
            and word.purpose <> {quoted(SUPPRESSED)}
        group by word.person_id, word.purpose
    ), closed as (
        select person_id from settled where purpose = {quoted(SUPPRESSED)} and not is_granted
        union select person_id from word group by person_id
            having count(distinct name) >= {MOST_WORDS}
    )
    select person_id, cast(json_group_object(purpose, is_granted
        and person_id not in (select person_id from closed)) as varchar) as consent
    from settled where purpose <> {quoted(SUPPRESSED)} group by person_id"""


def _text(traits: str, path: str) -> str:
    return f"cast(json_extract({traits}, {quoted(path)}) as varchar)"
