"""The last good version stays in force, whatever comes in by which door."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stamgast.segments.live.plan import plan_of
from stamgast.workspace.compiler import compile_files
from stamgast_aws.workspaces import FRESH_SECONDS, S3WorkspaceStore, UnsoundWorkspaceError
from stamgast_cli.errors import InputError
from stamgast_cli.local.places import Places
from stamgast_cli.local.up import up
from stamgast_cli.workspaces import compile_folder
from tests.fakes.dynamodb import DynamoDB

SOURCES = "sources: {web: {name: Web}}\n"
RULE = "segments:\n  buyers:\n    rule: orders.count >= 1\n"


class Bucket:
    """The S3 calls of the workspace store, over a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


class Deployment:
    """One bucket and one table, and a new process for every function that starts."""

    def __init__(self) -> None:
        self.bucket, self.table, self.seconds = Bucket(), DynamoDB("control"), 0.0

    def process(self) -> S3WorkspaceStore:
        return S3WorkspaceStore(
            s3=self.bucket,
            dynamodb=self.table,
            bucket="b",
            table="control",
            now=lambda: self.seconds,
        )


def compiled(segments: str) -> dict[str, Any]:
    return compile_files({"sources.yaml": SOURCES, "segments.yaml": segments})


@pytest.fixture
def deployed() -> tuple[Deployment, str, str]:
    """A good version in force, and after it another good one."""
    deployment = Deployment()
    first, second = compiled(RULE), compiled(RULE.replace(">= 1", ">= 2"))
    for one in (first, second):
        deployment.process().publish(one)
    return deployment, first["version"], second["version"]


def gone(told: bytes) -> bytes | None:
    return None


def cut_off(told: bytes) -> bytes:
    return told[: len(told) // 2]


def no_sources(told: bytes) -> bytes:
    return json.dumps({"version": json.loads(told)["version"]}).encode()


def a_list(told: bytes) -> bytes:
    return b"[]"


SPOILT = (gone, cut_off, no_sources, a_list)


def spoil(deployment: Deployment, version: str, how: Callable[[bytes], bytes | None]) -> None:
    key = f"workspace/{version}.json"
    told = how(deployment.bucket.objects.pop(key))
    if told is not None:
        deployment.bucket.objects[key] = told


@pytest.mark.parametrize("how", SPOILT)
def test_a_running_function_keeps_the_version_that_it_holds(
    deployed: tuple[Deployment, str, str], how: Callable[[bytes], bytes | None]
) -> None:
    deployment, _, second = deployed
    process = deployment.process()
    assert process.current().version == second
    third = compiled(RULE.replace(">= 1", ">= 3"))
    deployment.process().publish(third)
    spoil(deployment, third["version"], how)
    deployment.seconds += FRESH_SECONDS
    assert not process.is_behind
    assert process.current().version == second
    assert process.is_behind
    deployment.process().publish(third)
    deployment.seconds += FRESH_SECONDS
    assert process.current().version == third["version"]
    assert not process.is_behind


@pytest.mark.parametrize("how", SPOILT)
def test_a_function_that_starts_takes_the_version_before(
    deployed: tuple[Deployment, str, str], how: Callable[[bytes], bytes | None]
) -> None:
    deployment, first, second = deployed
    spoil(deployment, second, how)
    process = deployment.process()
    workspace = process.current()
    assert workspace.version == first
    assert process.is_behind
    assert [rule.name for rule in plan_of(workspace).rules] == ["buyers"]


def test_nothing_readable_at_all_is_said_and_no_empty_workspace_made_up(
    deployed: tuple[Deployment, str, str],
) -> None:
    deployment, first, second = deployed
    for version in (first, second):
        spoil(deployment, version, cut_off)
    with pytest.raises(UnsoundWorkspaceError, match=first):
        deployment.process().current()


def of_another_language(told: bytes) -> bytes:
    return told.replace(b'"tree": 1', b'"tree": 99')


@pytest.mark.parametrize("how", [*SPOILT, of_another_language])
def test_the_way_back_leads_to_no_version_that_cannot_be_read(
    deployed: tuple[Deployment, str, str], how: Callable[[bytes], bytes | None]
) -> None:
    deployment, first, second = deployed
    spoil(deployment, first, how)
    with pytest.raises(UnsoundWorkspaceError, match=first):
        deployment.process().point_to(first)
    assert deployment.process().current().version == second


def test_the_way_back_leads_to_a_good_one(deployed: tuple[Deployment, str, str]) -> None:
    deployment, first, _ = deployed
    deployment.process().point_to(first)
    assert deployment.process().current().version == first


BAD: dict[str, tuple[bytes, str]] = {
    "no YAML": (b"segments: [", "segments.yaml:1"),
    "no text": (b"segments:\n  a: \xff\xfe\n", "segments.yaml:2"),
    "no mapping": (b"- a\n", "segments.yaml:1"),
    "an unknown key": (b"segments:\n  a:\n    rul: 'true'\n", "segments.yaml:3"),
    "no rule": (b"segments:\n  a:\n    title: A\n", "segments.yaml:2"),
    "an unknown column": (b"segments:\n  a:\n    rule: orders.cuont > 1\n", "orders.count"),
    "an unknown function": (b"segments:\n  a:\n    rule: cuont(last 3 days) > 1\n", "`count`"),
    "an unknown segment": (b"segments:\n  a:\n    rule: in segment('b')\n", "line 1, column 12"),
    "an unknown trait": (b"segments:\n  a:\n    rule: computed.b = 1\n", "column 1"),
    "an unfinished text": (b"segments:\n  a:\n    rule: traits.a = 'b\n", "segments.yaml:3"),
    "types that do not meet": (b"segments:\n  a:\n    rule: orders.count = 'b'\n", "compared"),
    "null compared": (b"segments:\n  a:\n    rule: traits.a = null\n", "is null"),
    "a circle": (b"segments:\n  a:\n    rule: in segment('a')\n", "a → a"),
    "a window too long": (b"segments:\n  a:\n    rule: count(last 99 hours) > 1\n", "5 days"),
    "a window of months": (b"segments:\n  a:\n    rule: count(last 2 months) > 1\n", "60 days"),
    "no condition": (b"segments:\n  a:\n    rule: orders.count + 1\n", "condition is wanted"),
    "a field of events": (b"segments:\n  a:\n    rule: properties.x = 1\n", "inside `count"),
    "too deep": (b"segments:\n  a:\n    rule: " + b"(" * 99 + b"true\n", "column"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_folder_is_refused_with_a_fault_of_its_own(tmp_path: Path, kind: str) -> None:
    text, wanted = BAD[kind]
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    (tmp_path / "segments.yaml").write_bytes(text)
    with pytest.raises(InputError) as raised:
        compile_folder(tmp_path)
    told = str(raised.value)
    assert "segments.yaml:" in told
    assert wanted in told


def test_no_two_kinds_of_mistake_share_a_message(tmp_path: Path) -> None:
    messages = set()
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    for text, _ in BAD.values():
        (tmp_path / "segments.yaml").write_bytes(text)
        with pytest.raises(InputError) as raised:
            compile_folder(tmp_path)
        messages.add(str(raised.value).split("column", 1)[-1])
    assert len(messages) == len(BAD)


def test_up_refuses_a_bad_folder_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    (tmp_path / "segments.yaml").write_bytes(BAD["no rule"][0])

    def begun(_: str) -> Any:
        raise AssertionError("something was started")

    with pytest.raises(InputError, match=r"segments\.yaml:2"):
        up(Places(tmp_path, tmp_path / "here"), workspace=tmp_path, step=begun)
