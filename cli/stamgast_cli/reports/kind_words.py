"""The tables of cards of recommendations, discounts, uplift, drivers and clusters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Rows = Sequence[tuple[str, ...]]
Figures = tuple[str, Sequence[str], Rows]
PREDICTS = {
    "recommendation": "what people buy next, within {within_days} days",
    "discount": "which share of what people buy is on discount (as observed, not causal)",
    "uplift": (
        "how much likelier {target} comes within {within_days} days because of the treatment"
        " (causal: of an experiment)"
    ),
    "drivers": "nobody's future: what goes with the outcome of {within_days} days",
    "clusters": "which group of people who are alike somebody belongs to",
}

LEAST_CHANCE = 0.0001
POINTS = "in percentage points"


def bounded(one: Document, places: int) -> str:
    """A figure with its interval."""
    low, high = (f"{one[end]:.{places}f}" for end in ("low", "high"))
    return f"{one['value']:.{places}f} ({_from(low, high)})"


def shared(one: Document) -> str:
    """A share with its interval, in per cent."""
    return f"{one['value']:.1%} ({_from(*(f'{one[end]:.1%}' for end in ('low', 'high')))})"


def pointed(one: Document) -> str:
    """A difference of two shares with its interval, in percentage points."""
    value, low, high = (f"{100 * one[name]:+.1f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _from(low: str, high: str) -> str:
    """An interval; a dash beside a sign of less is read as neither."""
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def named(name: str) -> str:
    """A baseline or a way in words."""
    return name.replace("_", " ").replace("everybodys", "everybody's")


def _chance(p: float) -> str:
    return f"{p:.4f}" if p >= LEAST_CHANCE else f"<{LEAST_CHANCE}"


def recommendation(judgement: Document) -> Iterator[Figures]:
    """How well offers foretold what was bought, beside popularity and re-purchase."""
    number = judgement["number"]
    rows = [
        (
            named(name),
            *(shared(one[key]) for key in ("recall", "ndcg", "hit_rate", "coverage")),
        )
        for name, one in judgement["figures"].items()
    ]
    names = ("by", f"recall@{number}", f"nDCG@{number}", "anything hit", f"coverage@{number}")
    since = f"from {judgement['ranked_on']} on" if "ranked_on" in judgement else "then"
    yield f"Offers to people, judged by what they bought {since}", names, rows
    gains = [
        (named(name), bounded(one, 4), f"{judgement['shares'][name]:.1%}")
        for name, one in judgement["gains"].items()
    ]
    yield "Beside what needs no model", ("baseline", f"nDCG@{number} higher by", "share"), gains
    told = [
        ("people who bought something then", f"{judgement['people']:,}"),
        ("items that enough people had bought", f"{judgement['catalogue']:,}"),
        ("stated probability of what everybody is offered", f"{judgement['stated']:.1%}"),
        ("of that was bought", shared(judgement["observed"])),
    ]
    yield "How true its odds are", ("figure", "value, with 95 %"), told
    ways = list(judgement["figures"])
    cuts = [
        (one["cut_on"], f"{one['people']:,}", *(_at_cut(one["ndcg"], name) for name in ways))
        for one in judgement["cuts"]
    ]
    yield f"nDCG@{number} at each cut-off", ("cut-off", "people", *map(named, ways)), cuts


def _at_cut(figures: Document, name: str) -> str:
    """The figure of a way at a cut-off; the version in use had seen what came after older ones."""
    return f"{figures[name]:.3f}" if name in figures else "–"


def discount(judgement: Document) -> Iterator[Figures]:
    """Shares, their errors, and the elasticity."""
    rows = [
        ("share on discount before the newest cut-off", shared(judgement["share"])),
        ("share on discount after it", shared(judgement["later_share"])),
        (f"in the {judgement['level']:.0%} interval", shared(judgement["coverage"])),
        ("lines of an order that say as much as one", f"{judgement['design_effect']:.2f}"),
    ]
    yield "What was observed", ("figure", "value, with 95 %"), rows
    errors = [
        (named(name), bounded(one, 4), _gain(judgement["gains"].get(name)))
        for name, one in judgement["errors"].items()
    ]
    names = ("by", "squared error a line", "the model's is lower by")
    yield "Each person's share, on purchases that came later", names, errors
    yield "Price and units sold, as observed", ("figure", "value"), _elastic(judgement)


def _gain(one: Document | None) -> str:
    return "–" if one is None else bounded(one, 4)


def _elastic(judgement: Document) -> Rows:
    told = judgement["elasticity"]
    if told["why"] is not None:
        return [("elasticity", f"not stated: {told['why']}")]
    return [
        ("elasticity, with 95 %", bounded(told["elasticity"], 2)),
        ("products, weeks", f"{told['products']:,}, {told['weeks']:,}"),
    ]


def uplift(judgement: Document) -> Iterator[Figures]:
    """The effect, whom it moves, and how well orders of people find them."""
    rows = [
        ("rate of those who held out", f"{judgement['rate_held_out']:.1%}"),
        (f"effect of the treatment on everybody, {POINTS}", pointed(judgement["effect"])),
    ]
    yield "What the treatment did", ("figure", "value, with 95 %"), rows
    orders = [
        (named(name), bounded(one["qini"], 4), bounded(one["auuc"], 4))
        for name, one in judgement["orders"].items()
    ]
    yield "Above random order, on people held out", ("order by", "Qini", "AUUC"), orders
    best = [
        (f"{one['share']:.0%}", f"{one['people']:,}", *map(pointed, (one["effect"], one["gained"])))
        for one in judgement["curve"]
    ]
    names = ("best share", "people", "effect on them", "gained by treating them, of all")
    yield f"Whom to treat (effects {POINTS})", names, best


def drivers(judgement: Document) -> Iterator[Figures]:
    """Every behaviour, the strongest first, and how much they tell out of time."""
    rows = [
        (
            one["feature"],
            f"{one['beta']:+.3f}",
            f"{one['effect']:+.4g} ({one['low']:+.4g} to {one['high']:+.4g})",
            f"{one['low_all']:+.4g} to {one['high_all']:+.4g}",
            _chance(one["q"]),
            _chance(one["p_holm"]),
            "stands" if one["stands"] else "",
        )
        for one in judgement["drivers"]
    ]
    names = (
        *("behaviour", "standardised", "a standard deviation more, with 95 %"),
        *("95 % for all at once", "q", "Holm's p", "5 % false discoveries"),
    )
    yield "What goes with the outcome, all else equal", names, rows
    told = [
        ("people, rows", f"{judgement['people']:,}, {judgement['rows']:,}"),
        ("outcome: mean, standard deviation", _outcome(judgement)),
        ("squared error lower than the mean's by", _gained(judgement["gain"])),
        ("part of the variance told out of time", f"{judgement['r_squared']:.1%}"),
    ]
    yield "On the newest cut-off, told by older ones", ("figure", "value"), told
    tied = [
        (one["feature"], f"{one['inflation']:.1f}", one["goes_with"])
        for one in judgement["drivers"]
        if one["goes_with"] is not None
    ]
    if tied:
        heads = ("behaviour", "variance inflation", "goes most with")
        yield "What can hardly be told apart (collinear)", heads, tied


def _gained(one: Document) -> str:
    """Of money squared four figures say all."""
    return f"{one['value']:.4g} ({one['low']:.4g} to {one['high']:.4g})"


def _outcome(judgement: Document) -> str:
    return f"{judgement['outcome_mean']:.4g}, {judgement['outcome_spread']:.4g}"


def clusters(judgement: Document) -> Iterator[Figures]:
    """Personas, and how many clusters were found again."""
    rows = [
        (
            one["name"],
            f"{one['people']:,}",
            shared(one["share"]),
            "; ".join(_trait(trait) for trait in one["traits"]),
        )
        for one in judgement["personas"]
    ]
    names = ("persona", "people", "share", "typically (median; of others)")
    yield "Personas", names, [*rows, ("none", f"{judgement['fit_none']:,}", "", "too far from all")]
    tried = [
        (str(one["clusters"]), bounded(one["agreement"], 3), f"{one['smallest_share']:.1%}")
        for one in judgement["tried"]
    ]
    heads = ("clusters", "adjusted Rand index of two halves", "smallest")
    yield "How well they are found again", heads, tried
    told = [
        ("variance left within clusters", f"{judgement['within']:.1%}"),
        ("least that single clouds of the same spread leave", f"{judgement['cloud_within']:.1%}"),
        ("people about as near to another cluster", f"{judgement['between']:.1%}"),
    ]
    if "one_hump" in judgement:
        told.append(("chance that some two are one hump, cut", f"{judgement['one_hump']:.3f}"))
    yield "How far apart they are", ("figure", "value"), told
    if judgement.get("beside_rfm"):
        yield _beside_rfm(judgement["beside_rfm"])


def _beside_rfm(told: Document) -> Figures:
    rows = [
        ("people, as they were on", f"{told['people']:,}, {told['cut_on']}"),
        ("told by clusters", shared(told["clusters"])),
        (f"told by {told['cells']} RFM cells", shared(told["rfm_cells"])),
        ("told by clusters beyond RFM cells", shared(told["gain"])),
        ("adjusted Rand index of both", f"{told['agreement']:.3f}"),
    ]
    return "Of the money that came next, beside RFM cells", ("part of the variance", "value"), rows


def _trait(one: Document) -> str:
    if one["median"] is None:
        return f"{one['feature']} unknown"
    others = "unknown" if one["median_of_others"] is None else f"{one['median_of_others']:.4g}"
    return f"{one['feature']} {one['median']['value']:.4g} ({others})"


FIGURES: Mapping[str, Callable[[Document], Iterator[Figures]]] = {
    "recommendation": recommendation,
    "discount": discount,
    "uplift": uplift,
    "drivers": drivers,
    "clusters": clusters,
}
