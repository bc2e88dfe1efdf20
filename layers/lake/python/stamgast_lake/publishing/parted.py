"""Whose live rows a cut or a lift may have deleted: those come back even where nothing changed."""

from stamgast_lake.evidence import see_fresh_evidence
from stamgast_lake.logs import count, see, see_fresh
from stamgast_lake.publishing.work import Task
from stamgast_lake.state import State
from stamgast_lake.tables import CONSTRAINTS, EDGES, EVIDENCE, IDENTITY, PERSONS

DECIDED = "select distinct a as key from fresh_evidence where rule in ('cut', 'lift')"
PARTED = """
    create or replace temp table parted as
    select distinct person_id from identity where identifier in (select key from touched)
"""
NOBODY_PARTED = "create or replace temp table parted (person_id varchar)"


def name_parted(task: Task) -> None:
    """Makes `parted`: the persons, of now and of before, that the live view may have had as one.

    A cut rearranges a live person whole. What the live view had joined, first come, the lake may
    never have: so all count that new evidence and refused links connect with what was decided.
    """
    task.once("parted", lambda: _find(task))


def _find(task: Task) -> None:
    engine, lake = task.engine, task.publisher.lake
    see_fresh(engine, lake, EVIDENCE)
    see_fresh_evidence(engine, lake)
    if not count(engine, f"select count(*) from ({DECIDED})"):
        engine.execute(NOBODY_PARTED)
        return
    see(engine, lake, IDENTITY, PERSONS, EDGES, CONSTRAINTS)
    State(engine, lake, lake.workspace().identity, is_now=True).surround(DECIDED)
    engine.execute(PARTED)
