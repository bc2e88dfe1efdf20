"""Where a value found in a text stands for itself and is no part of a longer identifier.

Letters, digits and marks of any script go on, and so do `_ - . + @`; dots that end a sentence do
not. Neighbours are read as what they spell: escapes of JSON at any depth, and percent-encoding.
"""

import re
from unicodedata import category
from urllib.parse import unquote

NEAR = 64
JOINERS = frozenset("_-.+@")
QUOTES = frozenset("\"'")
CODED = re.compile(r"\\+u([0-9a-f]{4})(?:\\+u(d[c-f][0-9a-f]{2}))?", re.IGNORECASE)
BLANK = re.compile(r"\\+[nrtbf]", re.IGNORECASE)
ESCAPED = re.compile(r"\\+(?=[\"'/])")
PERCENT = re.compile(r"%(?:25)+(?=[0-9a-f]{2})", re.IGNORECASE)
OPENED = re.compile(r"[nrtbf]|u[0-9a-f]{4}", re.IGNORECASE)
HEX = re.compile(r"[0-9a-f]{2}", re.IGNORECASE)


def stands_alone(before: str, value: str, after: str) -> bool:
    """Whether a value between these texts is a mention of itself, not a part of another."""
    if _is_in_escape(before, value):
        return False
    if value.startswith("\\"):  # of an escape in an escape the value has the last signs alone
        before = before.rstrip("\\")
    left, right = plain(before), plain(after)
    if left and _goes_on(left[-1]):
        return False
    beyond = right.lstrip(".")
    if beyond and _goes_on(beyond[0]):
        return False
    return beyond == right or not _is_whole(left, beyond) or "@" in plain(value)


def plain(text: str) -> str:
    """A text without its escapes: what they spell, a blank for a line's end."""
    if "\\" in text:
        text = ESCAPED.sub("", BLANK.sub(" ", CODED.sub(_spelled, text)))
    return unquote(PERCENT.sub("%", text)) if "%" in text else text


def _is_in_escape(before: str, value: str) -> bool:
    """Whether the value's first characters belong to an escape that opens before it."""
    if before.endswith("\\"):
        return OPENED.match(value) is not None
    return before.endswith("%") and HEX.match(value) is not None


def _is_whole(left: str, beyond: str) -> bool:
    """Whether the value and its dots are all that a cell or a quoted text holds."""
    return (not left or left[-1] in QUOTES) and (not beyond or beyond[0] in QUOTES)


def _goes_on(sign: str) -> bool:
    return sign in JOINERS or sign.isalnum() or category(sign)[0] == "M"


def _spelled(found: re.Match[str]) -> str:
    high, low = int(found[1], 16), found[2]
    if low is None:
        return chr(high)
    if 0xD800 <= high < 0xDC00:
        return chr(0x10000 + ((high - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return chr(high) + chr(int(low, 16))
