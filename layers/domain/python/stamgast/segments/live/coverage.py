"""What runs have published so far, as readers need to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Coverage:
    """Since which run bases hold a measure, by its id; `moment_ms` is of the newest run.

    A base of before that run holds all there was of it: nothing. `run` is 0 before any run.
    `rules` are the versions of the rules that the newest run asked, by segment.
    """

    since: Mapping[str, int] = field(default_factory=dict)
    run: int = 0
    moment_ms: int = 0
    rules: Mapping[str, str] = field(default_factory=dict)
