"""The parts of a page: tables, tiles and marks of intervals, every text of the data escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from math import log2
from pathlib import Path

WIDTH, HEIGHT, REACH = 170, 18, 3.0


def style() -> str:
    """The style sheet that pages carry within them."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def section(title: str, *parts: str, is_long: bool = False) -> str:
    """A section of a page; a long one may break between two sheets of paper."""
    kind = ' class="long"' if is_long else ""
    return f"<section{kind}><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str, *, is_note: bool = False) -> str:
    """A paragraph of plain text."""
    kind = ' class="note"' if is_note else ""
    return f"<p{kind}>{escape(text)}</p>"


def bullets(texts: Iterable[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def tiles(told: Iterable[tuple[str, str]]) -> str:
    """Large figures, each with what it is."""
    shown = "".join(
        f'<div class="tile"><b>{escape(figure)}</b><span>{escape(name)}</span></div>'
        for figure, name in told
    )
    return f'<div class="tiles">{shown}</div>'


def table(
    names: Sequence[str], rows: Iterable[Sequence[str]], caption: str, *, left: int = 1
) -> str:
    """A table; its first `left` columns are words. A cell that begins with `<svg` is a picture."""
    head = "".join(_cell("th", name, place < left) for place, name in enumerate(names))
    body = "".join(
        "<tr>" + "".join(_cell("td", cell, n < left) for n, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(tag: str, text: str, is_left: bool) -> str:
    kind = ' class="left"' if is_left else ""
    scope = ' scope="col"' if tag == "th" else ""
    return f"<{tag}{scope}{kind}>{text if text.startswith('<svg role') else escape(text)}</{tag}>"


def interval(lift: float | None, low: float | None, high: float | None) -> str:
    """A lift and its interval on a logarithmic line from an eighth to eight times; 1 is marked."""
    if lift is None or low is None or high is None:
        return ""
    left, right, at = _x(low), _x(high), _x(lift)
    return (
        f'<svg role="img" aria-label="{low:.2f} to {high:.2f}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="M{WIDTH / 2} 0V{HEIGHT}" stroke="var(--rule)" stroke-dasharray="2 2"/>'
        f'<path d="M{left} {HEIGHT / 2}H{right}" stroke="var(--blue)" stroke-width="2"/>'
        f'<circle cx="{at}" cy="{HEIGHT / 2}" r="4" fill="var(--blue)"/></svg>'
    )


def _x(lift: float) -> float:
    """Where a lift stands; beyond the ends of the line it stands at its end."""
    place = log2(lift) if lift > 0 else -REACH
    return round(WIDTH / 2 * (1 + max(-REACH, min(REACH, place)) / REACH), 1)


def meter(part: float | None) -> str:
    """A share as a bar."""
    if part is None:
        return ""
    return (
        f'<svg role="img" aria-label="{part:.1%}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect y="5" width="{WIDTH}" height="8" rx="4" fill="var(--line)"/>'
        f'<rect y="5" width="{round(WIDTH * min(1.0, part), 1)}" height="8" rx="4"'
        ' fill="var(--blue)"/></svg>'
    )
