"""The restore drill counts what the view holds, and spares a deployment unless told otherwise."""

import subprocess
import sys

from scripts.restore_drill import counts, edges, persons
from tests.infra.assembly import ROOT

ITEMS = {
    ("I#email:1a", "@"): {"person": {"S": "p1"}},
    ("I#user_id:1b", "@"): {"person": {"S": "p1"}},
    ("I#user_id:1b", "E#email:1a"): {"state": {"S": "active"}},
    ("I#user_id:1b", "L"): {},
    ("I#user_id:1b", "B"): {},
    ("I#user_id:1b", "X#1#m"): {},
    ("P#p1", "@"): {},
    ("P#p1", "R#rfm"): {},
}


def test_the_drill_compares_the_person_of_each_identifier() -> None:
    assert persons(ITEMS) == {"I#email:1a": "p1", "I#user_id:1b": "p1"}


def test_the_drill_compares_the_state_of_each_edge() -> None:
    assert edges(ITEMS) == {("I#user_id:1b", "E#email:1a"): "active"}


def test_the_drill_counts_each_kind_of_item() -> None:
    assert counts(ITEMS) == {
        "bases": 1,
        "edges": 1,
        "live": 1,
        "pointers": 2,
        "roots": 1,
        "rows of persons": 1,
        "timeline": 1,
    }


def test_a_deployed_view_is_emptied_only_when_that_is_said() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "restore_drill.py"), "--stack", "prod"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "--empties-the-view" in done.stderr
