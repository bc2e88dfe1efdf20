"""The command line: every verb explains itself, and a failure says what to do next."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from click.testing import CliRunner

from stamgast_cli import app
from stamgast_cli.app import application
from stamgast_cli.output import Output

VERBS = {
    "up", "down", "status", "demo", "send", "import", "run", "timeline", "key", "query", "cost",
    "redrive", "doctor", "logs", "profile get", "source add", "source rotate", "source revoke",
    "identity cut", "identity leave", "identity lift", "identity jobs", "identity explain",
    "identity health", "plan", "segment list", "segment preview", "segment report",
    "segment explain", "segment export", "model list", "model evaluate", "replay",
    "sources list", "sources report",
    "links run", "links list", "links report", "links try",
    "token add", "token revoke", "workspace init", "workspace check",
    "workspace publish", "workspace point",
    "access", "consent grant", "consent lift", "consent refuse", "consent show",
    "consent suppress", "consent why", "erase", "model card", "model compare", "model explain",
    "model promote", "model rollback", "model score", "model train", "portability", "record",
    "rights cancel", "rights list", "rights prove", "rights reapply", "rights settle",
    "rights status",
    "token list", "token rotate",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAMGAST_HOME", str(tmp_path))


def commands(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    if not isinstance(group, typer.core.TyperGroup):
        yield path.strip(), group
        return
    for name, command in group.commands.items():
        yield from commands(command, f"{path} {name}")


STAMGAST = typer.main.get_command(application())
EVERY = dict(commands(STAMGAST))


def test_the_verbs_are_those_that_the_documentation_names() -> None:
    assert set(EVERY) == VERBS


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_each_verb_shows_an_example_and_speaks_to_machines(verb: str) -> None:
    shown = CliRunner().invoke(STAMGAST, [*verb.split(), "--help"], env={"COLUMNS": "200"})

    assert shown.exit_code == 0
    assert f"Example: stamgast {verb}" in shown.output
    assert "--json" in shown.output


def test_status_says_how_to_start_where_nothing_runs() -> None:
    shown = CliRunner().invoke(STAMGAST, ["status", "--json"])

    assert json.loads(shown.stdout) == {"running": False, "next": "stamgast up"}


def test_a_verb_that_needs_a_stack_fails_with_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["stamgast", "run"])

    with pytest.raises(SystemExit) as ended:
        app.main()

    assert ended.value.code == 1
    assert "stamgast up" in capsys.readouterr().err


def test_cost_adds_up_for_machines() -> None:
    shown = CliRunner().invoke(STAMGAST, ["cost", "--events", "1000", "--json"])

    told = json.loads(shown.stdout)
    assert told["usd"] == pytest.approx(sum(line["usd"] for line in told["lines"]), abs=0.01)


def test_a_workspace_with_faults_is_refused_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "workspace.yaml").write_text("time_zone: Mars/Olympus\n")
    monkeypatch.setattr("sys.argv", ["stamgast", "workspace", "check", str(tmp_path)])

    with pytest.raises(SystemExit):
        app.main()

    assert "workspace.yaml:1" in capsys.readouterr().err


def told_by(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says when it cannot go on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.argv", ["stamgast", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_a_cut_of_a_pair_and_of_those_that_leave_at_once_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pair = ["identity", "cut", "email:ada@example.com", "user_id:42"]
    assert "not of both" in told_by([*pair, "--leaving", "phone:0612345678"], capsys)


@pytest.mark.parametrize("sql", ["", "  \n"])
def test_an_empty_question_is_told_from_one_without_an_answer(
    sql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nothing to ask" in told_by(["query", sql], capsys)


def test_brackets_in_what_is_shown_are_text_and_never_style(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output()
    output.rows(["[/x]", "[red]"], [["[/y]", "[bold]"]], title=None)
    output.note("written to [/z].html", "[/beware]:")
    with output.step("Reading [/w]"):
        pass
    shown = capsys.readouterr()
    assert all(told in shown.out for told in ("[/x]", "[red]", "[/y]", "[bold]"))
    assert all(told in shown.err for told in ("[/z].html", "[/beware]:", "Reading [/w]"))


def test_a_table_without_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows(["kind", "rule"], [])
    assert "No rows." in capsys.readouterr().err


def test_a_place_where_no_file_can_be_written_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    told = told_by(["workspace", "init", str(tmp_path / "file" / "ours")], capsys)
    assert "Not a directory" in told
