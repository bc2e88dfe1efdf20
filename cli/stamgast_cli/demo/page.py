"""The report as one self-contained page: no script, no font and no picture from elsewhere."""

from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from stamgast_cli.demo.pictures import PICTURES
from stamgast_cli.explain.words import pair_of, support_of

TEMPLATE = Path(__file__).with_name("report.html")
SHOWN_EVENTS = 24
ORDER = ["user_id", "loyalty_card", "email", "phone", "payment_token", "device_id", "anonymous_id"]


def write_page(report: dict[str, Any], file: Path) -> None:
    """Writes the page of a report."""
    parts = {f"picture_{name}": draw(report) for name, draw in PICTURES.items()}
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    file.write_text(template.substitute(_texts(report) | parts), encoding="utf-8")


def _texts(report: dict[str, Any]) -> dict[str, str]:
    events, persons = report["events"], report["persons"]
    seen = report["live"]["seen_after_ms"]
    last = datetime.fromisoformat(report["last_purchase_at"])
    return {
        "about": escape(report["about"]),
        "households": f"{report['households']:,}",
        "live_households": f"{report['live_households']:,}",
        "span": "a year" if report["are_files_whole"] else "ten months",
        "shift": f"{report['shift_weeks']:,}",
        "last_purchase": f"{last:%A %-d %B %Y}",
        "days_since": str(report["days_since_last_purchase"]),
        "sent": f"{events['sent']:,}",
        "sent_live": f"{report['sent_live']:,}",
        "sum": escape(_sum_of(events)),
        "is_conserved": "and it adds up" if events["is_conserved"] else "and it does NOT add up",
        "reasons": _pills({k.replace("_", " "): f"{v:,}" for k, v in events["reasons"].items()}),
        "revenue": f"{report['revenue']['total_minor'] / 100:,.0f}",
        "persons": f"{persons['persons']:,}",
        "exact": f"{persons['exact']:,}",
        "precision": f"{persons['precision']:.2%}",
        "recall": f"{persons['recall']:.2%}",
        "identifiers": f"{persons['identifiers']:,}",
        "shared": f"{persons['shared_identifiers']:,}",
        "p50": f"{report['lookup_ms']['p50']:.1f}",
        "p99": f"{report['lookup_ms']['p99']:.1f}",
        "lookups": f"{report['lookup_ms']['count']:,}",
        "seen": f"{seen['p50'] / 1000:.1f} s" if seen else "–",
        "seconds": f"{report['seconds']:.0f}",
        **_health(report["health"], report["explained"]),
        **_groups(report["segments"]),
        "person": _person(report["person"]["profile"]),
        "timeline": _timeline(report["person"]["timeline"]),
        **_verdict(report["verification"]),
        "models": _models(report.get("models", [])),
    }


NO_MODELS = (
    "<section><h2>What models say</h2><p>None was trained in this run: <code>stamgast demo --models"
    "</code> trains those of the workspace on these purchases, and says here how good each is on"
    " days and people not seen, or why it abstains.</p></section>"
)


def _models(told: list[dict[str, Any]]) -> str:
    """A section on models: how good they are, or how to train them."""
    if not told:
        return NO_MODELS
    rows = [
        [
            one["title"],
            one["state"].replace("_", " "),
            one["how_good"],
            one["why"] or "",
            f"{one['people']:,}",
        ]
        for one in told
    ]
    head = (
        "<tr><th>model</th><th>state</th><th>on days not seen</th><th>why</th><th>scored</th></tr>"
    )
    return (
        "<section><h2>What models say, and how good they are</h2><p>Each was judged on days, and"
        ' people, that it had not seen, beside what needs no model.</p><table class="plain">'
        f"{head}{_rows(rows)}</table></section>"
    )


def _health(health: dict[str, Any], explained: dict[str, Any]) -> dict[str, str]:
    drift, weakest = health["drift"], explained["weakest"]
    return {
        "largest": f"{health['largest_person']:,}",
        "sampled": f"{drift['sampled']:,}",
        "drifting": f"{drift['drifting']:,}",
        "spaces": _pills(
            {
                name.replace("_", " "): f"{one['identifiers']:,} in {one['persons']:,} persons"
                for name, one in sorted(health["by_namespace"].items(), key=_place)
            }
        ),
        "edges": f"{len(explained['evidence']):,}",
        "bridges": f"{explained['bridges']:,}",
        "weakest": escape(f"{pair_of(weakest)} ({support_of(weakest)})" if weakest else "none"),
    }


def _groups(told: dict[str, Any]) -> dict[str, str]:
    """Rules in words, changes of membership run by run, and computed traits, as rows."""
    rules = [[one["segment"], one["title"], f"{one['people']:,}"] for one in told["segments"]]
    changes = [
        [one["moment"], one["segment"], f"{one['entered']:,}", f"{one['left']:,}"]
        for one in told["changes"]
    ]
    traits = [
        [one["trait"], one["making"].replace("_", " "), f"{one['people']:,}", _values(one)]
        for one in told["traits"]
    ]
    return {
        "segments_as_of": escape(told["as_of"][:19].replace("T", " ")),
        "rules": _rows(rules),
        "changes": _rows(changes),
        "traits": _rows(traits),
    }


def _values(trait: dict[str, Any]) -> str:
    """The most common texts, or the quartiles of numbers."""
    if trait["common"]:
        return ", ".join(f"{value} ({people:,})" for value, people in trait["common"])
    if trait["quartiles"][1] is None:
        return "–"
    low, median, high = (f"{value:,.4g}" for value in trait["quartiles"])
    return f"median {median}, half between {low} and {high}"


def _rows(rows: list[list[str]]) -> str:
    return "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )


def _place(space: tuple[str, Any]) -> int:
    return ORDER.index(space[0]) if space[0] in ORDER else len(ORDER)


def _sum_of(events: dict[str, Any]) -> str:
    told = [f"{count:,} {state}" for state, count in events["states"].items() if count]
    return f"{events['sent']:,} sent = " + " + ".join(told)


def _verdict(verdict: dict[str, Any]) -> dict[str, str]:
    rows = "".join(
        f"<tr><td>{'✓' if one['agrees'] else '✗'}</td><td>{escape(one['check'])}</td>"
        f"<td>{_number(one['expected'])}</td><td>{_number(one['found'])}</td></tr>"
        for one in verdict["checks"]
    )
    says = "all agree" if verdict["agrees"] else "some DIFFER"
    return {"checks": rows, "verdict": f"{len(verdict['checks'])} figures recomputed, {says}"}


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return escape(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.6f}"


def _person(profile: dict[str, Any]) -> str:
    """One person's card: how they are known, what they bought, where they stand."""
    known = sorted(profile.get("identifiers", []), key=lambda one: ORDER.index(one["namespace"]))
    named = [f"{one['namespace'].replace('_', ' ')} {one.get('value', '')}" for one in known]
    orders = profile.get("orders", {}).get("USD", {})
    rows = {
        "person": profile.get("person_id", "–"),
        "recognised by": " · ".join(named[:9]) + (" …" if len(named) > 9 else ""),
        "first seen": (profile.get("first_seen_at") or "–")[:10],
        "orders": f"{orders.get('count', 0):,}",
        "revenue": f"{orders.get('revenue_minor', 0) / 100:,.2f} USD",
        "group": str(profile.get("rfm", {}).get("segment", "–")).replace("_", " "),
        "traits": " · ".join(f"{k} {v}" for k, v in sorted(profile.get("traits", {}).items())),
    }
    return "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())


def _timeline(events: list[dict[str, Any]]) -> str:
    return "".join(_entry(event) for event in events[:SHOWN_EVENTS])


def _entry(event: dict[str, Any]) -> str:
    at = datetime.fromisoformat(event["at"])
    summary = event["summary"]
    name = event["name"].removeprefix("$").capitalize()
    told = ""
    if "revenue_minor" in summary:
        told = f"{summary['revenue_minor'] / 100:,.2f} {summary['currency']}, "
        told += f"{summary['lines']} product{'s' if summary['lines'] != 1 else ''}"
    kind = "order" if "revenue_minor" in summary else event["type"]
    return (
        f'<li class="{escape(kind)}"><time>{at:%d %b %H:%M}</time>'
        f"<b>{escape(name)}</b><span>{escape(told)}</span>"
        f"<i>{escape(str(summary.get('channel', event['source'])))}</i></li>"
    )


def _pills(told: dict[str, str]) -> str:
    return "".join(
        f'<span class="pill">{escape(name)} <b>{count}</b></span>' for name, count in told.items()
    )
