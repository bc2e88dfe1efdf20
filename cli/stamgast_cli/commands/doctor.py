"""`stamgast doctor`: is this stack fit for traffic, and what is not known of it?"""

from typing import Annotated

import typer
from rich.text import Text

from stamgast_cli import checks
from stamgast_cli.checks import Finding, Verdict
from stamgast_cli.deployment import find
from stamgast_cli.local.patches import PATCHES
from stamgast_cli.options import Json, Stack, Token
from stamgast_cli.output import Output

WriteKey = Annotated[str | None, typer.Option("--write-key", envvar="STAMGAST_WRITE_KEY")]
COLOURS = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.BAD: "red"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(
    write_key: WriteKey = None, token: Token = None, stack: Stack = None, json: Json = False
) -> None:
    """Check quotas, dead letters and one event from end to end; ends with 1 if one is bad.

    Example: stamgast doctor --stack prod --write-key … --token …
    """
    output = Output(is_json=json)
    deployment = find(stack)
    findings = [*checks.quotas(deployment), checks.dead_letters(deployment)]
    with output.step("Sending an event through"):
        findings.append(
            checks.end_to_end(
                deployment,
                write_key or deployment.write_key,
                token or deployment.reader_token,
            )
        )
    _show(output, findings, checks.unproven(deployment), is_local=deployment.is_local)
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)


def _show(
    output: Output, findings: list[Finding], unproven: tuple[str, ...], *, is_local: bool
) -> None:
    patches = [{"name": one.name, "why": one.why} for one in PATCHES] if is_local else []
    if output.is_json:
        told = [
            {"check": one.check, "verdict": one.verdict.value, "found": one.found}
            for one in findings
        ]
        output.document({"findings": told, "unproven": unproven, "patches": patches})
        return
    for one in findings:
        colour = COLOURS[one.verdict]
        verdict = (f"{one.verdict.value:>8}", colour)
        output.console.print(Text.assemble(verdict, f"  {one.check}: {one.found}"))
    output.console.print("\nNot proven by this:")
    for line in unproven:
        output.console.print(Text(f"  · {line}"))
    for patch in patches:
        output.console.print(Text(f"  · patched here: {patch['name']}: {patch['why']}"))
