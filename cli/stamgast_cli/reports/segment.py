"""The report on one segment as a document: figures of the lake, small ones withheld."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.identity.link_settings import record_settings_of
from stamgast.segments.definitions import Segment, segments_of
from stamgast.workspace.model import Workspace
from stamgast_cli.errors import InputError
from stamgast_cli.reports.comparisons import Named, compared, named_by
from stamgast_cli.reports.conversion import common_steps, conversion_of, funnel_of
from stamgast_cli.reports.persona import persona_of
from stamgast_cli.reports.small import Minimum
from stamgast_lake.consents import counted_sql
from stamgast_lake.query import LakeSession
from stamgast_lake.reports import over_time
from stamgast_lake.reports.attributes import products_counted, traits_counted
from stamgast_lake.reports.habits import habits
from stamgast_lake.reports.journeys import funnel, journeys
from stamgast_lake.reports.scope import (
    Scope,
    look_at,
    main_currency,
    newest_moment,
    newest_version,
    sizes,
    strangers,
)

Document = dict[str, Any]
# These name or place one person; nobody's name is a trait of a group.
PERSONAL = (
    *("given_name", "surname", "full_name", "middle_name", "birth_date", "house", "street"),
    *("street_2", "email", "phone", "birth_place"),
)
MONEY = ("buyers", "orders", "revenue_minor")
METHOD = {
    "lift": "share in the segment over share in everyone; 1 is no difference",
    "interval": "Katz logarithmic interval of the risk ratio against everybody else, carried over",
    "test": "Fisher's exact test, two-sided",
    "multiplicity": "false discovery rate of 5 % (Benjamini-Hochberg) in each family; intervals of"
    " the distinguishing rows by Benjamini-Yekutieli (false coverage rate of 5 %)",
    "order": "distinguishing rows first, by the end of the interval nearer to 1",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for; `silence_days` end a journey, `least` is the minimum count.

    With a `purpose` only those are counted whose consent covers it.
    """

    name: str
    weeks: int = 52
    conversion: str = "Order Completed"
    silence_days: int = 30
    least: int = Minimum().least
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What every section of a report is made from."""

    lake: LakeSession
    scope: Scope
    asked: Asked
    currency: str | None
    sizes: Mapping[str, int]
    named: Named
    personal: frozenset[str]
    minimum: Minimum = field(default_factory=Minimum)


def segment_report(lake: LakeSession, workspace: Workspace, asked: Asked) -> Document:
    """The report on a segment as of the newest run; raises InputError where there is none."""
    segments = segments_of(workspace.segments)
    meant = segment_named(asked.name, segments)
    seen = _look(lake, workspace, asked, segments)
    head = _head(seen, meant, workspace)
    if seen.sizes["segment"] < asked.least:
        return {**head, "is_suppressed": True}
    return {**head, "is_suppressed": False, **_sections(seen, meant)}


def segment_named(name: str, segments: Sequence[Segment]) -> Segment:
    """The segment of this name; raises InputError that tells which there are."""
    found = next((one for one in segments if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in segments) or "none"
        raise InputError(f"no segment is called {name!r}", hint=f"There are: {known}.")
    return found


def _look(
    lake: LakeSession, workspace: Workspace, asked: Asked, segments: Sequence[Segment]
) -> Seen:
    as_of = newest_moment(lake)
    if as_of is None:
        raise InputError("no run has finished yet", hint="Start one: stamgast run.")
    scope = Scope(asked.name, as_of.astimezone(UTC), ZoneInfo(workspace.time_zone), asked.weeks)
    look_at(lake, scope, _counts(workspace, asked))
    return Seen(
        lake,
        scope,
        asked,
        main_currency(lake),
        sizes(lake),
        named_by(asked.name, segments),
        personal_traits(workspace),
        Minimum(asked.least),
    )


def _counts(workspace: Workspace, asked: Asked) -> str:
    """Whose profiles the figures are of; nothing of the suppressed leaves, no figure either."""
    known = workspace.consents.by_name
    if asked.purpose is not None and asked.purpose not in known:
        hint = f"There are: {', '.join(known) or 'none'}."
        raise InputError(f"no purpose is called {asked.purpose!r}", hint=hint)
    return counted_sql("traits", asked.purpose, workspace.consents)


def personal_traits(workspace: Workspace) -> frozenset[str]:
    """Traits that name or place one person: identifiers, and what people are called."""
    records = record_settings_of(workspace.linking).traits
    named = {name for column in PERSONAL for name in records.get(column, ())}
    paths = {
        ".".join(path[1:])
        for space in workspace.identity.namespaces
        for path in space.paths
        if path[0] == "traits"
    }
    return frozenset(named | paths)


def _head(seen: Seen, meant: Segment, workspace: Workspace) -> Document:
    size, everyone = seen.sizes["segment"], seen.sizes["everyone"]
    is_small = size < seen.asked.least
    return {
        "segment": meant.name,
        "title": meant.title,
        "description": meant.description,
        "rule": meant.text.strip(),
        "rule_version": meant.rule.version,
        "is_as_the_rule_stands": _is_asked(seen, meant, workspace),
        "purpose": meant.purpose,
        "owner": meant.owner,
        "as_of": seen.scope.as_of.isoformat(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "time_zone": workspace.time_zone,
        "currency": seen.currency,
        "least_people": seen.asked.least,
        "weeks": {
            "count": seen.scope.weeks,
            "from": seen.scope.first_on.isoformat(),
            "to": seen.scope.today.isoformat(),
        },
        "size": {
            "segment": None if is_small and size else size,
            "everyone": everyone,
            "share": None if is_small or not everyone else size / everyone,
        },
    }


def _is_asked(seen: Seen, meant: Segment, workspace: Workspace) -> bool:
    """Whether a run has asked the rule as it stands: the newest one read this very workspace, or
    all members, if there are any, entered by it. Who stays in when a rule is edited keeps its old
    version."""
    if newest_version(seen.lake) == workspace.version:
        return True
    is_any = bool(seen.sizes["segment"])
    return is_any and not strangers(seen.lake, meant.name, meant.rule.version)


def _sections(seen: Seen, meant: Segment) -> Document:
    traits = traits_counted(seen.lake, seen.scope, seen.personal)
    products = products_counted(seen.lake, seen.scope)
    families = {
        "traits": compared(traits, seen.sizes, seen.minimum, seen.named),
        "categories": _bought(seen, "category", products),
        "products": _bought(seen, "product", products),
    }
    told = {
        "size_over_time": _size_over_time(seen),
        "activity": _weeks(seen),
        "channels": _channels(seen),
        **families,
        "conversion": _conversion(seen),
        "method": METHOD,
    }
    typical = habits(seen.lake, seen.currency)
    named = {"title": meant.title, "currency": seen.currency, "sizes": seen.sizes}
    return {**told, "persona": persona_of(named, told, typical, seen.minimum)}


def _bought(seen: Seen, kind: str, counted: Mapping[str, list[Document]]) -> Document:
    rows = [{**row, "kind": kind} for row in counted[kind]]
    return compared(rows, seen.sizes, seen.minimum, seen.named)


def _size_over_time(seen: Seen) -> Document:
    found = over_time.size_history(seen.lake, seen.scope)
    return {
        group: [_change(_plain(row), seen.minimum) for row in rows] for group, rows in found.items()
    }


def _change(row: Document, minimum: Minimum) -> Document:
    """The size, and who entered and left: each is withheld for itself."""
    small = {name for name in ("entered", "left", "size") if minimum.hides(row[name])}
    return {**row, **dict.fromkeys(small), "is_suppressed": bool(small)}


def _weeks(seen: Seen) -> Document:
    found = over_time.weeks(seen.lake, seen.scope, seen.currency)
    return {group: [_week(row, seen) for row in rows] for group, rows in found.items()}


def _week(row: Document, seen: Seen) -> Document:
    told = _plain(row) | {"is_whole": (seen.scope.today - row["week_on"]).days >= 7}
    told = seen.minimum.row(told, ("buyers",), MONEY)
    people = row["people"]
    return {
        **told,
        **(dict.fromkeys(("people", "events", *MONEY)) if seen.minimum.hides(people) else {}),
        "is_suppressed": told["is_suppressed"] or seen.minimum.hides(people),
    }


def _channels(seen: Seen) -> Document:
    totals = over_time.channels(seen.lake, seen.currency)
    by_week = over_time.channel_weeks(seen.lake)
    return {
        group: {
            "rows": [
                seen.minimum.row(row, ("buyers",), MONEY)
                for row in totals[group]
                if not seen.minimum.hides(row["people"])
            ],
            "suppressed": sum(seen.minimum.hides(row["people"]) for row in totals[group]),
            "weeks": [
                _plain(row) for row in by_week[group] if not seen.minimum.hides(row["people"])
            ],
            "suppressed_weeks": sum(seen.minimum.hides(row["people"]) for row in by_week[group]),
        }
        for group in totals
    }


def _conversion(seen: Seen) -> Document:
    asked = seen.asked
    found = journeys(seen.lake, seen.scope, asked.conversion, asked.silence_days)
    steps = common_steps(found["segment"], seen.minimum)
    reached = funnel(seen.lake, steps)
    return {
        "event": asked.conversion,
        "silence_days": asked.silence_days,
        "common_steps": steps,
        **{
            group: {
                **conversion_of(told, seen.minimum),
                "funnel": funnel_of(reached[group], seen.minimum),
            }
            for group, told in found.items()
        },
    }


def _plain(row: Mapping[str, Any]) -> Document:
    """The row with days as texts."""
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()
    }
