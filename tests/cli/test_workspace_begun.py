"""A workspace of one's own: begun by a verb, sound as it is, and kept by the next start."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_cli import workspaces
from stamgast_cli.access import Access
from stamgast_cli.app import application
from stamgast_cli.commands import access as verbs
from stamgast_cli.commands import lifecycle
from stamgast_cli.errors import InputError
from stamgast_cli.local.places import Places
from stamgast_cli.workspaces import compile_folder


def test_a_begun_workspace_is_sound_and_takes_events_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "ours"

    told = CliRunner().invoke(application(), ["workspace", "init", str(folder), "--json"])

    assert told.exit_code == 0
    workspace = workspace_of(compile_folder(folder))
    assert {"web", "server", "shop"} == set(workspace.sources)
    assert workspace.sources["shop"].imports


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: {ours: {name: Ours}}\n")

    with pytest.raises(InputError, match="is not empty"):
        CliRunner().invoke(
            application(), ["workspace", "init", str(tmp_path)], catch_exceptions=False
        )
    assert "Ours" in (tmp_path / "sources.yaml").read_text()


@pytest.mark.parametrize("name", ["segments.yml", "segments.json"])
def test_a_file_that_would_be_left_out_without_a_word_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "sources.yaml").write_text("sources: {ours: {name: Ours}}\n")
    (tmp_path / name).write_text("segments: {}\n")

    with pytest.raises(InputError, match=name):
        compile_folder(tmp_path)


def test_the_folder_that_up_was_given_stays_until_the_data_is_wiped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(root=tmp_path / "checkout", home=tmp_path / "home")
    ours, given = tmp_path / "ours", []
    ours.mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(lifecycle, "default_places", lambda: places)

    def bring_up(_: Places, *, workspace: Path, **__: object) -> Places:
        given.append(workspace)
        return places

    monkeypatch.setattr(lifecycle, "bring_up", bring_up)
    monkeypatch.setattr(lifecycle, "vars", lambda _: {}, raising=False)

    lifecycle.up(None)
    lifecycle.up(ours)
    lifecycle.up(None)
    lifecycle.down(wipe=True)
    lifecycle.up(None)

    example = places.root / "workspace"
    assert given == [example, ours, ours, example]


class Registry:
    """Keeps what is declared of sources."""

    def __init__(self) -> None:
        self.declared: dict[str, tuple[str, int | None]] = {}

    def declare(self, source_id: str, name: str, events_per_second: int | None) -> None:
        self.declared[source_id] = (name, events_per_second)

    def active(self, _: str) -> list[str]:
        return []

    def issue(self, *_: str) -> str:
        return "sec_key"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    told = "sources: {till: {name: Tills, events_per_second: 50}}\n"
    compiled = compile_files({"sources.yaml": told})
    made = Registry()
    store = SimpleNamespace(
        version=lambda: None, publish=lambda _: None, current=lambda: workspace_of(compiled)
    )
    access: Any = Access(sources=made, tokens=None)  # type: ignore[arg-type]
    monkeypatch.setattr(workspaces, "store", lambda _: store)
    monkeypatch.setattr(workspaces, "access_to", lambda _: access)
    monkeypatch.setattr(verbs, "access_to", lambda _: access)
    monkeypatch.setattr(verbs, "find", lambda _: None)
    workspaces.publish(SimpleNamespace(), compiled)  # type: ignore[arg-type]
    return made


def test_publishing_gives_sources_their_names_and_limits(registry: Registry) -> None:
    assert registry.declared == {"till": ("Tills", 50)}


def test_a_source_added_keeps_the_limit_of_the_workspace(registry: Registry) -> None:
    verbs.add_source("till", verbs.Kind.SECRET)

    assert registry.declared == {"till": ("Tills", 50)}


@pytest.mark.parametrize("source_id", ["bad id!", "", "../x", "Till", "x" * 42])
def test_an_id_that_no_workspace_could_hold_is_refused(registry: Registry, source_id: str) -> None:
    with pytest.raises(InputError, match="no source's id"):
        verbs.add_source(source_id, verbs.Kind.SECRET)


def test_a_source_that_nobody_knows_gets_no_second_key(registry: Registry) -> None:
    with pytest.raises(InputError, match="there is no source 'tills'"):
        verbs.rotate("tills")
