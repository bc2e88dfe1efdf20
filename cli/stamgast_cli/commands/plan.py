"""`stamgast plan`: what a changed workspace would do, before it is put in force."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast.workspace.differences import Difference, Reach, identity_differences
from stamgast.workspace.model import workspace_of
from stamgast_cli.deployment import find
from stamgast_cli.local.places import default_places
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.plan_events import planned_events, show_events, touches_plan
from stamgast_cli.plan_retention import (
    planned_retention,
    show_retention,
    touches_retention,
)
from stamgast_cli.planning import planned_segments, show_segments, touches_segments
from stamgast_cli.workspaces import compile_folder, store

Folder = Annotated[Path | None, typer.Argument(help="The folder of YAML; left out: workspace/.")]
Most = Annotated[int, typer.Option("--most", min=1, max=200, help="How many examples of each.")]
Plain = Annotated[bool, typer.Option("--show-values", help="Values in full, not masked.")]
MOST_PEOPLE = 5
REACHES = {
    Reach.ALL: "all evidence, at the next run: previewed below",
    Reach.NEW: "new events only, unless the archive is replayed: cannot be previewed",
    Reach.BOTH: "the order of joining is previewed; anchors change for new events only",
}
CAUSES = {
    "value_limit": "a value serves more persons than its limit",
    "person_limit": "a person would have more identifiers than the limit",
    "namespace_limit": "a person would have more identifiers of a namespace than it may",
    "merge_limit": "a person would be made of more named ones than the limit",
    "two_known_persons": "claimed links between known persons",
    "cannot_link": "cut by an operator",
    "indirect": "through other edges that change",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plan")(plan)


def plan(
    folder: Folder = None,
    most: Most = 20,
    show_values: Plain = False,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show what a changed workspace would do to persons and segments; change nothing.

    Example: stamgast plan workspace --stack prod

    The lake's evidence is settled on this machine under the settings in force and under the
    folder's, and the rules of both are asked of everybody at this moment: which segments would
    have other members, how many would enter and leave, and some of them by their ids. Values of
    examples are masked. Of days in retention.yaml that are others it counts what is past them.
    """
    # The engine takes longer to load than most verbs to run.
    from stamgast_cli.previews import preview_of, values_of

    output = Output(is_json=json)
    compiled = compile_folder(folder or default_places().workspace)
    deployment = find(stack)
    before, after = store(deployment).current(), workspace_of(compiled)
    changes = identity_differences(before.identity, after.identity)
    told: dict[str, Any] = {"in_force": before.version, "planned": after.version}
    told["changes"] = [{**asdict(one), "reach": one.reach.value} for one in changes]
    if any(one.is_shown for one in changes):
        found = preview_of(deployment, before.identity, after.identity, output.step, most)
        told["persons"] = asdict(found)
        values = values_of(deployment, found, after.identity, is_plain=show_values)
        told["values"] = values
    if touches_segments(before, after):
        told |= planned_segments(deployment, before, after, output, min(most, MOST_PEOPLE))
    if touches_plan(before, after):
        told |= planned_events(deployment, before, after, output)
    if touches_retention(before, after):
        told |= planned_retention(deployment, before, after, output)
    if json:
        output.document(told)
        return
    _show(told, changes, output)
    if "segments" in told:
        show_segments(told, output)
    else:
        output.note("The segments and computed traits are the same.")
    if "tracking_plan" in told:
        show_events(told, output)
    if "retention" in told:
        show_retention(told, output)


def _show(told: dict[str, Any], changes: list[Difference], output: Output) -> None:
    output.facts({"in force": told["in_force"], "planned": told["planned"]})
    if not changes:
        output.note("The identity configuration is the same.")
        return
    rows = [[one.place, one.before, one.after, REACHES[one.reach]] for one in changes]
    output.rows(("setting", "in force", "planned", "reaches"), rows, title="What changes")
    if "persons" not in told:
        output.note("No person of the lake's evidence changes at the next run.")
        return
    persons = told["persons"]
    output.facts(
        {
            "persons": f"{persons['persons_before']:,} → {persons['persons_after']:,}",
            "identifiers that change person": f"{persons['identifiers_moved']:,} "
            f"of {persons['identifiers']:,}",
        }
    )
    for name, title in (("splits", "Persons that split"), ("merges", "Persons that merge")):
        _show_change(title, persons[name], told["values"], output)


def _show_change(
    title: str, change: dict[str, Any], values: dict[str, str], output: Output
) -> None:
    causes = ", ".join(f"{_cause(cause)}: {count:,}" for cause, count in change["causes"].items())
    output.facts({title.lower(): f"{change['persons']:,} ({causes})" if causes else "none"})
    rows = [
        [
            one["person_id"],
            one["identifiers"],
            "\n".join(_part(part, values) for part in one["parts"]),
            "\n".join(map(_cause, one["causes"])),
        ]
        for one in change["examples"]
    ]
    if rows:
        names = ("person", "identifiers", "parts", "because")
        output.rows(names, rows, title=f"{title}, the largest first")


def _part(part: tuple[str, int, tuple[str, ...]], values: dict[str, str]) -> str:
    person_id, size, keys = part
    shown = ", ".join(values.get(key, key) for key in keys)
    return f"{person_id[:9]}…: {size} ({shown}{' …' if size > len(keys) else ''})"


def _cause(cause: str) -> str:
    reason, _, namespace = cause.partition(":")
    told = CAUSES.get(reason, reason)
    return f"{told} (identity.namespaces.{namespace}.value_limit)" if namespace else told
