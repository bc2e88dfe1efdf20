"""A model's card as rows of words, the same on a terminal and on a page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stamgast_cli.reports.kind_words import FIGURES, bounded, named, shared

Document = Mapping[str, Any]
Rows = Sequence[tuple[str, ...]]
Figures = tuple[str, Sequence[str], Rows]
SHIFTED = 0.25
REALISED = {
    **dict.fromkeys(("propensity", "churn", "recommendation"), ("Brier score", "brier")),
    "uplift": ("people held out", "held_out"),
}
NEWEST = 10
"""Of runs in a table."""


def figures_of(card: Document) -> Iterator[Figures]:
    """Every table of the card: title, names of columns, rows."""
    yield from _judged(card)
    if card.get("drift"):
        yield _moved(card["drift"])
    if card.get("realised"):
        yield _realised(card)


def _judged(card: Document) -> Iterator[Figures]:
    judgement = card["report"].get("judgement")
    if judgement is None:
        return
    if card["kind"] == "lifetime_value":
        yield from _of_values(judgement)
        return
    if card["kind"] in FIGURES:
        yield from FIGURES[card["kind"]](judgement)
        return
    yield _ranking(judgement)
    yield _trust(judgement)
    yield _baselines(judgement)
    yield _reach(judgement)
    yield _cuts(judgement)
    yield _weak(judgement)
    drift = (card.get("now") or {}).get("drift")
    if drift:
        yield _drift(drift)


def _ranking(judgement: Document) -> Figures:
    order, on = judgement["ranking"], judgement.get("ranked_on")
    rows = [
        ("area under the curve", bounded(order["auc"], 3)),
        ("average precision", bounded(order["average_precision"], 3)),
        ("base rate", shared(order["base"]) if "base" in order else f"{order['base_rate']:.1%}"),
    ]
    title = f"How it orders people not seen, on {on}" if on else "How it orders people not seen"
    return title, ("figure", "value, with 95 %"), rows


def _trust(judgement: Document) -> Figures:
    trust = judgement["reliability"]
    rows = [
        (
            "Brier score",
            f"{trust['brier']:.4f} ({trust['brier_low']:.4f}–{trust['brier_high']:.4f})",
        ),
        (
            "stated less what came",
            f"{trust['off']:+.4f} ({trust['off_low']:+.4f} to {trust['off_high']:+.4f})",
        ),
        ("mean distance of the calibration curve", f"{trust['calibration_error']:.3f}"),
    ]
    return (
        "How true its odds are, on people and days not seen",
        ("figure", "value, with 95 %"),
        rows,
    )


def _baselines(judgement: Document) -> Figures:
    rows = [
        (
            named(name),
            bounded(one["brier"], 4),
            bounded(one["auc"], 3),
            bounded(one["gain"], 4),
            shared(one["relative"]) if "relative" in one else f"{one['share']:.1%}",
        )
        for name, one in judgement["baselines"].items()
    ]
    names = ("baseline", "Brier score", "area", "the model's is lower by", "share")
    return "Beside what needs no model", names, rows


def _reach(judgement: Document) -> Figures:
    rows = [
        (
            f"{one['share']:.0%}",
            f"{one['people']:,}",
            bounded(one["precision"], 3),
            shared(one["recall"]),
            f"×{bounded(one['lift'], 1)}",
        )
        for one in judgement["ranking"]["reach"]
    ]
    return "Reach against precision", ("best share", "people", "precision", "recall", "lift"), rows


def _cuts(judgement: Document) -> Figures:
    rows = [
        (
            one["cut_on"],
            f"{one['people']:,}",
            f"{one['base_rate']:.1%}",
            bounded(one["brier"], 4),
            _measure(one["auc"]),
            _measure(one.get("best_tenth")),
        )
        for one in judgement["cuts"]
    ]
    names = ("cut-off", "people", "base rate", "Brier score", "area", "came in the best tenth")
    return "At each cut-off", names, rows


def _measure(one: Document | None) -> str:
    """A figure with its bounds, of three digits; versions of before may lack it."""
    return "–" if one is None else bounded(one, 3)


def _weak(judgement: Document) -> Figures:
    rows = [
        (
            _range(one),
            f"{one['people']:,}",
            f"{one['brier']:.4f}",
            f"{one['base_rate_brier']:.4f}",
            bounded(one["worse"], 4) if "worse" in one else "–",
        )
        for one in judgement["weak"]
    ] or [("none beyond chance", *4 * ("–",))]
    names = ("group", "people", "Brier score", "of its own base rate", "worse by")
    return "Where it is worse than the group's own base rate", names, rows


def _range(one: Document) -> str:
    low = "" if one["low"] is None else f"{one['low']:g} < "
    high = "" if one["high"] is None else f" ≤ {one['high']:g}"
    return f"{low}{one['feature']}{high}" if low or high else f"{one['feature']} unknown"


def _drift(drift: Document) -> Figures:
    told = {"the score": drift["score"], **drift["features"]}
    moved = sorted(told.items(), key=lambda item: -item[1])[:8]
    rows = [(name, f"{psi:.3f}", "shifted" if psi > SHIFTED else "") for name, psi in moved]
    return "Drift since what was learnt of (PSI)", ("feature", "index", ""), rows


def _moved(runs: Sequence[Document]) -> Figures:
    """How far people, and what is said of them, moved since the version was trained."""
    rows = [
        (
            one["scored_on"],
            f"{one['people']:,}",
            "–" if one["mean"] is None else f"{one['mean']:.4g}",
            f"{one['score']:.3f}",
            "" if one.get("since_before") is None else f"{one['since_before']:.3f}",
            _most_moved(one["features"]),
            "shifted" if one["is_shifted"] else "",
        )
        for one in runs[-NEWEST:]
    ]
    before = "the score of the version before"
    names = ("scored on", "people", "mean", "the score", before, "the feature that moved most", "")
    return "Since it was trained (PSI)", names, rows


def _most_moved(features: Document) -> str:
    if not features:
        return "–"
    name, index = max(features.items(), key=lambda item: item[1])
    return f"{name} {index:.3f}"


def _realised(card: Document) -> Figures:
    """Stated against what came, of scores whose window has passed."""
    error, measure = REALISED.get(card["kind"], ("mean absolute error", "mean_absolute_error"))
    rows = [
        (
            one["scored_on"],
            f"{one['people']:,}",
            _figure(one["stated"]),
            _came(one),
            _within(one, measure),
            _figure(one["bands"].get("very_high", {}).get("came")),
        )
        for one in card["realised"][-NEWEST:]
    ]
    names = ("scored on", "people", "stated", "came", error, "came in the top band")
    return "What came true of its scores", names, rows


def _came(one: Document) -> str:
    """What came; of an experiment the difference between its arms, with 95 %."""
    if one.get("low") is None:
        return _within(one, "came")
    return f"{one['came']:+.4g} ({one['low']:+.4g} to {one['high']:+.4g})"


def _within(one: Document, name: str) -> str:
    """A figure with its bounds, where there are any."""
    low, high = one.get(f"{name}_low"), one.get(f"{name}_high")
    told = _figure(one.get(name))
    return told if low is None or high is None else f"{told} ({low:.4g}–{high:.4g})"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


COMPARED = ("version", "state", "trained at", "how good", "why")


def compared(one: Document) -> tuple[str, ...]:
    """A version among others."""
    at = str(one["trained_at"])[:16]
    return one["version"], one["state"], at, how_good(one["metrics"]), one["why"] or ""


def how_good(metrics: Document) -> str:
    """The few figures that versions are compared by, in words."""
    told = [
        f"{name.replace('_', ' ')} {value:.4g}"
        for name, value in metrics.items()
        if isinstance(value, int | float)
    ]
    told += [
        f"{share:.1%} better than {name.replace('_', ' ')}"
        for name, share in metrics.get("better_than", {}).items()
    ]
    return ", ".join(told)


def _of_values(judgement: Document) -> Iterator[Figures]:
    rows = [
        (
            named(name) + (" (chosen)" if name == judgement["chosen"] else ""),
            bounded(one["mae"], 2),
            bounded(one["rmse"], 2),
            "–" if one["total_ratio"] is None else bounded(one["total_ratio"], 3),
        )
        for name, one in judgement["errors"].items()
    ]
    names = ("subject", "mean absolute error", "root mean square", "total stated / came")
    yield "Errors a customer, on money that came later", names, rows
    yield from _came_by_part(judgement.get("curve", ()))
    told = [
        ("customers", f"{judgement['customers']:,}"),
        (f"in the {judgement['level']:.0%} interval", shared(judgement["coverage"])),
        ("correlation of spend and frequency", f"{judgement['correlation']:.3f}"),
    ]
    yield "How true its intervals are", ("figure", "value"), told


def _came_by_part(curve: Sequence[Document]) -> Iterator[Figures]:
    """Stated beside what came, by tenths of customers; versions of before may lack it."""
    rows = [
        (f"{one['people']:,}", f"{one['stated']:.2f}", bounded(one["came"], 2)) for one in curve
    ]
    if rows:
        yield "Stated against what came", ("customers", "stated, mean", "came, mean"), rows
