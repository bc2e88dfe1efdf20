"""One `identity.yaml` with every kind of mistake: each is told, with its line and its reason."""

from pathlib import Path
from typing import Any

import pytest

from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast_aws.workspaces import S3WorkspaceStore
from stamgast_cli.errors import InputError
from stamgast_cli.workspaces import compile_folder
from tests.fakes.dynamodb import DynamoDB

SOURCES = "sources:\n  web:\n    name: Web\n"
MISTAKES = """\
identity:
  person_limit: 1
  person_limits: 200
  default_region: nl
  blocked_values: nobody
  blocked_patterns:
    - "("
    - ".+"
    - 7
  namespaces:
    user_id:
      kind: known
      paths: [userId]
    User-Name:
      kind: linked
    email:
      kind: persistent
      form: mail
      value_limit: 0
      fold_case: perhaps
      paths: [traits.email, "traits..mail", userId]
    phone:
      value_limit: many
      path: [traits.phone]
    card:
      kind: linked
      value_limit: 100000
      paths: traits.card
    email:
      kind: persistent
"""
PLACES = {
    (2, "person_limit"),
    (3, "person_limits"),
    (4, "default_region"),
    (5, "blocked_values"),
    (7, "blocked_patterns.0"),
    (8, "blocked_patterns.1"),
    (9, "blocked_patterns.2"),
    (12, "namespaces.user_id.kind"),
    (14, "namespaces.User-Name"),
    (23, "namespaces.phone.value_limit"),
    (24, "namespaces.phone.path"),
    (22, "namespaces.phone.kind"),
    (27, "namespaces.card.value_limit"),
    (28, "namespaces.card.paths"),
    (29, "namespaces.email"),
}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def faults_of(text: str) -> set[tuple[int, str]]:
    with pytest.raises(WorkspaceError) as raised:
        compile_files({"sources.yaml": SOURCES, "identity.yaml": text})
    assert {fault.file for fault in raised.value.faults} == {"identity.yaml"}
    assert all(fault.message for fault in raised.value.faults)
    return {(fault.line, fault.place.removeprefix("identity.")) for fault in raised.value.faults}


def test_a_file_with_every_kind_of_mistake_tells_each_with_its_line() -> None:
    assert faults_of(MISTAKES) == PLACES


def test_the_mistakes_of_what_a_later_name_would_hide_are_told_once_it_is_gone() -> None:
    alone = MISTAKES.removesuffix("    email:\n      kind: persistent\n")
    more = {
        (18, "namespaces.email.form"),
        (19, "namespaces.email.value_limit"),
        (20, "namespaces.email.fold_case"),
        (21, "namespaces.email.paths.1"),
        (21, "namespaces.email.paths.2"),
    }
    assert faults_of(alone) == (PLACES - {(29, "namespaces.email")}) | more


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("identity: []", 1, "valid"),
        ("identity:\n  namespaces: {}", 2, "at least 1"),
        ("- identity", 1, "valid"),
        ("identity:\n\t- a", 2, "not YAML"),
        ("identity:\n  blocked_patterns: ['.*@.*']", 2, "ordinary values"),
        ("identity:\n  blocked_patterns: ['[a-']", 2, "not a regular expression"),
        ("identity:\n  person_limt: 5", 2, "did you mean `person_limit`?"),
        ("identity:\n  priorities: [user_id]", 2, "unknown name; known are namespaces, "),
        ("identity:\n  namespaces:\n    card: {kind: linked, valu_limit: 2}", 3, "`value_limit`"),
        ("identiy: {}", 1, "did you mean `identity`?"),
        ("identity:\n  person_limit: -3", 2, "greater than 1"),
        ("identity:\n  merge_limit: true", 2, "valid integer"),
        ("identity:\n  person_limit: '30'", 2, "valid integer"),
        ("identity:", 1, "valid mapping of names to values"),
        ("identity:\n  namespaces:\n    card:", 3, "valid mapping of names to values"),
        ("identity:\n  default_region: XX", 2, "no region with telephone numbers"),
        (
            "identity:\n  namespaces:\n    card: {kind: linked, providers: [gmail]}",
            3,
            "`form: email`",
        ),
        ("identity: &a\n  namespaces: *a", 1, "aliases"),
        (BOMB, 1, "aliases"),
        ("identity:\n  \0x: 1", 1, "not YAML"),
        ("identity: !!python/object/apply:os.system [ls]", 1, "could not determine a constructor"),
        ("identity: {}\n---\nidentity: {}", 2, "another document"),
    ],
)
def test_a_mistake_of_form_says_where_and_what(text: str, line: int, reason: str) -> None:
    with pytest.raises(WorkspaceError) as raised:
        compile_files({"sources.yaml": SOURCES, "identity.yaml": text})
    [fault] = raised.value.faults
    assert fault.line == line
    assert reason in fault.message
    assert "\n" not in str(fault)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeffidentity: {}\n"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    files = {"sources.yaml": SOURCES}
    assert compile_files({**files, "identity.yaml": text}) == compile_files(files)


def test_an_anchor_with_a_merge_key_spares_saying_the_same_twice() -> None:
    shared = "    a: &shared\n      kind: linked\n      paths: [userId]\n      value_limit: 7\n"
    text = f"identity:\n  namespaces:\n{shared}    b:\n      <<: *shared\n      paths: [traits.b]\n"
    told = compile_files({"sources.yaml": SOURCES, "identity.yaml": text})["identity"]["namespaces"]
    assert told["b"] == {**told["a"], "paths": ["traits.b"]}


class Bucket:
    """The S3 calls of the workspace store."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803
        self.keys.append(Key)

    def head_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803
        assert Key in self.keys


def test_a_folder_with_a_mistake_is_refused_whole_and_the_last_good_version_stays(
    tmp_path: Path,
) -> None:
    workspaces = S3WorkspaceStore(
        s3=Bucket(), dynamodb=DynamoDB("control"), bucket="b", table="control", now=lambda: 0.0
    )
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    good = compile_folder(tmp_path)
    workspaces.publish(good)
    (tmp_path / "identity.yaml").write_text(MISTAKES, "utf-8")
    with pytest.raises(InputError) as raised:
        workspaces.publish(compile_folder(tmp_path))
    told = str(raised.value).splitlines()
    assert len(told) == 1 + len(PLACES)
    assert f"{tmp_path}/identity.yaml:2: identity.person_limit: " in told[1] + "".join(told)
    assert workspaces.version() == good["version"]


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ("{jaro_winkler: [0.85, 0.95]}", "each level below the one before"),
        ("{edits: [2, 1]}", "each level above the one before"),
        ("{edits: [1, 1]}", "each level above the one before"),
    ],
)
def test_levels_of_a_comparison_that_nothing_would_reach_are_refused(levels: str, why: str) -> None:
    text = f"identity:\n  records:\n    comparisons:\n      surname: {levels}\n"
    with pytest.raises(WorkspaceError) as refused:
        compile_files({"identity.yaml": text})
    assert "identity.yaml:4: " in str(refused.value)
    assert why in str(refused.value)
