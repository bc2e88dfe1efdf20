"""The demo's report: pictures that stand in the page, and figures that are checked apart."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from stamgast.identity.keys import Keyring
from stamgast.models.declaration import Kind, Model
from stamgast.segments.language.tree import Literal, Type
from stamgast_cli.demo.checking.stack import Verdict, key_of
from stamgast_cli.demo.models import one_of
from stamgast_cli.demo.page import write_page
from stamgast_cli.demo.pictures import PICTURES


def named(key: str, **more: Any) -> dict[str, Any]:
    """An identifier as explanations tell it."""
    return {"key": key, "namespace": key.split(":")[0], "value": "<i>", "is_masked": True, **more}


def explained() -> dict[str, Any]:
    """Why two identifiers are one person, and a third is not."""
    member = {"kind": "linked", "is_off": False}
    edge = {
        "a": named("user_id:1"),
        "b": named("email:1"),
        "assurance": "verified",
        "event_at": "2026-11-01T10:00:00.000Z",
        "source": "server",
        "in_tree": True,
        "is_bridge": True,
    }
    return {
        "identifiers": [
            named("user_id:1", is_founder=True, **member),
            named("email:1", is_founder=False, **member),
        ],
        "evidence": [edge],
        "weakest": edge,
        "bridges": 1,
        "refused": [{**edge, "b": named("device_id:1"), "reason": "value_limit"}],
        "provisional": [],
    }


def segments() -> dict[str, Any]:
    """Two segments that share one person, and what else the report tells of groups."""
    sizes = {"at_risk": 2, "weekly": 1}
    return {
        "as_of": "2026-11-22T04:00:00+00:00",
        "time_zone": "Europe/Amsterdam",
        "people": 3,
        "segments": [
            {"segment": name, "title": f"{name} <b>", "rule": "r", "people": n, "share": n / 3}
            for name, n in sizes.items()
        ],
        "overlaps": [{"a": "at_risk", "b": "weekly", "both": 1, "lift": 1.5}],
        "changes": [
            {"run": "r1", "moment": "m", "segment": "at_risk", "entered": 2, "left": 0},
        ],
        "traits": [
            {
                "trait": "average_basket",
                "making": "average",
                "description": "",
                "people": 2,
                "quartiles": [1.0, 2.5, 3.0],
                "common": [],
            },
            {
                "trait": "favourite_store",
                "making": "most_frequent",
                "description": "",
                "people": 2,
                "quartiles": [None, None, None],
                "common": [["Δελφοί", 2]],
            },
        ],
        "lifecycle": {"active": 2, "lapsed": 1},
        "grid": [{"r": 5, "value": 1, "cell": "new", "people": 2}],
    }


@pytest.fixture
def report() -> dict[str, Any]:
    """A small report with every part that the page shows."""
    hour = "2026-11-22 04:00"
    profile = {
        "person_id": "p1",
        "first_seen_at": "2026-01-01T00:00:00.000Z",
        "traits": {"email": "<b>@example.org"},
        "orders": {"USD": {"count": 2, "revenue_minor": 250}},
        "rfm": {"segment": "at_risk"},
        "identifiers": [
            {"namespace": "anonymous_id", "key": "k", "value": "c"},
            {"namespace": "user_id", "key": "k", "value": "u"},
        ],
    }
    order = {
        "at": "2026-11-01T10:00:00.000Z",
        "type": "track",
        "name": "Order Completed",
        "source": "server",
        "summary": {"revenue_minor": 125, "currency": "USD", "lines": 1, "channel": "web"},
    }
    return {
        "about": "Purchases are real, identifiers are GENERATED.",
        "households": 2,
        "live_households": 1,
        "are_files_whole": False,
        "shift_weeks": 463,
        "last_purchase_at": "2026-11-16T04:01:20+00:00",
        "days_since_last_purchase": 6,
        "sent_live": 3,
        "seconds": 9.0,
        "phases": [{"phase": "Looking", "seconds": 9.0}],
        "live": {"unseen": 0, "seen_after_ms": {}},
        "lookup_ms": {"p50": 5.0, "p95": 8.0, "p99": 9.0, "max": 9.5, "count": 3},
        "lookups": [4.0, 5.0, 9.0],
        "events": {
            "sent": 3,
            "states": {"stored": 2, "duplicate": 0, "conflict": 0, "rejected": 1},
            "is_conserved": True,
            "reasons": {"id_missing": 1},
            "hours": [{"source": "shop", "hour": 9, "events": 2}],
            "weeks": [{"week": "2026-11-09", "source": "shop", "events": 2, "revenue_minor": 5}],
            "arrivals": [{"hour": hour, "state": "stored", "receipts": 2}],
        },
        "revenue": {"total_minor": 250},
        "persons": {
            "households": 2,
            "persons": 3,
            "exact": 1,
            "precision": 1.0,
            "recall": 0.5,
            "identifiers": 4,
            "shared_identifiers": 1,
        },
        "rfm": {
            "cells": [{"r": 5, "f": 1, "m": 3, "n": 2}],
            "groups": [{"segment": "at_risk", "persons": 2, "revenue_minor": 250}],
        },
        "segments": segments(),
        "person": {"profile": profile, "timeline": [order]},
        "health": {
            "largest_person": 3,
            "sizes": {"1": 2, "3": 1},
            "by_namespace": {"user_id": {"identifiers": 2, "persons": 2}},
            "off": {"device_id": 1},
            "refused": {"value_limit": 4},
            "drift": {"sampled": 4, "drifting": 0, "share": 0.0},
        },
        "explained": explained(),
        "verification": {
            "agrees": True,
            "checks": [{"check": "stored", "expected": 2, "found": 2, "agrees": True}],
        },
    }


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_an_svg_element(report: dict[str, Any], name: str) -> None:
    assert ElementTree.fromstring(PICTURES[name](report)).tag.endswith("svg")


def test_the_page_is_whole_says_what_is_generated_and_loads_nothing(
    report: dict[str, Any], tmp_path: Path
) -> None:
    write_page(report, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "GENERATED" in page
    assert "3 sent = 2 stored + 1 rejected" in page
    assert "at_risk &lt;b&gt;" in page
    assert "median 2.5, half between 1 and 3" in page
    assert not re.search(r"<script|<link|src=|@import|href=\"http", page)
    assert not re.search(r"\$[a-z{]", page)
    assert page.count("<svg") == len(PICTURES)


def test_nothing_that_a_profile_holds_becomes_markup(
    report: dict[str, Any], tmp_path: Path
) -> None:
    write_page(report, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "&lt;b&gt;@example.org" in page
    assert page.index("user id u") < page.index("anonymous id c")


def test_the_checking_script_hashes_identifiers_as_the_product_does() -> None:
    keyring = Keyring(1, b"secret")
    for namespace, value in (("email", "anne@example.org"), ("user_id", "利用者:7")):
        assert key_of(f"{namespace}:{value}", 1, b"secret") == keyring.identifier_key(
            namespace, value
        )


CHECKING = ("verify", "checking.stack", "checking.buyers", "checking.segments")


@pytest.mark.parametrize("name", CHECKING)
def test_the_checking_script_imports_nothing_of_the_product(name: str) -> None:
    module = import_module(f"stamgast_cli.demo.{name}")
    text = Path(str(module.__file__)).read_text("utf-8")
    imported = re.findall(r"^\s*(?:from|import) (stamgast\S*)", text, re.MULTILINE)
    assert all(one.startswith("stamgast_cli.demo.checking.") for one in imported)


def test_one_figure_that_differs_makes_the_verdict_negative() -> None:
    verdict = Verdict()
    verdict.equal("same", 1, 1)
    verdict.equal("close", 0.1 + 0.2, 0.3)
    assert verdict.agrees
    verdict.equal("cents", 100, 101)
    assert not verdict.agrees


def test_models_stand_on_the_page_where_they_were_trained(
    report: dict[str, Any], tmp_path: Path
) -> None:
    write_page(report, tmp_path / "without.html")
    assert "stamgast demo --models" in (tmp_path / "without.html").read_text("utf-8")
    one = {"model": "buys", "title": "Buys <soon>", "kind": "propensity", "people": 2_400}
    judged = {"state": "kept_out", "why": "not shown to be better", "how_good": "brier 0.2"}
    write_page(report | {"models": [one | judged]}, tmp_path / "with.html")
    page = (tmp_path / "with.html").read_text("utf-8")
    assert "Buys &lt;soon&gt;" in page
    assert "<td>kept out</td><td>brier 0.2</td><td>not shown to be better</td>" in page


def test_a_model_whose_training_failed_says_so_and_the_report_stands(tmp_path: Path) -> None:
    model = Model("buys", Kind.PROPENSITY, "1", 30, Literal(True, Type.BOOLEAN), ())
    told = one_of(lambda _sql: [], model, tmp_path, "the run ended as FAILED in TrainModel")
    assert (told["state"], told["people"]) == ("not_trained", 0)
    assert told["why"] == "the run ended as FAILED in TrainModel"
    assert not list(tmp_path.iterdir())
