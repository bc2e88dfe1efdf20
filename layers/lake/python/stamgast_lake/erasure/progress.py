"""How far a long pass has come, so that one that runs out of time is gone on with by another."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

IsLate = Callable[[], bool]
Note = Mapping[str, Any]
FRESH_MS = 16 * 60 * 1000
"""Longer than a function may run: what nobody has gone on with for so long is begun anew."""
EVERY_MS = 60 * 1000
AT_ONCE = 100


class OutOfTimeError(RuntimeError):
    """Too little time is left to go on; what was done is written down, and the rest is not lost."""


def never() -> bool:
    """For passes that end by themselves."""
    return False


def _nowhere(_told: Note) -> None:
    """Keeps nothing: a short pass needs no notes."""


@dataclass(slots=True)
class Progress:
    """The steps of a pass that are done, with what each found.

    They are written down each minute, and before the pass is left for want of time: raises
    OutOfTimeError after the step that was the last for which there was time, so that each pass
    comes at least one step further.
    """

    steps: dict[str, Any] = field(default_factory=dict)
    keep: Callable[[Note], None] = _nowhere
    is_late: IsLate = never
    now_ms: Callable[[], int] = lambda: 0
    kept_ms: int = 0

    @classmethod
    def of(
        cls, told: Note | None, keep: Callable[[Note], None], is_late: IsLate, now_ms: Any
    ) -> "Progress":
        """What was written down, where somebody is still at it; else nothing."""
        at_ms = now_ms()
        is_fresh = told is not None and at_ms - told.get("at_ms", 0) < FRESH_MS
        steps = dict(told["steps"]) if told is not None and is_fresh else {}
        return cls(steps, keep, is_late, now_ms, at_ms)

    @property
    def is_due(self) -> bool:
        """Whether it is time to write down what is done."""
        return self.is_late() or self.now_ms() - self.kept_ms > EVERY_MS

    def note(self, name: str, told: Note) -> None:
        """Notes where a step stands; raises OutOfTimeError if there is no time for another."""
        self.steps[name] = told
        is_late = self.is_late()
        if is_late or self.is_due:
            self.write()
        if is_late:
            raise OutOfTimeError("what is left is for the next pass")

    def write(self) -> None:
        """Writes down what is done."""
        self.kept_ms = self.now_ms()
        self.keep({"at_ms": self.kept_ms, "steps": self.steps})

    def step(self, name: str, work: Callable[[], Note | None]) -> Note:
        """What a step found, which is done once, whoever goes on."""
        if name not in self.steps:
            self.note(name, work() or {})
        found: Note = self.steps[name]
        return found

    def through(
        self, name: str, keys: Iterable[str], work: Callable[[Sequence[str]], Mapping[str, int]]
    ) -> Mapping[str, int]:
        """Goes through keys in their order, so many at a time; what all of them came to."""
        told = self.steps.get(name, {"after": "", "found": {}})
        for some in batched(sorted({key for key in keys if key > told["after"]}), AT_ONCE):
            found = Counter(told["found"])
            found.update(work(some))
            told = {"after": some[-1], "found": dict(found)}
            self.note(name, told)
        counted: Mapping[str, int] = told["found"]
        return counted
