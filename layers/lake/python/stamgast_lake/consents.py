"""The SQL reading of `stamgast.consent.coverage`: whether a purpose is covered, and by which word.

A parity test holds both readings equal.
"""

from stamgast_lake.rules.literals import quoted

REGISTER = "json_extract({traits}, '$.consent')"
"""The consent as `profiles.traits` keeps it, with its provenance; null where none was said."""


def register_sql(traits: str) -> str:
    """What a person said of purposes, as JSON that `consent_of_row` reads."""
    return REGISTER.format(traits=traits)


def covers_sql(traits: str, purpose: str) -> str:
    """Whether a profile's traits cover a purpose: true or false, never null."""
    step = purpose.replace("\\", "\\\\").replace('"', '\\"')
    path = quoted(f'$.consent.value."{step}"')
    return f"coalesce(cast(json_extract({traits}, {path}) as varchar) = 'true', false)"
