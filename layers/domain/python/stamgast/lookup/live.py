"""Segments and computed traits as of the moment of asking, each with how fresh it is."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stamgast.lookup.person import Profile
from stamgast.moments import iso_of
from stamgast.profile.facts import NOTHING
from stamgast.profile.reading import seen
from stamgast.segments.kept import at_day
from stamgast.segments.language.days import day_of
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.plan import LivePlan, plan_of
from stamgast.segments.live.verdicts import Verdicts
from stamgast.segments.live.visit import verdicts_now
from stamgast.workspace.model import Workspace

SEGMENTS, COMPUTED = "segments", "computed"


def lived(profile: Profile, workspace: Workspace, coverage: Coverage, now_ms: int) -> Profile:
    """The profile with its memberships and computed traits brought up to now.

    `live` says of each whether it holds now; what does not is as of the newest run (`as_of`).
    """
    plan = plan_of(workspace)
    verdicts = _verdicts(plan, profile, coverage, now_ms)
    rows = {
        **profile.person.rows,
        SEGMENTS: _memberships(plan, profile, verdicts, coverage, now_ms),
    }
    computed = _computed(plan, profile, verdicts, coverage, now_ms)
    return replace(profile, person=replace(profile.person, rows=rows), computed=computed)


def _verdicts(plan: LivePlan, profile: Profile, coverage: Coverage, now_ms: int) -> Verdicts:
    anchors = profile.person.root.anchors
    if not plan.asks or not anchors <= profile.pairs.keys():
        return Verdicts()
    pairs = [profile.pairs[anchor] for anchor in sorted(anchors)]
    facts = [seen(pair.live, pair.base) or NOTHING for pair in pairs]
    return verdicts_now(plan, profile.person.person_id, facts, pairs, coverage, now_ms)


def _memberships(
    plan: LivePlan, profile: Profile, verdicts: Verdicts, coverage: Coverage, now_ms: int
) -> dict[str, dict[str, Any]]:
    """Everybody's rows but for those who left without an event, and those who so entered."""
    told = profile.person.rows.get(SEGMENTS, {})
    versions = {rule.name: rule.version for rule in plan.rules}
    found = {
        name: {**row, "live": False, "as_of": _as_of(row, coverage)}
        for name, row in told.items()
        if name not in verdicts.is_in
    }
    fresh = {"live": True, "as_of": iso_of(now_ms)}
    for name, is_in in verdicts.is_in.items():
        if is_in:
            since = told.get(name, {}).get("since")
            found[name] = {"since": since, "rule_version": versions[name], **fresh}
    return {name: _plain(row) for name, row in sorted(found.items())}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    wanted = ("since", "rule_version", "live", "as_of")
    return {name: row.get(name) for name in wanted}


def _computed(
    plan: LivePlan, profile: Profile, verdicts: Verdicts, coverage: Coverage, now_ms: int
) -> dict[str, dict[str, Any]]:
    row = profile.person.rows.get(COMPUTED, {}).get(COMPUTED)
    kept = {} if row is None else json.loads(row["traits"])
    today = day_of(now_ms, plan.zone)
    waits, fresh = (
        {"live": False, "as_of": _run_at(coverage)},
        {"live": True, "as_of": iso_of(now_ms)},
    )
    found = {name: {"value": v, **waits} for name, v in at_day(kept, today).items()}
    found |= {name: {"value": value, **fresh} for name, value in verdicts.traits.items()}
    return dict(sorted(found.items()))


def _as_of(row: Mapping[str, Any], coverage: Coverage) -> str | None:
    """The newest run, or the change itself where the live loop noted one since that run."""
    known = (_run_at(coverage), row.get("since"))
    return max((one for one in known if one is not None), default=None)


def _run_at(coverage: Coverage) -> str | None:
    """The moment of the newest run; None before any."""
    return iso_of(coverage.moment_ms) if coverage.run else None
