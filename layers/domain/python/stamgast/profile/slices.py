"""A delivery in slices, so that one that brings thousands of people ends within its time."""

from collections.abc import Callable, Iterator, Sequence

from stamgast.profile.batch import Message
from stamgast.profile.loop import Outcome

# Ten messages of up to a hundred events each are one slice, and fold together; a packed batch of
# thousands of events is a slice of its own.
SLICE_CHARACTERS = 131_072
# A slice begins if what it would take, at the slowest pace so far, is left this many times.
MARGIN = 2


def in_slices(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in their order, cut before the one that would make a slice too long."""
    held: list[Message] = []
    size = 0
    for message in messages:
        if held and size + len(message.body) > SLICE_CHARACTERS:
            yield held
            held, size = [], 0
        held.append(message)
        size += len(message.body)
    if held:
        yield held


def process_in_time(
    process: Callable[[Sequence[Message]], Outcome],
    messages: Sequence[Message],
    left_ms: Callable[[], int],
) -> list[Outcome]:
    """What became of each slice; for what no time was left, that its messages come again.

    The longest slice goes first: what it took bounds what a shorter one may take, while a short
    one, which is mostly cold connections, would tell nothing of a long one. `left_ms` tells the
    milliseconds until the process is ended from outside, which would deliver everything again,
    the slices that are done as well.
    """
    outcomes: list[Outcome] = []
    slowest = 0.0
    for slice_ in sorted(in_slices(messages), key=_characters, reverse=True):
        before_ms, weight = left_ms(), _weight(slice_)
        if before_ms < MARGIN * slowest * weight:
            outcomes.append(Outcome(returned={one.id for one in slice_}))
            continue
        outcomes.append(process(slice_))
        slowest = max(slowest, (before_ms - left_ms()) / weight)
    return outcomes


def _weight(messages: Sequence[Message]) -> int:
    """The characters of a slice; one that is not full costs up to as much as one that is."""
    return max(SLICE_CHARACTERS, _characters(messages))


def _characters(messages: Sequence[Message]) -> int:
    return sum(len(one.body) for one in messages)
