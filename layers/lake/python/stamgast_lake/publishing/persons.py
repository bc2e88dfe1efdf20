"""Persons: each component that new evidence touches is made what the lake says of it."""

from collections.abc import Iterator, Sequence

from stamgast.identity.corrections import Corrections, publish_identity
from stamgast.identity.results import Result
from stamgast.identity.settings import IdentitySettings
from stamgast_lake.components import connect
from stamgast_lake.evidence import gather
from stamgast_lake.identity import look
from stamgast_lake.live_evidence import LakeEvidence, read_values
from stamgast_lake.logs import see, see_fresh
from stamgast_lake.publishing.lost_copies import find_lost
from stamgast_lake.publishing.work import FencedError, Task
from stamgast_lake.resolve import PARTS
from stamgast_lake.state import State
from stamgast_lake.tables import EVENTS, IDENTITY

KEYS_A_PAGE = 5_000
# What a losing copy alone names is nobody's in the lake, and still somebody in the live view.
DISPUTED = """
    insert into part select distinct key, key from (
        select unnest(identifiers) as key from lost_copy
    ) where key not in (select key from part)
"""
PAGED = """
    create or replace temp table part_page as
    with numbered as (
        select part, key, row_number() over (order by part, key) - 1 as place
        from part where part > '{after}'
    )
    select part, key, min(place) over (partition by part) // {size} as page from numbered
"""
PAGES = "select distinct page from part_page order by page"
PAGE = "select part, list(key) from part_page where page = {page} group by part order by part"
Component = tuple[str, list[str]]


def publish_persons(task: Task) -> Iterator[str]:
    """Corrects page after page of components; yields the last component of each."""
    engine, publisher = task.engine, task.publisher
    lake = publisher.lake
    settings = lake.workspace().identity
    look(engine, lake)
    state = _gather(task, settings)
    read_values(engine, task.fresh("events"))
    connect(engine, "candidate", into="component")
    engine.execute(PARTS)
    engine.execute(DISPUTED)
    engine.execute(PAGED.format(after=task.after, size=KEYS_A_PAGE))
    evidence = LakeEvidence(engine, lake.keyring(), settings, state, lake.tombstones.gone)
    for (page,) in engine.execute(PAGES).fetchall():
        components: list[Component] = engine.execute(PAGE.format(page=page)).fetchall()
        evidence.turn([key for _, keys in components for key in keys])
        _correct(task, evidence, components)
        yield components[-1][0]


def _gather(task: Task, settings: IdentitySettings) -> State | None:
    """What new evidence touches, from the logs; all evidence for a view that was thrown away."""
    engine, lake = task.engine, task.publisher.lake
    see_fresh(engine, lake, EVENTS, IDENTITY)
    find_lost(task)
    if task.is_whole:
        see(engine, lake, EVENTS)
        gather(engine, settings)
        return None
    state = State(engine, lake, settings, is_now=True)
    state.gather()
    return state


def _correct(task: Task, evidence: LakeEvidence, components: Sequence[Component]) -> None:
    publisher = task.publisher
    settings = publisher.lake.workspace().identity

    def work(share: Sequence[Component]) -> Corrections:
        return publish_identity(
            publisher.identity,
            evidence,
            [keys for _, keys in share],
            task.run.seq,
            settings,
            publisher.pause,
        )

    shares = [components[n :: publisher.parallel] for n in range(publisher.parallel)]
    for told in publisher.each(work, [share for share in shares if share]):
        for result, number in told.counts.items():
            task.figures[f"persons_{result}"] += number
        task.figures["untold"] += publisher.tell(told.changes)
        task.figures["identity_changes"] += len(told.changes)
        if Result.FENCED in told.counts:
            raise FencedError("a newer run has raised the fence")
