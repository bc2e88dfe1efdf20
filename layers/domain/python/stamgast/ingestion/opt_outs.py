"""The signals by which a browser says no to everybody: notes on each event of its request.

Global Privacy Control (W3C, https://w3c.github.io/gpc) and Do Not Track (W3C, 2019) are headers
with the value 1. What a signal refuses is the workspace's word, when the event is interpreted.
"""

from collections.abc import Mapping

NOTE = "opt_out:"
HEADERS = {"sec-gpc": "gpc", "dnt": "dnt"}


def opt_outs_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The notes that a request's headers call for; header names are in lower case."""
    said = (signal for name, signal in HEADERS.items() if headers.get(name, "").strip() == "1")
    return tuple(NOTE + signal for signal in said)
