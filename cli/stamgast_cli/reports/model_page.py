"""A model's card as one self-contained page, with the curves of calibration and of reach."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from stamgast_cli.reports.kind_pictures import pictures
from stamgast_cli.reports.markup import bullets, paragraph, section, style, table
from stamgast_cli.reports.model_facts import facts_of, not_scored
from stamgast_cli.reports.model_words import figures_of

Document = Mapping[str, Any]
NOT_JUDGED = "There are none: it could not be judged, for the reason that its verdict tells above."
CURVES = (
    "Left: what it states against what came true, with 95 % intervals. Right: for how many of the"
    " best-scored it comes true; the dashed line is everybody's rate."
)
CURVES_OF_SEED = (
    "Left: which part it states to be in the seed against the part that is, with 95 % intervals."
    " Right: how many of those who look most like the seed are in it, of people whom it had not"
    " seen; the dashed line is everybody's rate."
)
SIZE, EDGE = 340, 40
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body><main><h1>{title}</h1><p class="lead">{description}</p>{body}</main></body></html>
"""


def page_of(card: Document) -> str:
    """The page of a card."""
    title = escape(card["title"])
    body = "".join(_body(card))
    description = escape(card["description"])
    return PAGE.format(title=title, description=description, style=style(), body=body)


def _body(card: Document) -> Iterator[str]:
    yield section("In short", table(("", ""), facts_of(card).items(), "What it is", left=2))
    judgement = card["report"].get("judgement")
    if judgement and "reliability" in judgement:
        yield section(
            "How far to believe it",
            paragraph(CURVES_OF_SEED if card["kind"] == "look_alike" else CURVES),
            f'<div class="tiles">{_calibration(judgement)}{_reach(judgement)}</div>',
        )
    elif judgement:
        told = [text for one in pictures(card["kind"], judgement) for text in one]
        if told:
            yield section("How far to believe it", *told)
    if card["report"].get("judgement", {}).get("words"):
        yield section("In words", bullets(card["report"]["judgement"]["words"]))
    tables = [table(names, rows, title) for title, names, rows in figures_of(card)]
    yield section("Figures", *(tables or [paragraph(NOT_JUDGED)]), is_long=True)
    yield section("Who must not be scored", bullets(not_scored(card)))
    yield section("Limits", bullets(_limits(card)))
    features = table(("feature", "expression"), card["features"].items(), "Features", left=2)
    if not card["features"]:
        features = paragraph("What each person bought, and when.")
    yield section("What it knows of a person", features, is_long=True)


def _limits(card: Document) -> Iterator[str]:
    yield from card["limits"]
    constant = card["report"].get("constant")
    if constant:
        yield f"Left out, for they say the same of everybody: {', '.join(constant)}."
    telling = card["report"].get("telling")
    if telling:
        yield f"Left out, for each tells the seed by itself: {', '.join(telling)}."
    if card["report"].get("uncompared"):
        yield card["report"]["uncompared"]
    for leak in card["report"].get("leaks", ()):
        told = "Allowed by hand, though suspected" if leak["is_allowed"] else "Leaks"
        yield f"{told}: {leak['why']}."
    for one in card["report"].get("questions", ()):
        yield (
            f"To ask: {one['why']}. If it was not known at the cut-off, it is a leak: take it out."
            f" If it was, say `allow: [{one['feature']}]` and it is asked no more."
        )


def _calibration(judgement: Document) -> str:
    curve = judgement["reliability"]["curve"]
    marks = (
        f'<path d="M{_x(one["stated"])} {_y(one["low"])}V{_y(one["high"])}" stroke="var(--blue)"/>'
        f'<circle cx="{_x(one["stated"])}" cy="{_y(one["observed"])}" r="4" fill="var(--blue)"/>'
        for one in curve
    )
    line = _line([(0.0, 0.0), (1.0, 1.0)], dashed=True)
    return _picture("Stated against observed", "stated", "came true", [line, *marks])


def _reach(judgement: Document) -> str:
    told, base = judgement["ranking"]["reach"], judgement["ranking"]["base_rate"]
    marks = (
        f'<path d="M{_x(one["share"])} {_y(one["precision"]["low"])}'
        f'V{_y(one["precision"]["high"])}" stroke="var(--blue)"/>'
        for one in told
    )
    curve = _line([(one["share"], one["precision"]["value"]) for one in told])
    line = _line([(0.0, base), (1.0, base)], dashed=True)
    return _picture("Precision by reach", "best share", "precision", [line, *marks, curve])


def _line(points: list[tuple[float, float]], *, dashed: bool = False) -> str:
    path = "L".join(f"{_x(x)} {_y(y)}" for x, y in points)
    look = 'stroke="var(--rule)" stroke-dasharray="4 4"' if dashed else 'stroke="var(--blue)"'
    return f'<path d="M{path}" fill="none" {look} stroke-width="2"/>'


def _picture(title: str, x: str, y: str, marks: Iterable[str]) -> str:
    middle = SIZE / 2
    ticks = "".join(
        f'<text x="{_x(one)}" y="{SIZE - EDGE + 14}" text-anchor="middle">{one:g}</text>'
        f'<text x="{EDGE - 5}" y="{_y(one) + 4}" text-anchor="end">{one:g}</text>'
        for one in (0.0, 0.5, 1.0)
    )
    return (
        f'<svg role="img" aria-label="{title}" width="{SIZE}" viewBox="0 0 {SIZE} {SIZE}"'
        ' font-size="11" fill="var(--faint)">'
        f'<path d="M{EDGE} {EDGE}V{SIZE - EDGE}H{SIZE - EDGE}" fill="none" stroke="var(--rule)"/>'
        f"{ticks}{''.join(marks)}"
        f'<text x="{middle}" y="{EDGE - 14}" text-anchor="middle" font-weight="600">{title}</text>'
        f'<text x="{middle}" y="{SIZE - 6}" text-anchor="middle">{x}</text>'
        f'<text x="10" y="{middle}" text-anchor="middle" transform="rotate(-90 10 {middle})">{y}'
        "</text></svg>"
    )


def _x(share: float) -> float:
    return round(EDGE + share * (SIZE - 2 * EDGE), 1)


def _y(share: float) -> float:
    return round(SIZE - EDGE - share * (SIZE - 2 * EDGE), 1)
