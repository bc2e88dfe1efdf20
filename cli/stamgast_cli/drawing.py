"""Pictures for pages: one style, and figures as SVG elements that say what they show."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK, FAINT, LINE = "#1c2430", "#57616f", "#e3e7ed"
HISTORY, LIVE, VIOLET = "#2f5d8a", "#e08a1e", "#5b4b8a"
# What a page calls them, which may be dark; a page that has no such names shows them as drawn.
TOKENS = {INK: "ink", FAINT: "faint", LINE: "line", HISTORY: "blue", VIOLET: "violet"}
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "svg.fonttype": "none",
    "svg.hashsalt": "stamgast",
}


@contextmanager
def axes_of(width: float, height: float, count: int = 1, **more: Any) -> Iterator[Any]:
    """A figure and its axes, side by side, in inches."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots(1, count, **more)


def svg_of(figure: Figure, says: str) -> str:
    """The figure as an SVG element that tells a reader of screens what it `says`.

    The page's style gives it the width of its place. Letters stay text, which the page's own fonts
    draw, so that it does not matter which alphabets matplotlib's font has.
    """
    text = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    element = text.getvalue()
    element = element[element.index("<svg") :]
    for colour, name in TOKENS.items():
        element = element.replace(colour, f"var(--{name}, {colour})")
    told = escape(says, quote=True)
    return element.replace("<svg", f'<svg role="img" aria-label="{told}"', 1)


def thousands(value: float, _place: float = 0) -> str:
    """A number on an axis."""
    return f"{value / 1000:g}k" if abs(value) >= 1000 else f"{value:g}"
