"""Memberships and computed traits: the rows of each person whom a run moved, and who is told."""

from collections.abc import Iterator
from typing import Any

from stamgast.moments import iso_of
from stamgast.segments.changes import ENTERED, MembershipChange
from stamgast_lake.logs import latest, see, see_fresh
from stamgast_lake.publishing.live import close_coverage, settle_people
from stamgast_lake.publishing.parted import name_parted
from stamgast_lake.publishing.work import PersonRow, Task, UntoldError
from stamgast_lake.tables import COMPUTED_TRAITS, MEMBERSHIPS

PERSONS_A_PAGE = 500
COMPUTED_KEY = "T#computed"
MEMBERSHIP = """
    create or replace temp table changed_membership as
    select person_id, segment, change, rule_version, epoch_ms("at") as at_ms, because,
        run_id not in (select run_id from settled_run) as is_fresh
    from membership_now
    where person_id > '{after}' and (person_id in (select person_id from parted)
        or (person_id, segment) in (select (person_id, segment) from {fresh}))
"""
COMPUTED = """
    create or replace temp table changed_computed as
    with wanted as (
        select person_id, traits from computed_now
        where person_id > '{after}' and (person_id in (select person_id from parted)
            or person_id in (select person_id from {fresh}))
    ), story as (
        select person_id, count(*) = 1 as is_first from computed_traits
        where person_id in (select person_id from wanted) group by person_id
    )
    select person_id, traits, is_first from wanted join story using (person_id)
"""
PAGE = """
    select * from {rows} where person_id in (
        select distinct person_id from {rows} where person_id > ?
        order by person_id limit {size})
    order by person_id
"""


def publish_memberships(task: Task) -> Iterator[str]:
    """Writes who is in which segment and tells who entered or left; yields the last of a page.

    A change is told after it is written and before its page counts as done, so it is told at least
    once, each time under the same `change_id`. Raises UntoldError for what the bus does not take.
    """
    find_changed(task, task.after)
    for rows in _pages(task, "changed_membership"):
        if task.publisher.live is not None:
            settle_people(task, {row[0] for row in rows})
            yield rows[-1][0]
            continue
        task.put("memberships", [_membership_row(row) for row in rows])
        changes = [MembershipChange(*row[:-1]) for row in rows if row[-1]]
        if task.publisher.tell_memberships(changes):
            raise UntoldError("the event bus did not take every change of membership")
        task.figures["memberships_told"] += len(changes)
        yield rows[-1][0]
    close_coverage(task)


def find_changed(task: Task, after: str = "") -> None:
    """Makes `changed_membership`: what this run has to say of memberships."""
    task.once("changed_membership", lambda: _find_changed(task, after))


def _find_changed(task: Task, after: str) -> None:
    _look(task)
    see(task.engine, task.publisher.lake, MEMBERSHIPS)
    see_fresh(task.engine, task.publisher.lake, MEMBERSHIPS)
    latest(task.engine, "memberships", "person_id, segment", "membership_now")
    task.engine.execute(MEMBERSHIP.format(after=after, fresh=task.fresh("memberships")))


def publish_computed(task: Task) -> Iterator[str]:
    """Writes the computed traits that changed; yields the last person of each page."""
    _look(task)
    see(task.engine, task.publisher.lake, COMPUTED_TRAITS)
    see_fresh(task.engine, task.publisher.lake, COMPUTED_TRAITS)
    latest(task.engine, "computed_traits", "person_id", "computed_now")
    task.engine.execute(COMPUTED.format(after=task.after, fresh=task.fresh("computed_traits")))
    for rows in _pages(task, "changed_computed"):
        task.put("computed", [_computed_row(*row, is_whole=task.is_whole) for row in rows])
        yield rows[-1][0]


def _look(task: Task) -> None:
    task.see_runs()
    name_parted(task)


def _pages(task: Task, rows: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of some persons at a time, each person whole."""
    last, page = task.after, PAGE.format(rows=rows, size=PERSONS_A_PAGE)
    while found := task.engine.execute(page, [last]).fetchall():
        last = found[-1][0]
        yield found


def _membership_row(row: tuple[Any, ...]) -> PersonRow:
    """Who is in has a row since when and by which rule; who left has none."""
    person_id, segment, change, rule_version, at_ms, *_ = row
    since = {"since": iso_of(at_ms), "rule_version": rule_version}
    return PersonRow(person_id, f"M#{segment}", since if change == ENTERED else None)


def _computed_row(person_id: str, traits: str, is_first: bool, *, is_whole: bool) -> PersonRow:
    told = None if traits == "{}" else {"traits": traits}
    return PersonRow(person_id, COMPUTED_KEY, told, is_first=is_first or is_whole)
