"""Links into the live view: items beside the persons of both sides, for purposes that opt in.

What is written is only what some purpose may be told, at most twenty links an identifier. A reader
checks again that the item's own identifier is still the person's, so an item that a merge or a
split left behind tells nothing, and DynamoDB deletes it when the link has expired.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stamgast.moments import iso_of, ms_of
from stamgast_lake.lake import Lake
from stamgast_lake.links.store import look
from stamgast_lake.logs import count, see
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.runs import LINKS_STAGE, Run
from stamgast_lake.tables import RUNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_OF_AN_IDENTIFIER = 20
ROWS_A_PAGE = 1_000
LAST = """
    create or replace temp table links_run_before as
    select moment, workspace_version from runs
    where stage = '{stage}' and run_id <> '{run_id}' order by moment desc limit 1
"""
SIDES = """
    create or replace temp table side as
    select *, row_number() over (
        partition by mine order by is_told desc, probability desc, kind, other) as nth
    from (
        select *, state = 'standing' and expires_at > {moment} and probability >= {least} as is_told
        from (
            select *, a as mine, b as other from link_now
            union all select *, b, a from link_now
        )
    )
"""
CHANGED = """
    create or replace temp table changed_side as
    select identity_now.person_id, side.kind, side.mine, side.other, probability, rule, reasons,
        epoch_ms(stated_at) as stated_ms, epoch_ms(expires_at) as expires_ms,
        is_told and nth <= {most} as is_told,
        row_number() over (order by identity_now.person_id, mine, other, side.kind) as place
    from side join identity_now on identity_now.identifier = side.mine
    where identity_now.person_id is not null and (
        {is_whole} or side.recorded_at > {since}
        or (is_told and identity_now.recorded_at > {since}))
      and ((is_told and nth <= {most}) or {has_other_purposes} or (side.kind, side.a, side.b) in (
        select (kind, a, b) from links where state = 'standing' and probability >= {least}))
"""
PAGE = "select * exclude (place) from changed_side where place > ? order by place limit ?"
PutAll = Callable[[Iterable[PersonRow]], int]


def publish_links(engine: "DuckDBPyConnection", lake: Lake, run: Run, put_all: PutAll) -> int:
    """Writes what changed since the last run of links, and what stands of those who moved since.

    Everything, where the workspace is another than at the last run of links; what was never told
    needs no deletion. How many items.
    """
    least = min(lake.workspace().purposes.values(), default=2.0)
    look(engine, lake)
    see(engine, lake, RUNS)
    engine.execute(LAST.format(stage=LINKS_STAGE, run_id=run.run_id))
    before = engine.execute(
        "select epoch_ms(moment), workspace_version from links_run_before"
    ).fetchall()
    has_other = bool(before) and before[0][1] != lake.workspace().version
    since_ms = before[0][0] if before else ms_of(run.moment)
    told = {"moment": _moment(ms_of(run.moment)), "since": _moment(since_ms)}
    engine.execute(SIDES.format(least=least, **told))
    whole = {"is_whole": not before or has_other, "has_other_purposes": has_other}
    engine.execute(CHANGED.format(most=MOST_OF_AN_IDENTIFIER, least=least, **whole, **told))
    return sum(put_all(page) for page in _pages(engine))


def _pages(engine: "DuckDBPyConnection") -> Iterator[Sequence[PersonRow]]:
    for start in range(0, count(engine, "select count(*) from changed_side"), ROWS_A_PAGE):
        rows = engine.execute(PAGE, [start, ROWS_A_PAGE]).fetchall()
        yield [_row(row) for row in rows]


def _row(row: tuple[Any, ...]) -> PersonRow:
    """The item of one side; a link that nobody may be told of has none."""
    person_id, kind, mine, other, probability, rule, reasons, stated, expires, is_told = row
    sort_key = f"K#{kind}#{mine}#{other}"
    if not is_told:
        return PersonRow(person_id, sort_key, None)
    return PersonRow(
        person_id,
        sort_key,
        {
            "kind": kind,
            "mine": mine,
            "other": other,
            "probability_ppm": round(probability * 1_000_000),
            "rule": rule,
            "reasons": reasons,
            "stated_at": iso_of(stated),
            "expires_at": iso_of(expires),
            "ttl": expires // 1_000,
        },
    )


def _moment(at_ms: int) -> str:
    return f"to_timestamp({at_ms} / 1000.0)"
