"""Scores: runs take away those of who was parted, and put all back into a view that was lost."""

from collections.abc import Iterable, Iterator

from stamgast.models.live import PREFIX
from stamgast_lake.logs import see_fresh
from stamgast_lake.models.publish import publish_scores
from stamgast_lake.publishing.work import PersonRow, Task
from stamgast_lake.tables import SCORES

WITHDRAWN = "select person_id, model from fresh_scores where value is null order by all"


def publish_held(task: Task) -> Iterator[str]:
    """Deletes what the run took back; in a rebuild writes every score that holds.

    What is new runs of models tell.
    """
    if not task.is_whole:
        yield from _withdrawn(task)
        return
    publisher = task.publisher

    def put_all(rows: Iterable[PersonRow]) -> int:
        return sum(publisher.each(lambda row: publisher.rows.put(row, task.run.seq), rows))

    told = publish_scores(
        task.engine, publisher.lake, task.run, put_all, task.parted, is_whole=True
    )
    task.figures["scores"] += told
    yield ""


def _withdrawn(task: Task) -> Iterator[str]:
    task.see_runs()
    see_fresh(task.engine, task.publisher.lake, SCORES)
    found = task.engine.execute(WITHDRAWN).fetchall()
    if found:
        task.put("scores", [PersonRow(who, f"{PREFIX}{model}", None) for who, model in found])
        yield ""
