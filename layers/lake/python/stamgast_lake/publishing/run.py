"""The stage `publish`: phase after phase, page after page, until it is done or out of time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stamgast.identity.corrections import begin
from stamgast.identity.results import Result
from stamgast_lake.engine import session
from stamgast_lake.publishing.anchors import publish_anchors
from stamgast_lake.publishing.memberships import publish_computed, publish_memberships
from stamgast_lake.publishing.persons import publish_persons
from stamgast_lake.publishing.rows import publish_rows
from stamgast_lake.publishing.scores import publish_held
from stamgast_lake.publishing.timeline import publish_timeline
from stamgast_lake.publishing.work import FencedError, Publisher, Task, UnsettledError
from stamgast_lake.runs import Run

Phase: TypeAlias = tuple[str, Callable[[Task], Iterator[str]]]
PHASES: tuple[Phase, ...] = (
    ("persons", publish_persons),
    ("timeline", publish_timeline),
    ("anchors", publish_anchors),
    ("rows", publish_rows),
    ("computed", publish_computed),
    ("scores", publish_held),
    ("memberships", publish_memberships),
)
CONTENDED = f"persons_{Result.CONTENDED}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where publishing goes on: a phase, and the last page's key in it."""

    phase: str = PHASES[0][0]
    after: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """The figures so far, and where to go on; None when everything is published."""

    figures: Mapping[str, int]
    left: Place | None


def publish_run(
    publisher: Publisher,
    run: Run,
    place: Place,
    is_whole: bool = False,
    figures: Mapping[str, int] | None = None,
) -> Published:
    """Publishes what differs, from `place` on; every page may be repeated.

    `is_whole` compares everything, for a view that was thrown away. Raises FencedError, and at the
    end UnsettledError or UntoldError, after which the run counts as failed and the next one takes
    its work up.
    """
    if not begin(publisher.identity, run.seq, publisher.pause):
        raise FencedError("a newer run has raised the fence")
    counted = Counter(figures or {})
    names = [name for name, _ in PHASES]
    first = names.index(place.phase)
    # What corrects persons takes most of a session's memory; the others share what they look up.
    for phases in filter(None, (PHASES[first:1], PHASES[max(first, 1) :])):
        with session() as engine:
            task = Task(engine, publisher, run, is_whole, place.after, counted)
            left = _publish(task, phases, place)
        if left is not None:
            return Published(dict(counted), left)
    if counted[CONTENDED]:
        raise UnsettledError(f"{counted[CONTENDED]} components stayed contended")
    return Published(dict(counted), None)


def _publish(task: Task, phases: Sequence[Phase], place: Place) -> Place | None:
    """Publishes phase after phase in one session; where to go on if time runs out."""
    for nth, (name, phase) in enumerate(phases):
        if nth:
            task.forget()
        task.after = place.after if name == place.phase else ""
        for last in phase(task):
            if task.publisher.is_late():
                return Place(name, last)
    return None
