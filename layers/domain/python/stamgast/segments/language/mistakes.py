"""What rules that are written by habit of other languages meant, and how it is said here."""

import re
from collections.abc import Mapping, Sequence

from stamgast.segments.language.errors import RuleSyntaxError
from stamgast.segments.language.lexer import Sort, Token

HOW_OFTEN = "how often is told by `count(event = 'A') >= 3`"
A_WINDOW = "a window is `last 30 days`, `between 30 and 60 days ago` or `since date '2026-01-01'`"
WITHOUT_MONEY = "amounts are plain numbers; `orders.currency` tells of which money"
WORDS: Mapping[str, str] = {
    "has": "a list is asked by `contains`",
    "starts": "that is `like 'Del%'`",
    "ends": "that is `like '%ft'`",
    "matches": "patterns are asked by `like 'Del%'`",
    "before": "the earlier step comes first: `did 'A' then 'B'`",
    "after": "the earlier step comes first: `did 'A' then 'B'`",
    "times": HOW_OFTEN,
    "at": HOW_OFTEN,
    "more": HOW_OFTEN,
    "ago": "so long ago is `today - 3 days`",
    "distinct": "different values are counted by `count_distinct(…)`",
    "empty": "what is missing `is null`; a list without elements has `size(…) = 0`",
    "limit": "a rule is the condition alone",
    "order": "a rule is the condition alone",
    "sinc": "did you mean `since`?",
}
FUNCTIONS_MEANT: Mapping[str, str] = {
    "mean": "did you mean `avg`?",
    "total": "did you mean `sum`?",
    "upper": "`lower` is there, and `ilike` takes either case",
    "exists": "what is there `is not null`",
    "isnull": "what is missing `is null`",
    "segment": "another segment is asked by `in segment('name')`",
    "has": "that something happened is told by `did 'A'`",
    "event": "that something happened is told by `did 'A'`",
    "contains": "a list is asked by `traits.tags contains 'x'`",
    "round": "`floor` is there",
}
_NUMBER_PART = re.compile(r"[0-9.,]")


def misread(tokens: Sequence[Token], place: int) -> RuleSyntaxError | None:
    """The fault at a token that could not stand there, if it is no number or no window."""
    return _number(tokens, place) or _window(tokens, place)


def hint_of(tokens: Sequence[Token], place: int) -> str | None:
    """What may have been meant by a token that could not stand there."""
    token, before = tokens[place], tokens[place - 1] if place else Token(Sort.END, "", 0)
    if token.word in WORDS:
        return WORDS[token.word]
    if before.word in ("where", "select", "when", "if"):
        return f"a rule is the condition alone, without `{before.text}`"
    if before.sort is Sort.NUMBER and token.sort is Sort.WORD and token.text.isupper():
        return WITHOUT_MONEY
    if before.sort is Sort.TEXT and token.sort is Sort.NUMBER:
        return HOW_OFTEN
    if token.sort is Sort.SIGN and token.text == ",":
        if any(one.word == "between" for one in tokens[max(0, place - 3) : place]):
            return "as in `between 10 and 20`"
        return "conditions are joined by `and`; several values stand in `in ('a', 'b')`"
    return _two_words(tokens, place)


def _number(tokens: Sequence[Token], place: int) -> RuleSyntaxError | None:
    """A number with separators of thousands or a comma, told from its beginning on."""
    first = place
    while first > 0 and _is_joined(tokens[first - 1], tokens[first]):
        first -= 1
    last = place
    while last + 1 < len(tokens) and _is_joined(tokens[last], tokens[last + 1]):
        last += 1
    parts = tokens[first : last + 1]
    if len(parts) < 2 or not (parts[0].sort is parts[-1].sort is Sort.NUMBER):
        return None
    told = "".join(part.text for part in parts)
    hint = f"write `{_plain(told)}`: a point before decimals, nothing between thousands"
    return RuleSyntaxError(f"`{told}` is no number", parts[0].at, hint)


def _is_joined(left: Token, right: Token) -> bool:
    return (
        left.at + len(left.text) == right.at
        and all(_NUMBER_PART.match(one.text) for one in (left, right))
        and Sort.TEXT not in (left.sort, right.sort)
    )


def _plain(told: str) -> str:
    """Of separators the last is that of decimals, unless it stands before three digits."""
    *wholes, rest = re.split(r"[.,]", told)
    is_mixed = len({sign for sign in told if sign in ".,"}) > 1
    if is_mixed or len(rest) != 3:
        return f"{''.join(wholes)}.{rest}"
    return "".join((*wholes, rest))


def _window(tokens: Sequence[Token], place: int) -> RuleSyntaxError | None:
    token, following = tokens[place], tokens[min(place + 1, len(tokens) - 1)]
    before = tokens[place - 1] if place and _stands_alone(tokens, place - 1) else None
    if before is not None and before.word in ("last", "past", "this", "previous"):
        if before.word == "last" and token.sort is Sort.NUMBER:
            hint = f"as in `count(event = 'A', last {token.text} days)`; a day is `today - 7 days`"
            return RuleSyntaxError("a window stands inside `count(…)`", before.at, hint)
        return RuleSyntaxError(f"`{before.text} {token.text}` is no window", before.at, A_WINDOW)
    if token.word in ("within", "in") and following.text != "(":
        hint = f"{A_WINDOW}; steps follow each other `within 7 days`"
        return RuleSyntaxError(f"`{token.text}` begins no window", token.at, hint)
    if token.word in ("last", "since", "lifetime") and following.text != ".":
        hint = "inside `count(…)`, as in `count(event = 'A', last 7 days)`"
        return RuleSyntaxError("a window stands behind a comma", token.at, hint)
    return None


def _stands_alone(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word is no part of a path."""
    return place == 0 or tokens[place - 1].text != "."


def _two_words(tokens: Sequence[Token], place: int) -> str | None:
    """A name with a blank in it, of which the second word is found where nothing may stand."""
    if place < 3 or _stands_alone(tokens, place - 1) or tokens[place].sort is not Sort.WORD:
        return None
    root, _, before, token = tokens[place - 3 : place + 1]
    return f'a name of two words is written `{root.text}."{before.text} {token.text}"`'
