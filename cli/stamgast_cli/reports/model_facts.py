"""What a model is and whether it may be used, from its card, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from stamgast_cli.reports.kind_words import PREDICTS

Document = Mapping[str, Any]
LEAST_SHARE = 0.001
SUSPECTED = "suspected of "
"""How the reason begins of a version that is kept out for a feature, whatever its figures."""
NUMBERS = (
    "nothing at any cut-off that is learnt of. A number of a file is a text, unless `formats` of"
    " its mapping says how it is spelt"
)


def facts_of(card: Document) -> dict[str, str]:
    """What the model is, and whether it may be used."""
    told = {
        "model": card["title"],
        "predicts": predicts(card),
        "of": card["population"] or "everybody",
        "must not be scored": " ".join(not_scored(card)),
        "as of": card["as_of"],
        "learnt from": f"{_cut_offs(card)}, {card['history_days']} days of history",
        **_known_then(card.get("known")),
        "verdict": verdict_of(card),
    }
    if "state" in card:
        told["version"] = f"{card['version']}, {card['state'].replace('_', ' ')}"
    report = card["report"]
    allowed = [one["feature"] for one in report.get("leaks", ()) if one["is_allowed"]]
    if allowed:
        told["allowed, though suspected of knowing the outcome"] = ", ".join(allowed)
    asked = [one["feature"] for one in report.get("questions", ())]
    if asked:
        told["to ask: was it known at the cut-off?"] = ", ".join(asked)
    if report.get("unknown"):
        told["known of nobody"] = f"{', '.join(report['unknown'])}: {NUMBERS}"
    if currencies := report.get("currencies"):
        paid = ", ".join(f"{many:,} people in {name}" for name, many in currencies.items())
        own = f"each one's own currency: {paid}"
        told["amounts are in"] = own if len(currencies) > 1 else next(iter(currencies))
    told |= _unconverted(card.get("amounts"))
    if arms := report.get("arms"):
        told["experiment"] = (
            f"{arms['treated']:,} people treated, {arms['held_out']:,} held out;"
            f" {arms['in_both']:,} in both arms, left out"
        )
    if "positives" in report:
        told["people"] = f"{report['people']:,}; {_came_to(card['kind'], report['positives'])}"
    return told


def verdict_of(card: Document) -> str:
    """Whether it may be used; else that it could not be judged, or was judged and is kept out."""
    if card["is_used"]:
        return "may be used"
    why = str(card["why"])
    if "judgement" not in card["report"]:
        return f"abstains: {why}"
    return f"kept out, {why}" if why.startswith(SUSPECTED) else f"kept out: {why}"


def _unconverted(amounts: Document | None) -> dict[str, str]:
    """Of people who pay in several currencies, which amounts are known of whom."""
    if not amounts or len(amounts["people"]) < 2:
        return {}
    own, people = amounts["currency"], amounts["people"]
    others = ", ".join(f"{many:,} in {name}" for name, many in people.items() if name != own)
    names = ", ".join(amounts["features"])
    told = f"{own}; of people who pay otherwise ({others}) orders are counted, and unknown are"
    return {"amounts among features are in": f"{told}: {names}"}


def _known_then(known: Document | None) -> dict[str, str]:
    """How much of what happened before the newest cut-off had come by then."""
    if not known or not known["events"]:
        return {}
    told = f"of {known['events']:,} events of the {known['days']} days before {known['cut_on']}"
    late, loaded = (known[name] for name in ("late", "loaded"))
    if late:
        told += f" {_part(late, known)} came more than a day after it: scoring then lacked them"
    if loaded:
        told += f"{';' if late else ''} {_part(loaded, known)} were loaded later as history: nobody"
        told += " can tell which were known then"
    told = told if late or loaded else f"{told} all had come by then"
    return {"known at the cut-off": f"{told}{_joined_since(known)}"}


def _joined_since(known: Document) -> str:
    """Of cards that are older than these words nothing is said."""
    if not known.get("joined"):
        return ""
    way = "and are as many here" if known["are_apart"] else "and are one here as they are now"
    return f"; {known['joined']:,} people were known as several then, {way}"


def _part(events: int, known: Document) -> str:
    share = events / known["events"]
    if events == known["events"]:
        return "all"
    return f"{share:.1%}" if share >= LEAST_SHARE else f"{events:,}"


def _came_to(kind: str, positives: int) -> str:
    if kind == "look_alike":
        return f"{positives:,} of them are in the seed"
    return f"the outcome came {positives:,} times"


def _cut_offs(card: Document) -> str:
    many = len(card["learnt_on"])
    return f"{many} cut-off" if many == 1 else f"{many} cut-offs"


def not_scored(card: Document) -> Sequence[str]:
    """Who is not scored; cards that are older than these words say it by their declaration."""
    told: Sequence[str] = card.get("not_scored") or [
        f"{name}: {card.get(name) or 'none'}" for name in ("purpose", "exclude")
    ]
    return told


def predicts(card: Document) -> str:
    """One sentence about the target."""
    days = f"within {card['within_days']} days"
    if card["kind"] in PREDICTS:
        return PREDICTS[card["kind"]].format(**card)
    match card["kind"]:
        case "churn" if card.get("is_contractual"):
            return f"that something comes {days} that passes {card['target']}"
        case "churn":
            return f"that nothing comes {days} that passes {card['target']}"
        case "lifetime_value":
            return f"the revenue of orders {days}"
        case "look_alike":
            return f"how much people outside segment {card['seed']} resemble those inside"
    return f"that something comes {days} that passes {card['target']}"
