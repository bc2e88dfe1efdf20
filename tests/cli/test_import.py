"""`stamgast import` refuses at once what the next run would refuse."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_cli.commands import sending
from stamgast_cli.errors import InputError

IMPORTS = "[{match: 'baskets/*.csv'}, {match: 'old/*'}]"
SOURCES = f"sources: {{web: {{name: Web}}, shop: {{name: Shop, imports: {IMPORTS}}}}}"


@pytest.fixture
def uploaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys under which files were put."""
    keys: list[str] = []
    workspace = workspace_of(compile_files({"sources.yaml": SOURCES}))

    def upload_file(file: str, _bucket: str, key: str, Callback: Any) -> None:  # noqa: N803
        Callback(Path(file).stat().st_size)
        keys.append(key)

    s3: Any = SimpleNamespace(upload_file=upload_file)
    deployment = SimpleNamespace(client=lambda _: s3, output=lambda _: "lake")
    monkeypatch.setattr(sending, "find", lambda _: deployment)
    monkeypatch.setattr(sending, "store", lambda _: SimpleNamespace(current=lambda: workspace))
    return keys


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "old data.csv"
    made.write_text("type,userId\nidentify,ada\n", encoding="utf-8")
    return made


def test_a_file_goes_under_its_source_by_the_name_that_is_said(
    file: Path, uploaded: list[str]
) -> None:
    sending.put(file, "shop", "baskets/Größe 1.csv")
    assert uploaded == ["imports/shop/baskets/Größe 1.csv"]


@pytest.mark.parametrize(
    ("source", "place", "told"),
    [
        ("nowhere", None, "there is no source"),
        ("web", None, "no mapping of web matches"),
        ("shop", None, "no mapping of shop matches"),
        ("shop", "baskets/a.txt", "does not say what the file holds"),
        ("shop", "baskets/../a.csv", "is no path below"),
        ("shop", "/baskets/a.csv", "is no path below"),
    ],
)
def test_what_no_run_would_take_is_not_uploaded(
    file: Path, uploaded: list[str], source: str, place: str | None, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        sending.put(file, source, place)
    assert uploaded == []


def test_a_file_of_which_no_row_is_an_event_stays_here_and_says_why(
    file: Path, uploaded: list[str]
) -> None:
    file.write_text("type,client\ntrack,c1\ntrack,c2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"none of the first 2 rows .* row 1: .*userId") as told:
        sending.put(file, "shop", "baskets/a.csv")
    assert "type, client" in str(told.value.hint)
    assert uploaded == []


def test_rows_that_the_run_will_refuse_are_told_and_the_others_go(
    file: Path, uploaded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("type,userId,event\ntrack,u1,Seen\ntrack,,Seen\n", encoding="utf-8")
    sending.put(file, "shop", "baskets/a.csv")
    assert uploaded == ["imports/shop/baskets/a.csv"]
    assert "row 2" in capsys.readouterr().err


def test_machines_are_told_why_rows_will_be_refused(
    file: Path, uploaded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "track,u1,Seen,soon\ntrack,,Seen,\n"
    file.write_text(f"type,userId,event,timestamp\n{rows}", encoding="utf-8")
    sending.put(file, "shop", "baskets/a.csv", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["faults"] == ["row 2: userId: userId or anonymousId is required"]
    assert [one[:14] for one in told["warnings"]] == ["1 of 2 rows: n"]
    assert len(uploaded) == 1


def test_a_file_that_is_not_what_its_name_says_stays_here(file: Path, uploaded: list[str]) -> None:
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot be read"):
        sending.put(file, "shop", "old/a.parquet")
    assert uploaded == []
