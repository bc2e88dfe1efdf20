"""Columns of the rhythm and the stage of life: read from the days with an order, once a view."""

from stamgast.segments.language.columns import Path
from stamgast.segments.language.orders import ordered
from stamgast.segments.language.tree import Aggregate, Function
from stamgast.segments.language.view import Measure, Reader, View
from stamgast.segments.rhythm import Rhythm, rhythm_of, stage_of, told_by

KEY = "rhythm"
ORDERED = ordered()
ORDERS = Aggregate(Function.COUNT, None, ORDERED)


def habit(path: Path, is_order: Reader) -> Reader:
    """The reader of `lifecycle` or of a column after `rhythm.`; `is_order` filters events."""
    measure = Measure(KEY, ORDERS, is_order, None)

    def rhythm(view: View) -> Rhythm | None:
        if KEY not in view.memo:
            view.memo[KEY] = rhythm_of(view.history.days_of(measure, view))
        found: Rhythm | None = view.memo[KEY]
        return found

    if path == ("lifecycle",):
        return lambda view: stage_of(rhythm(view), view.today).value
    name = path[1]
    return lambda view: told_by(rhythm(view), view.today).get(name)
