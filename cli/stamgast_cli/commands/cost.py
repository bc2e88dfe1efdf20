"""`stamgast cost`: a month's bill at a volume, before deploying and after."""

import json as json_module
from typing import Annotated

import typer

from stamgast_cli.bill.model import Line, Volume, Work, fixed_lines, volume_lines
from stamgast_cli.bill.prices import AS_OF, LISTED, REGION, Check
from stamgast_cli.bill.used import resource_types, used_lines
from stamgast_cli.deployment import find
from stamgast_cli.local.places import default_places
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output

Events = Annotated[int, typer.Option("--events", min=0, help="Events in the month.")]
PerRequest = Annotated[int, typer.Option("--events-per-request", min=1)]
Lookups = Annotated[int, typer.Option("--lookups", min=0, help="Look-ups in the month.")]
Profiles = Annotated[int, typer.Option("--profiles", min=0, help="Persons known.")]
Runs = Annotated[int, typer.Option("--runs", min=0, help="Runs of the authoritative loop.")]
WriteUnits = Annotated[
    float, typer.Option("--write-units", min=0, help="DynamoDB write units an event (bench).")
]
TYPICAL = ("AWS::KMS::Key", "AWS::SecretsManager::Secret")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("cost")(cost)


def cost(
    events: Events = 1_000_000,
    events_per_request: PerRequest = 10,
    lookups: Lookups = 100_000,
    profiles: Profiles = 50_000,
    runs: Runs = 720,
    write_units: WriteUnits = Work.write_units,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Estimate a month's bill at a volume; with --stack, add up what that stack used.

    List prices without free tiers. What is not counted is named under the table.

    Example: stamgast cost --events 5000000 --lookups 1000000
    """
    output = Output(is_json=json)
    if stack is None:
        volume = Volume(
            events=events,
            events_per_request=events_per_request,
            lookups=lookups,
            profiles=profiles,
            runs=runs,
            new_runs=runs if events else 0,
        )
        title = (
            f"A month of {events:,} events, {lookups:,} look-ups, "
            f"{profiles:,} profiles, {runs:,} runs"
        )
        lines = fixed_lines(_types_to_deploy())
        lines += volume_lines(volume, Work(write_units=write_units))
    else:
        deployment = find(stack)
        title = "Used in the last 30 days"
        lines = fixed_lines(resource_types(deployment)) + used_lines(deployment)
    _show(output, [line for line in lines if line.units], title)


def _types_to_deploy() -> list[str]:
    """Return the resource types of the templates last synthesised, else the two that always are."""
    templates = sorted(default_places().assembly.glob("Stamgast-*.template.json"))
    types = [
        resource["Type"]
        for template in templates
        for resource in json_module.loads(template.read_text(encoding="utf-8"))[
            "Resources"
        ].values()
    ]
    return types or list(TYPICAL)


def _show(output: Output, lines: list[Line], title: str) -> None:
    total = sum(line.usd for line in lines)
    if output.is_json:
        told = [
            {"stage": one.stage, "what": one.what, "units": one.units, "usd": one.usd}
            for one in lines
        ]
        prices = {
            name: {
                "usd": LISTED[name].usd,
                "check": LISTED[name].check,
                "source": LISTED[name].source,
            }
            for name in sorted({one.what for one in lines})
        }
        output.document(
            {
                "usd": round(total, 2),
                "checked_on": AS_OF,
                "region": REGION,
                "lines": told,
                "prices": prices,
            }
        )
        return
    rows = [(one.stage, one.what, f"{one.units:,.2f}", f"{one.usd:,.4f}") for one in lines]
    rows.append(("", "in all", "", f"{total:,.2f}"))
    output.rows(("stage", "what", "units", "USD"), rows, title=title)
    shares = {check: sum(one.usd for one in lines if _is(one, check)) for check in Check}
    unchecked = sorted({one.what for one in lines if _is(one, Check.NONE)})
    output.note(
        f"List prices of {REGION} without free tiers and taxes, checked on {AS_OF}: "
        f"{shares[Check.AWS]:,.2f} USD of the sum against pages of AWS's own, "
        f"{shares[Check.QUOTED]:,.2f} against pages that quote its list, {shares[Check.NONE]:,.2f} "
        f"against nothing ({', '.join(unchecked) or 'none'}). Not counted: data transfer out, a "
        "WAF, a hosted zone, Athena and CloudTrail where you use them."
    )


def _is(line: Line, check: Check) -> bool:
    return LISTED[line.what].check is check
