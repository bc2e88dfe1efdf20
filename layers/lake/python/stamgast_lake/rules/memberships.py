"""Memberships as the rules decide them now, and what that changes in the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stamgast.moments import ms_of
from stamgast.segments.language.rules import Rule
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, latest, see
from stamgast_lake.rules.edited import edited, keep_asked
from stamgast_lake.rules.statements import VERDICTS
from stamgast_lake.runs import Run
from stamgast_lake.tables import MEMBERSHIPS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Unlike a join against the log, one row a person and rule is only made of members.
FOUND = """
    create or replace temp table member_found as
    select verdict.person_id, rule.segment, rule.rule_version
    from (
        select person_id, unnest(list_filter([{places}], lambda one: one is not null)) as place
        from {verdicts}
    ) verdict
    join rule_known rule on rule.place = verdict.place
"""
KNOWN = """
    create or replace temp table rule_known
        (place integer, segment varchar, rule_version varchar, is_edited boolean)
"""
CHANGES = """
    select changed.person_id, changed.segment, changed.change, changed.rule_version,
        cast('{moment}' as timestamptz) as at, changed.because,
        {change_id} as change_id,
        cast('{moment}' as timestamptz) as recorded_at, '{run_id}' as run_id
    from (
        select found.person_id, found.segment, 'entered' as change, found.rule_version,
            case when coalesce(rule.is_edited, was.rule_version <> found.rule_version)
                then 'rule_changed' else 'facts' end as because
        from member_found found
        join rule_known rule on rule.segment = found.segment
        left join membership_now was
            on was.person_id = found.person_id and was.segment = found.segment
        where was.change is distinct from 'entered'
        union all
        select was.person_id, was.segment, 'left',
            coalesce(rule.rule_version, was.rule_version),
            case when rule.segment is null then 'segment_gone'
                when was.person_id not in (select person_id from {verdicts}) then 'person_gone'
                when coalesce(rule.is_edited, rule.rule_version <> was.rule_version)
                    then 'rule_changed'
                else 'facts' end
        from membership_now was
        left join rule_known rule on rule.segment = was.segment
        left join member_found found
            on found.person_id = was.person_id and found.segment = was.segment
        where was.change = 'entered' and found.person_id is null
    ) changed
"""
SIZES = "select segment, count(*) from member_found group by segment"
NOBODY = "create or replace temp view {verdicts} as select cast(null as varchar) as person_id"


def change_id_sql(moment_ms: int) -> str:
    """`MembershipChange.change_id` over the columns of a change."""
    told = f"concat_ws(chr(31), segment, person_id, change, rule_version, '{moment_ms}')"
    return f"substr(sha256({told}), 1, 32)"


def log_memberships(
    engine: "DuckDBPyConnection", lake: Lake, run: Run, rules: Sequence[Rule], stage: str
) -> dict[str, int]:
    """Appends who entered and who left; returns each segment's size, and the changes.

    Needs the table that `stamgast_lake.rules.statements.verdicts` makes.
    """
    see(engine, lake, MEMBERSHIPS)
    latest(engine, "memberships", "person_id, segment", "membership_now")
    find_members(engine, rules, edited(lake, rules))
    changes = changes_sql(run.moment, run.run_id)
    changed = append_changes(engine, lake, MEMBERSHIPS, changes, Commit(run.run_id, stage))
    keep_asked(lake, rules)
    sizes = dict(engine.execute(SIZES).fetchall())
    told = {f"segment_{rule.name}": int(sizes.get(rule.name, 0)) for rule in rules}
    return {"memberships": changed, **told}


def find_members(
    engine: "DuckDBPyConnection", rules: Sequence[Rule], others: frozenset[str] | None
) -> None:
    """Makes `rule_known` and `member_found` (person_id, segment, rule_version).

    `others` are the rules that the run before asked otherwise, or not at all; None if unknown.
    """
    engine.execute(KNOWN)
    for place, rule in enumerate(rules):
        is_edited = None if others is None else rule.name in others
        known = [place, rule.name, rule.version, is_edited]
        engine.execute("insert into rule_known values (?, ?, ?, ?)", known)
    places = ", ".join(f"case when r{place} then {place} end" for place in range(len(rules)))
    if not rules:
        engine.execute(NOBODY.format(verdicts=VERDICTS))
    engine.execute(FOUND.format(places=places or "null", verdicts=VERDICTS))


def changes_sql(moment: datetime, run_id: str) -> str:
    """A SELECT of the rows that the log lacks."""
    return CHANGES.format(
        moment=moment.isoformat(),
        run_id=run_id.replace("'", ""),
        change_id=change_id_sql(ms_of(moment)),
        verdicts=VERDICTS,
    )
