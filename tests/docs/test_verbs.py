"""Every verb of the command is on the page of the laptop."""

from pathlib import Path

import typer

from stamgast_cli.app import application

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "local.md"


def verbs() -> set[str]:
    told = set()
    for name, command in typer.main.get_command(application()).commands.items():
        inner = getattr(command, "commands", None)
        told |= {f"{name} {verb}" for verb in inner} if inner else {name}
    return told


def test_no_verb_is_missing_from_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert not [verb for verb in verbs() if f"`stamgast {verb}`" not in page]
