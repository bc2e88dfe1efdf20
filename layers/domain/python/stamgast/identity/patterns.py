"""Patterns of a workspace over identifiers: regular expressions that no value can make slow.

Python's engine backtracks. A pattern is refused unless its time is bounded by the square of a
value's length, which is itself bounded: at most two repetitions of variable length, each of a
single character or class, a few optional ones, and nothing that looks back or around.
"""

import re
from functools import cache

LONGEST_PATTERN = 200
MOST_REPETITIONS, MOST_OPTIONAL = 2, 4
TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?:\?:|(?!\?)))"
    r"|(?P<close>\))|(?P<exact>\{\d+\})|(?P<range>\{\d*,\d*\}|[*+])|(?P<optional>\?)|(?P<odd>\(\?)"
    r"|(?P<one>.)",
    re.DOTALL,
)


def why_unsafe(pattern: str) -> str | None:
    """Why a pattern is not taken; None when it is."""
    if len(pattern) > LONGEST_PATTERN:
        return f"a pattern has at most {LONGEST_PATTERN} characters"
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        return f"not a regular expression: {error}"
    return _why_slow(pattern)


def _why_slow(pattern: str) -> str | None:
    repetitions = optional = 0
    before = ""
    for token in TOKEN.finditer(pattern):
        kind = token.lastgroup or ""
        if kind == "odd" or (kind == "escape" and token[0][1] in "123456789"):
            return "a pattern neither looks around nor back, and sets no flags"
        if kind in ("range", "exact") and before == "close":
            return "only a single character or class is repeated"
        repetitions += kind == "range"
        optional += kind == "optional"
        before = kind
    if repetitions > MOST_REPETITIONS or optional > MOST_OPTIONAL:
        return f"at most {MOST_REPETITIONS} repetitions and {MOST_OPTIONAL} optional parts"
    return None


@cache
def compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Matches what one of the patterns matches, whatever its case; without any, nothing."""
    return re.compile("|".join(f"(?:{one})" for one in patterns) or r"(?!)", re.IGNORECASE)
