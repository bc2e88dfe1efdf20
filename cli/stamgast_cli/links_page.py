"""The reliability of links as rows for a terminal and as a page with the calibration curve."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

SIZE, EDGE = 320, 34
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .2rem .8rem .2rem 0; }
th { text-align: left; font-weight: 600; } svg text { font-size: 11px; fill: #555; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd; } }
"""
CALIBRATED = "calibrated by log-ins"
UNCALIBRATED = "the model's own: no log-ins stand behind them"
AGAIN = "with the next training; now: stamgast links run --train"
Report = Mapping[str, Any]


def summary_of(told: Report) -> list[tuple[str, object]]:
    """What there is to say of one kind, a row each."""
    return list(_summary(told))


def _summary(told: Report) -> Iterator[tuple[str, object]]:
    trained, held_out = told["last_trained"], told["in_use"]
    if trained is None:
        yield "model", "none was ever trained"
        return
    yield "last trained", f"{trained['version']} at {trained['trained_at']:%Y-%m-%d %H:%M} UTC"
    if trained["labels"] is not None:
        yield "labels", f"{trained['labels']}, of which {trained['positives']} one person"
    if trained["abstained_because"]:
        yield ("note" if trained["is_used"] else "abstained"), trained["abstained_because"]
    if not trained["is_used"]:
        yield "tried again", AGAIN
    if held_out:
        yield "in use", held_out["version"]
        yield "probabilities", CALIBRATED if held_out["is_calibrated"] else UNCALIBRATED
    if held_out and "brier" in held_out:
        low, high = held_out["brier_low"], held_out["brier_high"]
        yield "Brier score", f"{held_out['brier']:.4f} ({low:.4f}–{high:.4f})"
        yield "of the base rate", f"{held_out['base_rate_brier']:.4f}"
        if "uncalibrated_brier" in held_out:
            yield "of the scores as they are", f"{held_out['uncalibrated_brier']:.4f}"
        yield "held-out log-ins", held_out["labels"]
        for one in held_out["thresholds"]:
            yield (
                f"from {one['threshold']:.2f}",
                f"precision {_share(one['precision'])}, recall {_share(one['recall'])}",
            )
    yield from told["links"].items()
    if told["since"]:
        since = told["since"]
        stated = f"{since['links']}: stated {since['stated']:.2f}"
        true = f"came true {since['confirmed']:.2f}"
        yield "settled since", f"{stated}, {true}, Brier score {since['brier']:.4f}"


def page_of(told: Mapping[str, Report]) -> str:
    """A page that needs nothing else: a table and a curve for each kind of link."""
    parts = "".join(_section(kind, one) for kind, one in told.items())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Links</title>'
        f"<style>{STYLE}</style><h1>How far links can be trusted</h1>{parts}</html>\n"
    )


def _section(kind: str, told: Report) -> str:
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in summary_of(told)
    )
    curve = (told["in_use"] or {}).get("curve", ())
    return f"<h2>Links of {escape(kind)}s</h2><table>{rows}</table>{_curve(curve)}"


def _curve(bins: Any) -> str:
    """Stated probability against what came true, with 95 % intervals, as SVG."""
    if not bins:
        return ""
    marks = "".join(_mark(one) for one in bins)
    axes = (
        f'<path d="M{EDGE} {EDGE}V{SIZE - EDGE}H{SIZE - EDGE}" fill="none" stroke="#999"/>'
        f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#bbb" stroke-dasharray="4 4"/>'
        f'<text x="{SIZE / 2}" y="{SIZE - 8}" text-anchor="middle">stated probability</text>'
        f'<text x="12" y="{SIZE / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {SIZE / 2})">came true</text>'
    )
    return (
        f'<svg role="img" width="{SIZE}" height="{SIZE}" aria-label="Calibration curve">'
        f"{axes}{marks}</svg>"
    )


def _mark(one: Mapping[str, Any]) -> str:
    x = _x(one["stated"])
    title = f"{one['count']} links, stated {one['stated']:.2f}, came true {one['observed']:.2f}"
    return (
        f'<g><title>{title}</title><path d="M{x} {_y(one["low"])}V{_y(one["high"])}" '
        f'stroke="#2a6f97" stroke-width="1.5"/>'
        f'<circle cx="{x}" cy="{_y(one["observed"])}" r="4" fill="#2a6f97"/></g>'
    )


def _x(share: float) -> float:
    return round(EDGE + share * (SIZE - 2 * EDGE), 1)


def _y(share: float) -> float:
    return round(SIZE - EDGE - share * (SIZE - 2 * EDGE), 1)


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
