"""Scores: into a view that was thrown away, runs put back what runs of models had told it."""

from collections.abc import Iterable, Iterator

from stamgast_lake.models.publish import publish_scores
from stamgast_lake.publishing.work import PersonRow, Task


def publish_held(task: Task) -> Iterator[str]:
    """Writes every score that holds, in a rebuild alone; what is new runs of models tell."""
    if not task.is_whole:
        return
    publisher = task.publisher

    def put_all(rows: Iterable[PersonRow]) -> int:
        return sum(publisher.each(lambda row: publisher.rows.put(row, task.run.seq), rows))

    told = publish_scores(task.engine, publisher.lake, task.run, put_all, is_whole=True)
    task.figures["scores"] += told
    yield ""
