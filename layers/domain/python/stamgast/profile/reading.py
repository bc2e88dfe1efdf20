"""What a reader sees: the base with the live item on top, or that the pair was torn."""

from stamgast.profile.facts import Facts, fold, merge
from stamgast.profile.items import Base, Live, dropped


def seen(live: Live, base: Base) -> Facts | None:
    """The facts of an anchor; None when the two items were read at moments that do not fit.

    Torn means that the base was published after this live item was read, or that the live item
    has dropped what only a newer base holds: the reader reads again.
    """
    if live.version < base.needed or base.run < live.base_run:
        return None
    rest = dropped(live, base.run)
    pending = Facts(traits=rest.traits, first=rest.first, last=rest.last)
    return fold(merge(base.facts, pending), rest.tail)
