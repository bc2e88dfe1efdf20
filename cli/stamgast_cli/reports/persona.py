"""A segment as one card: what is typical of it, in numbers and in sentences made of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stamgast_cli.reports.small import Minimum
from stamgast_cli.reports.words import band_of, money, share, title_of

Row = Mapping[str, Any]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_NAMED = 3
MEDIANS = {
    "buyers": ("orders", "revenue_minor", "median_orders", "median_revenue_minor"),
    "with_rhythm": ("median_usual_days",),
    "ever_bought": ("median_silent_days",),
}


def persona_of(
    named: Row, told: Row, typical: Mapping[str, Row], minimum: Minimum
) -> dict[str, Any]:
    """Numbers of the segment and of everyone, and sentences; too small ones are left out."""
    numbers = {group: _numbers(row, minimum) for group, row in typical.items()}
    sentences = [
        *_size(named),
        *_buying(numbers, str(named["currency"])),
        *_presence(numbers, told["channels"]["segment"]["rows"]),
        *_marks(told["traits"]["rows"], told["categories"]["rows"]),
        *_way(told["conversion"]),
    ]
    return {"title": named["title"], "words": sentences, "numbers": numbers}


def _numbers(row: Row, minimum: Minimum) -> dict[str, Any]:
    told: dict[str, Any] = {name: value for name, value in row.items() if name != "hours"}
    told["median_basket_minor"] = row["median_basket_minor"]
    for people, figures in MEDIANS.items():
        if minimum.hides(row[people]):
            told |= dict.fromkeys((people, *figures))
    if minimum.hides(row["buyers"]):
        told["median_basket_minor"] = None
    hours = [one for one in row["hours"] if not minimum.hides(one["people"])]
    return {
        **told,
        "hours": [dict(one) for one in hours],
        "suppressed_hours": len(row["hours"]) - len(hours),
    }


def _size(named: Row) -> Iterator[str]:
    size, everyone = named["sizes"]["segment"], named["sizes"]["everyone"]
    yield f"{size:,} of {everyone:,} people are in it ({share(size / everyone)})."


def _buying(numbers: Mapping[str, Row], currency: str) -> Iterator[str]:
    mine, all_ = numbers["segment"], numbers["everyone"]
    if mine["median_orders"] is not None:
        yield (
            f"Half of its buyers ordered {mine['median_orders']:,} times or more in these weeks"
            f" (everyone: {_count(all_['median_orders'])}), for a typical basket of"
            f" {money(mine['median_basket_minor'], currency)}"
            f" (everyone: {money(all_['median_basket_minor'], currency)})."
        )
    if mine["median_usual_days"] is not None:
        yield (
            f"Who has a habit usually comes every {_days(mine['median_usual_days'])}"
            f" (everyone: {_days(all_['median_usual_days'])})."
        )
    if mine["median_silent_days"] is not None:
        yield (
            f"The last order is typically {_days(mine['median_silent_days'])} ago"
            f" (everyone: {_days(all_['median_silent_days'])})."
        )


def _presence(numbers: Mapping[str, Row], channels: Sequence[Row]) -> Iterator[str]:
    if channels:
        total = sum(one["events"] for one in channels)
        told = [f"{one['channel']} {share(one['events'] / total)}" for one in channels[:MOST_NAMED]]
        yield f"Their events come through {_listed(told)}."
    hours = numbers["segment"]["hours"]
    if hours:
        best = max(hours, key=lambda one: (one["events"], -one["weekday"], -one["hour"]))
        day = WEEKDAYS[best["weekday"] - 1]
        yield f"The busiest hour is {day} from {best['hour']:02d}:00, in the workspace's time zone."


def _marks(traits: Sequence[Row], categories: Sequence[Row]) -> Iterator[str]:
    marks = [_mark(one) for one in traits if _is_mark(one)][:MOST_NAMED]
    if marks:
        yield f"More often than everyone they have {_listed(marks)}."
    bought = [f"{one['name']} (×{one['lift']:.1f})" for one in categories if _is_mark(one)]
    if bought:
        yield f"Above all they buy {_listed(bought[:MOST_NAMED])}."


def _is_mark(row: Row) -> bool:
    """A difference upwards that the rule does not state itself."""
    is_up = row["lift"] is not None and row["lift"] > 1
    return bool(row["is_distinguishing"] and is_up and not row["is_of_the_rule"])


def _mark(row: Row) -> str:
    return f"{title_of(row)} {band_of(row)} ({share(row['segment_share'])}, ×{row['lift']:.1f})"


def _way(conversion: Row) -> Iterator[str]:
    rate, of_all = (conversion[group]["conversion_rate"] for group in ("segment", "everyone"))
    if rate is not None:
        beside = f" (everyone: {share(of_all)})" if of_all is not None else ""
        yield f"{share(rate)} of their journeys end in {conversion['event']}{beside}."
    steps = conversion["common_steps"]
    if steps:
        yield f"Most journeys that do and take any step go by {_listed(steps)}."


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _days(value: int | None) -> str:
    if value is None:
        return "–"
    return "1 day" if value == 1 else f"{value:,} days"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
