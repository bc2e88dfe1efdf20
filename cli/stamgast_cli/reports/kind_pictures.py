"""Pictures of cards without a calibration curve: figures with intervals, one below another."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from stamgast_cli.reports.kind_words import named
from stamgast_cli.reports.markup import paragraph

Document = Mapping[str, Any]
Row = tuple[str, float, float, float]
WIDTH, LABEL, LINE, EDGE = 680, 260, 22, 30
MOST = 15
LONGEST = 36
"""Letters of a label that stand beside a mark; the whole is told by the pointer and the table."""


def pictures(kind: str, judgement: Document) -> Iterator[tuple[str, str]]:
    """Each picture of a card, after what it shows."""
    match kind:
        case "lifetime_value":
            told = [_row(name, one["mae"]) for name, one in judgement["errors"].items()]
            note = "How far off a customer's money was, on average, with 95 %."
            yield _told(note, "Error by way of telling", told, "mean absolute error")
        case "recommendation":
            told = [_row(name, one["ndcg"]) for name, one in judgement["figures"].items()]
            yield _told("nDCG of offers, with 95 %.", "nDCG by way of offering", told, "nDCG")
        case "discount":
            told = [
                _row("before the newest cut-off", judgement["share"]),
                _row("after it", judgement["later_share"]),
            ]
            note = "Which share was on discount, with 95 %."
            yield _told(note, "Share on discount", told, "share of lines")
        case "uplift":
            told = [_row(f"best {one['share']:.0%}", one["effect"]) for one in judgement["curve"]]
            note = "The effect on the best-scored, who were held out of learning; dashed is none."
            yield _told(note, "Effect by share of people", told, "outcomes more, a person", at=0.0)
        case "drivers":
            told = [
                (one["feature"], one["effect"], one["low_all"], one["high_all"])
                for one in judgement["drivers"]
            ]
            note = (
                "A standard deviation more of each, all else equal, with 95 % for all at once;"
                " dashed is no difference."
            )
            yield _told(note, "What goes with the outcome", told, "of the outcome, more", at=0.0)
        case "clusters":
            told = [
                _row(f"{one['clusters']} clusters", one["agreement"]) for one in judgement["tried"]
            ]
            note = "How well two halves agree on each number of clusters; 1 is the same clusters."
            yield _told(note, "How well found again", told, "adjusted Rand index", at=1.0)


def _row(label: str, one: Document) -> Row:
    return named(label), one["value"], one["low"], one["high"]


def _told(
    note: str, title: str, rows: Sequence[Row], axis: str, at: float | None = None
) -> tuple[str, str]:
    return paragraph(note), intervals(title, rows, axis, at)


def intervals(title: str, rows: Sequence[Row], axis: str, at: float | None) -> str:
    """Figures with their intervals on one line of numbers, named `axis`; `at` is marked."""
    shown = rows[:MOST]
    ends = [end for _, _, low, high in shown for end in (low, high)] + ([] if at is None else [at])
    low, high = min(ends), max(ends)
    spread = (high - low) or 1.0

    def x(value: float) -> float:
        return round(LABEL + (value - low) / spread * (WIDTH - LABEL - EDGE), 1)

    height = LINE * (len(shown) + 2) + EDGE
    marks = "".join(_mark(place, row, x) for place, row in enumerate(shown))
    ticks = "".join(
        f'<text x="{x(one)}" y="{height - LINE - 8}" text-anchor="middle">{one:.3g}</text>'
        for one in (low, low + spread / 2, high)
    )
    dashed = "" if at is None else _dashed(x(at), height - LINE - EDGE)
    named_axis = (
        f'<text x="{x(low + spread / 2)}" y="{height - 8}" text-anchor="middle">'
        f"{escape(axis)}</text>"
    )
    return (
        f'<svg role="img" aria-label="{escape(title)}" width="{WIDTH}"'
        f' viewBox="0 0 {WIDTH} {height}" font-size="12" fill="var(--faint)">'
        f'<text x="0" y="14" font-weight="600">{escape(title)}</text>{dashed}{marks}{ticks}'
        f"{named_axis}</svg>"
    )


def _dashed(x: float, until: int) -> str:
    return f'<path d="M{x} {LINE}V{until}" stroke="var(--rule)" stroke-dasharray="4 4"/>'


def _mark(place: int, row: Row, x: Any) -> str:
    label, value, low, high = row
    y = LINE * (place + 1) + LINE // 2
    shown = label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"
    return (
        f'<text x="0" y="{y + 4}">{escape(shown)}<title>{escape(label)}</title></text>'
        f'<path d="M{x(low)} {y}H{x(high)}" stroke="var(--blue)" stroke-width="2"/>'
        f'<circle cx="{x(value)}" cy="{y}" r="4" fill="var(--blue)"/>'
    )
