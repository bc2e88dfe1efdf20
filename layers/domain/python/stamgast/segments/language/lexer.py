"""From the text of a rule to its tokens."""

import re
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import normalize

from stamgast.segments.language.errors import RuleBoundError, RuleSyntaxError

LONGEST_RULE = 10_000
MOST_TOKENS = 2_000


class Sort(StrEnum):
    """The sorts of tokens."""

    NUMBER = "a number"
    TEXT = "a text"
    WORD = "a word"
    QUOTED = "a quoted name"
    SIGN = "a sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` is what it means: a text without its quotes, a word as it was written."""

    sort: Sort
    text: str
    at: int

    @property
    def word(self) -> str:
        """The keyword that the token may be; empty for what is no word."""
        return self.text.lower() if self.sort is Sort.WORD else ""

    def __str__(self) -> str:
        if self.sort is Sort.END:
            return "the end of the rule"
        shown = self.text if len(self.text) <= 40 else self.text[:40] + "…"
        return f"'{shown}'" if self.sort is Sort.TEXT else f"`{shown}`"


PATTERN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z_0-9]))
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<word>[^\W\d]\w*)
    |(?P<sign><=|>=|!=|<>|==|[=<>+\-*/(),.])""",
    re.VERBOSE,
)
SORTS = {
    "number": Sort.NUMBER,
    "text": Sort.TEXT,
    "quoted": Sort.QUOTED,
    "word": Sort.WORD,
    "sign": Sort.SIGN,
}


STRANGE = {
    "&|": "write `and` or `or`",
    "!": "write `not`",
    "≠": "write `!=`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "€$£¥": "amounts are plain numbers; `orders.currency` tells of which money",
    "%": "a tenth is 0.1, and patterns stand between '",
    "[]{}": "several values stand in `in ('a', 'b')`, odd names in `traits.\"odd name\"`",
    ";": "a rule is one condition, and ends with it",
    "–—−": "write `-`",
    "`´": "texts stand between '",
}


def tokens_of(text: str) -> list[Token]:
    """The tokens, the last of sort END; raises RuleSyntaxError or RuleBoundError."""
    if len(text) > LONGEST_RULE:
        raise RuleBoundError(f"the rule has more than {LONGEST_RULE:,} characters")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = PATTERN.match(text, at)
        if match is None:
            raise _strange(text, at)
        if match.lastgroup != "blank":
            found.append(_token(str(match.lastgroup), match.group(), at))
        at = match.end()
    if len(found) > MOST_TOKENS:
        raise RuleBoundError(f"the rule has more than {MOST_TOKENS:,} words and signs")
    return [*found, Token(Sort.END, "", len(text.rstrip()))]


def _token(group: str, text: str, at: int) -> Token:
    sort = SORTS[group]
    if sort is Sort.TEXT:
        text = normalize("NFC", text[1:-1].replace("''", "'"))
    elif sort is Sort.QUOTED:
        text = normalize("NFC", text[1:-1].replace('""', '"'))
    elif sort is Sort.WORD:
        text = normalize("NFC", text)
    if any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in text):
        raise RuleSyntaxError("a character that no text can hold", at)
    return Token(sort, {"<>": "!=", "==": "="}.get(text, text) if sort is Sort.SIGN else text, at)


def _strange(text: str, at: int) -> RuleSyntaxError:
    letter = text[at]
    if letter == "'":
        return RuleSyntaxError("this text has no end", at, "close it with '")
    if letter == '"':
        return RuleSyntaxError("this quoted name has no end", at, 'close it with "')
    if letter.isdigit():
        hint = "write a blank between number and word, as in `3 days`; numbers have no unit"
        return RuleSyntaxError("this is no number", at, hint)
    if letter in "‘’“”":
        return RuleSyntaxError(f"{letter} is no quotation mark", at, "texts stand between '")
    meant = next((hint for signs, hint in STRANGE.items() if letter in signs), None)
    return RuleSyntaxError(f"`{letter}` means nothing here", at, meant)
