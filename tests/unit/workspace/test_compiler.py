"""The workspace is refused whole, with file, line and reason, or compiled whole."""

from pathlib import Path

import pytest

from stamgast.identity.settings import DEFAULT_NAMESPACES
from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast.workspace.model import workspace_of

WORKED = Path(__file__).parents[3] / "workspace"
SOURCES = "sources:\n  web:\n    name: Web\n"


def test_the_worked_example_compiles_and_its_identity_is_the_default() -> None:
    texts = {path.name: path.read_text("utf-8") for path in WORKED.glob("*.yaml")}
    workspace = workspace_of(compile_files(texts))
    assert workspace.identity.namespaces == DEFAULT_NAMESPACES
    assert workspace.sources["shop"].imports[0]["columns"]["userId"] == "user_id"
    assert workspace.identity.region_of("web") == "NL"


def test_what_is_left_out_takes_its_default() -> None:
    workspace = workspace_of(compile_files({"sources.yaml": SOURCES}))
    assert workspace.time_zone == "UTC"
    assert workspace.identity.namespaces == DEFAULT_NAMESPACES


def test_a_mapping_that_says_nothing_new_is_one_that_the_version_before_reads() -> None:
    told = SOURCES + "    imports:\n      - match: '*.csv'\n        columns: {userId: id}\n"
    [plain] = workspace_of(compile_files({"sources.yaml": told})).sources["web"].imports
    assert plain == {"match": "*.csv", "columns": {"userId": "id"}, "constants": {}}
    told += "        encoding: utf-16\n        time_zone: Europe/Oslo\n"
    [newer] = workspace_of(compile_files({"sources.yaml": told})).sources["web"].imports
    assert newer == {**plain, "encoding": "utf-16", "time_zone": "Europe/Oslo"}


def test_the_version_depends_on_the_content_alone() -> None:
    version = compile_files({"sources.yaml": SOURCES})["version"]
    assert compile_files({"sources.yaml": "# note\n" + SOURCES})["version"] == version
    assert compile_files({"sources.yaml": SOURCES + "    region: NL\n"})["version"] != version


def test_every_fault_is_told_at_once_with_file_and_line() -> None:
    texts = {
        "identity.yaml": "identity:\n  person_limit: 1\n  namespaces:\n    user_id:\n"
        "      kind: odd\n",
        "sources.yaml": SOURCES + "    regions: NL\n",
        "workspace.yaml": "time_zone: Nowhere/Land\n",
        "extra.yaml": "",
    }
    with pytest.raises(WorkspaceError) as raised:
        compile_files(texts)
    told = {(fault.file, fault.line, fault.place) for fault in raised.value.faults}
    assert told == {
        ("extra.yaml", 1, ""),
        ("identity.yaml", 2, "identity.person_limit"),
        ("identity.yaml", 5, "identity.namespaces.user_id.kind"),
        ("sources.yaml", 4, "sources.web.regions"),
        ("workspace.yaml", 1, "time_zone"),
    }


def test_a_file_that_is_no_yaml_names_its_line() -> None:
    with pytest.raises(WorkspaceError, match=r"sources\.yaml:2: the file: not YAML"):
        compile_files({"sources.yaml": "a: 1\n b: [\n"})


def test_a_pattern_that_is_no_regular_expression_is_refused() -> None:
    texts = {"sources.yaml": SOURCES, "identity.yaml": "identity:\n  blocked_patterns: ['(']\n"}
    with pytest.raises(WorkspaceError, match="not a regular expression"):
        compile_files(texts)
