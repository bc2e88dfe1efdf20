"""The two items of an anchor: what events said since the last base (`L`), and the base (`B`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stamgast.profile.facts import Digest, Facts, Moment
from stamgast.profile.registers import Json, Register
from stamgast.profile.ring import Ring


@dataclass(frozen=True, slots=True)
class Live:
    """Ring, tail and registers since the last base.

    `marks` say which run has a message, by its short id; what a base of that run or a newer one
    holds is dropped by the next writer. `base_run` is the newest base that was dropped against,
    `joined_run` the newest run whose ids the ring has.
    """

    version: int = 0
    ring: Ring = field(default_factory=Ring)
    tail: tuple[Digest, ...] = ()
    traits: Mapping[str, Register] = field(default_factory=dict)
    first: Moment | None = None
    last: Moment | None = None
    marks: Mapping[str, int] = field(default_factory=dict)
    base_run: int = 0
    joined_run: int = 0

    @property
    def keys(self) -> set[str]:
        """The short ids of all messages that this item still tells something of."""
        told = {digest.key for digest in self.tail} | {r.key for r in self.traits.values()}
        return told | {moment.key for moment in (self.first, self.last) if moment}


@dataclass(frozen=True, slots=True)
class Base:
    """The base item of an anchor (`B`): what a run computed.

    `needed` is the version of the live item without which this base would count twice;
    `moment_ms` is the run's moment. `measured` is what live rules count, as
    `stamgast.segments.live.base` writes it.
    """

    run: int = 0
    needed: int = 0
    moment_ms: int = 0
    facts: Facts = field(default_factory=Facts)
    measured: Mapping[str, Json] = field(default_factory=dict)


def dropped(live: Live, base_run: int) -> Live:
    """The live item without what a base of this run holds already."""
    held = {key for key, run in live.marks.items() if run <= base_run}
    if not held:
        return live
    slim = replace(
        live,
        tail=tuple(digest for digest in live.tail if digest.key not in held),
        traits={name: r for name, r in live.traits.items() if r.key not in held},
        first=None if live.first and live.first.key in held else live.first,
        last=None if live.last and live.last.key in held else live.last,
        base_run=max(live.base_run, base_run),
    )
    return replace(slim, marks={key: run for key, run in live.marks.items() if key in slim.keys})
