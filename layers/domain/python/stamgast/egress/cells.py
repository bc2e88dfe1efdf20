"""CSV that no spreadsheet takes for a formula (OWASP, CSV Injection; RFC 4180).

A cell that begins with a sign by which a formula can begin gets an apostrophe before it, numbers
with a sign included; every cell stands in quotes, so that none can end early and begin another.
"""

import re
from collections.abc import Iterable

# The signs of OWASP's list, their full-width and small forms, and what may hide before them.
FORMULA = re.compile(r"[\s\ufeff\u200b-\u200f\u2060]*[=+\-@＝＋－＠﹦﹢﹣﹫−\t\r\n]")
LINE_END = "\r\n"


def cell(value: object) -> str:
    """One quoted cell; of None an empty one."""
    text = "" if value is None else _spelled(value)
    safe = f"'{text}" if FORMULA.match(text) else text
    return '"' + safe.replace('"', '""') + '"'


def line(values: Iterable[object]) -> str:
    """One line of the file, its end included."""
    return ",".join(map(cell, values)) + LINE_END


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    # A NUL ends a text for some readers, who would see another cell than others do.
    return str(value).replace("\0", "")
