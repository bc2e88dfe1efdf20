"""What rules take out of an event, once for all of them: texts as JSON has them, and windows."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from duckdb import DuckDBPyConnection

from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.rules import rules_of
from stamgast.segments.language.tree import Type
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules import literals, passed
from stamgast_lake.rules.literals import read_json
from stamgast_lake.rules.passed import Passed
from tests.parity.rule_world import Happening, Someone, by_python, by_sql

DAY_MS = 86_400_000
NOW = Now(1_795_262_400_000, ZoneInfo("UTC"))
TEXTS = [
    "",
    "a",
    '"',
    "\\",
    'a\\"b',
    '""',
    "é",
    "日本",
    "👩‍👧",
    "a\nb",
    "\x01",
    "\\u0041",
    "null",
    "[1]",
]
OTHERS = [5, 5.5, True, None, [1], {"a": "b"}]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


def read(engine: DuckDBPyConnection, value: object) -> object:
    sql = read_json(Type.TEXT, "json_extract(told, '$.\"a\"')", "UTC")
    document = orjson.dumps({"a": value}).decode()
    return engine.execute(f"select {sql} from (select ? as told)", [document]).fetchall()[0][0]


def test_a_text_is_what_was_sent_and_nothing_else_is_a_text(engine: DuckDBPyConnection) -> None:
    assert [read(engine, text) for text in TEXTS] == TEXTS
    assert [read(engine, other) for other in OTHERS] == [None] * len(OTHERS)


def test_cutting_quotes_off_texts_with_escapes_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        literals, "_unquoted", lambda raw, _: f"substr({raw}, 2, length({raw}) - 2)"
    )
    assert [read(engine, text) for text in TEXTS] != TEXTS


RULES = rules_of(
    {
        "week": compile_rule("count(event = 'A', last 7 days) >= 1"),
        "month": compile_rule("count(event = 'A', last 30 days) >= 1"),
        "before": compile_rule("count(event = 'A', between 10 and 20 days ago) >= 1"),
        "spent": compile_rule("sum(properties.price, event = 'B', last 7 days) >= 1"),
    }
)
CROWD = [
    Someone(
        f"p{name}{ago}", [Happening(f"m{name}{ago}", NOW.ms - ago * DAY_MS, name, {"price": 2})]
    )
    for name in ("A", "B")
    for ago in (0, 6, 7, 15, 29, 30)
]
MEMBERS = {
    "week": {"pA0", "pA6"},
    "month": {"pA0", "pA6", "pA7", "pA15", "pA29"},
    "before": {"pA15"},
    "spent": {"pB0", "pB6"},
}


def test_an_event_stays_for_the_longest_window_of_its_filter(engine: DuckDBPyConnection) -> None:
    assert by_sql(engine, RULES, CROWD, NOW) == by_python(RULES, CROWD, NOW) == MEMBERS


def test_keeping_events_of_the_shortest_window_alone_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latest(used: list[Passed]) -> dict[str | None, int]:
        return {one.column: one.start_ms for one in sorted(used, key=lambda one: one.start_ms)}

    monkeypatch.setattr(passed, "_earliest", latest)
    assert by_sql(engine, RULES, CROWD, NOW) != MEMBERS
