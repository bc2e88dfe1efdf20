"""Two verbs never change one local deployment at once; changed code reaches what runs."""

import io
import json
import os
import zipfile
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from stamgast_cli.errors import BusyError, NotRunningError
from stamgast_cli.local import lock, reload
from stamgast_cli.local.emulator import Emulator
from stamgast_cli.local.places import Places

RUNNING = Emulator(1, 1, 2, 3)
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:Stamgast-local-Platform-LayersDomain67312F2A-X"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(root=tmp_path / "a house", home=tmp_path / "a house" / ".stamgast")
    for name in ("functions/close_run/handler.py", "layers/domain/python/stamgast/x.py"):
        path = made.root / name
        path.parent.mkdir(parents=True)
        path.write_text("one", encoding="utf-8")
    made.data.mkdir(parents=True)
    return made


class Functions:
    """The calls of Lambda that a reload makes, over one function."""

    def __init__(self) -> None:
        self.layers = [f"{LAYER}:1"]
        self.code: dict[str, bytes] = {}
        self.calls: list[str] = []

    def get_paginator(self, _: str) -> "Functions":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        layers = [{"Arn": arn} for arn in self.layers]
        return [{"Functions": [{"FunctionName": "stamgast-local-close-run", "Layers": layers}]}]

    def publish_layer_version(self, **told: Any) -> dict[str, str]:
        self.calls.append("layer")
        return {"LayerVersionArn": f"{LAYER}:{1 + self.calls.count('layer')}"}

    def update_function_configuration(self, **told: Any) -> None:
        self.calls.append("layers")
        self.layers = told["Layers"]

    def update_function_code(self, **told: Any) -> None:
        self.calls.append("code")
        with zipfile.ZipFile(io.BytesIO(told["ZipFile"])) as archive:
            self.code = {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Functions:
    made = Functions()

    class Session:
        def client(self, *_: Any, **__: Any) -> Functions:
            return made

    monkeypatch.setattr(reload, "session", lambda _: Session())
    return made


def test_who_shares_a_file_waits_until_it_is_free(tmp_path: Path) -> None:
    path, told = tmp_path / "of both" / "cdk.lock", list[str]()

    def other() -> None:
        with lock.waited(path):
            told.append("other")

    with lock.waited(path):
        thread = Thread(target=other)
        thread.start()
        thread.join(0.2)
        told.append("first")
    thread.join(10)

    assert told == ["first", "other"]


def test_a_second_verb_is_told_which_process_is_at_work(places: Places) -> None:
    with lock.held(places), pytest.raises(BusyError, match=str(os.getpid())), lock.held(places):
        pass
    with lock.held(places):
        assert places.lock.read_text(encoding="utf-8") == str(os.getpid())


def test_a_reload_gives_functions_and_layers_what_lies_on_the_disk(
    places: Places, functions: Functions
) -> None:
    told = reload.reload(RUNNING, places)
    assert told == reload.Reloaded(("domain",), ("close-run",))
    assert functions.code == {"handler.py": b"one"}
    assert functions.layers == [f"{LAYER}:2"]


def test_a_reload_leaves_alone_what_has_not_changed(places: Places, functions: Functions) -> None:
    reload.reload(RUNNING, places)
    functions.calls.clear()
    compiled = places.root / "functions" / "close_run" / "__pycache__" / "handler.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    assert reload.reload(RUNNING, places) == reload.Reloaded((), ())
    assert functions.calls == []
    (places.root / "functions" / "close_run" / "handler.py").write_text("two", encoding="utf-8")
    assert reload.reload(RUNNING, places).functions == ("close-run",)
    assert functions.calls == ["code"]
    assert "stamgast-local-close-run" in json.loads(places.reloaded.read_text(encoding="utf-8"))


def test_a_changed_layer_reaches_every_function_that_has_it(
    places: Places, functions: Functions
) -> None:
    reload.reload(RUNNING, places)
    (places.root / "layers/domain/python/stamgast/x.py").write_text("two", encoding="utf-8")
    assert reload.reload(RUNNING, places) == reload.Reloaded(("domain",), ("close-run",))
    assert functions.layers == [f"{LAYER}:3"]


def test_there_is_nothing_to_reload_before_the_first_deployment(
    places: Places, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "paginate", lambda: [{"Functions": []}])
    with pytest.raises(NotRunningError):
        reload.reload(RUNNING, places)
