"""CSV that no spreadsheet takes for a formula (OWASP, CSV Injection; RFC 4180).

A cell that begins with a sign by which a formula can begin gets an apostrophe before it, numbers
with a sign included; every cell stands in quotes, so that none can end early and begin another.
"""

from collections.abc import Iterable
from unicodedata import category

# The signs of OWASP's list with their full-width and small forms.
SIGNS = frozenset("=+-@＝＋－＠﹦﹢﹣﹫−\t\r\n")
# Categories C and Z of Unicode: what a spreadsheet may not show can hide a sign behind it.
HIDDEN = frozenset("CZ")
LINE_END = "\r\n"


def cell(value: object) -> str:
    """One quoted cell; of None an empty one."""
    text = "" if value is None else _spelled(value)
    safe = f"'{text}" if _begins_a_formula(text) else text
    return '"' + safe.replace('"', '""') + '"'


def line(values: Iterable[object]) -> str:
    """One line of the file, its end included."""
    return ",".join(map(cell, values)) + LINE_END


def _begins_a_formula(text: str) -> bool:
    for sign in text:
        if sign in SIGNS:
            return True
        if category(sign)[0] not in HIDDEN:
            return False
    return False


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    # A NUL ends a text for some readers, who would see another cell than others do.
    return str(value).replace("\0", "")
