"""Features to ask about: they tell far more of what comes than of what had come.

So does a weak copy of the outcome, and so does an honest sign of the moment, such as an appointment
that is booked. One panel looks like the other, so this keeps no version out: it is a question to
whoever knows where the feature comes from. So it is, too, where past cut-offs are too few to tell
whether what is gone of people now was steady before.
"""

from collections.abc import Iterator, Sequence

from stamgast_learn.predict.alone import are_told, column_of, few, least_skill
from stamgast_learn.predict.in_time import Told, ahead
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.vanished import LEAST_CUTS, gone

ENOUGH_TO_SEE = 10_000
TELLING, AHEAD = 0.7, 0.12
"""From this area on, so much more of it for the next horizon than for the past one is asked about.
Of honest habits in `bench/leaks.py` none has more than 0.10 beyond that of the past horizon."""


def questions(
    panel: Panel, names: Sequence[str], within_days: int, now: Panel | None = None
) -> Iterator[Told]:
    """Each feature to ask about, and why; a feature may come twice."""
    if len(panel.cuts) < LEAST_CUTS:
        yield from gone(panel, now, names)
    view = panel.at(few(panel.cut_on > -1, ENOUGH_TO_SEE))
    if not are_told(view.label == 1):
        return
    for name in names:
        if least_skill(view, column_of(view, name)) < TELLING:
            continue
        more = ahead(panel, name, within_days)
        if more is not None and more >= AHEAD:
            yield name, _words(name, more)


def _words(name: str, more: float) -> str:
    return (
        f"feature {name} orders people by what came after the cut-off better than by what had come"
        f" before it: its area under the curve is larger by {more:.2f}"
    )
