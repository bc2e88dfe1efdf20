"""Counts that are made outside SQL are those of the language, however many people at once."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.rules import rules_of
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules import counts, expressions, literals
from stamgast_lake.rules.passed import Marks
from tests.parity.rule_world import Happening, Someone, by_python, by_sql

DAY_MS = 86_400_000
NOW = Now(1_774_746_000_000, ZoneInfo("Europe/Amsterdam"))
TEXTS = (
    "count(event = 'Seen', last 7 days) >= 2",
    "count(event = 'Seen') >= 2",
    "count(properties.kind = 'Wine', last 30 days) >= 1",
    "count(not (properties.kind = 'Wine')) >= 1",
    "count(event = 'Seen', between 55 and 65 days ago) = 1",
    "count(event = 'Never') = 0",
    "count() >= 3 and count(event = 'Seen', last 2 hours) = 0",
    *(f"count(event = 'Named {n}') >= 1" for n in range(9)),
)
RULES = rules_of({f"s{place}": compile_rule(text) for place, text in enumerate(TEXTS)})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


def seen(key: str, days_ago: float, event: str = "Seen", **properties: object) -> Happening:
    return Happening(key, NOW.ms - int(days_ago * DAY_MS), event, properties)


CROWD = [
    Someone("p1", (seen("a1", 1), seen("a2", 2, kind="Wine"), seen("a3", 60, kind="Beer"))),
    Someone("p2", (seen("b1", 0.01, kind=7), seen("b2", 70), seen("b3", 71, "Named 8"))),
    Someone("p3", tuple(seen(f"c{n}", 40 + n, f"Named {n}", kind='"') for n in range(9))),
    Someone("p4", ()),
    Someone("p5", (seen("d1", -1), seen("d2", 300, kind=None))),
]


def agrees(engine: DuckDBPyConnection) -> bool:
    return by_sql(engine, RULES, CROWD, NOW) == by_python(RULES, CROWD, NOW)


@pytest.mark.parametrize("most_cells", [1, 100, 64_000_000])
def test_counts_are_the_same_of_one_person_at_once_and_of_all(
    engine: DuckDBPyConnection, most_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_CELLS", most_cells)
    assert agrees(engine)


def test_nobody_is_counted_where_there_is_nobody(engine: DuckDBPyConnection) -> None:
    assert by_sql(engine, RULES, [], NOW) == by_python(RULES, [], NOW)


def test_a_count_that_takes_every_window_for_the_longest_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marks, "rings", lambda self, _: range(len(self.instants) + 1))
    assert not agrees(engine)


def test_a_count_that_reads_the_first_eight_filters_for_all_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = counts.Counts._counted

    def of_first(
        self: counts.Counts, rows: pa.RecordBatchReader, persons: range
    ) -> npt.NDArray[np.uint32]:
        table = rows.read_all()
        return counted(self, table.set_column(3, "w1", table["w0"]).to_reader(), persons)

    monkeypatch.setattr(counts.Counts, "_counted", of_first)
    assert not agrees(engine)


LIKE_JSON = ("Wine", "7", "null", "true", 'a "b"', "back\\slash", "tab\t", "é/ü", "😀", "\x7f", "")
LIKED = [
    *(Someone(f"t{n}", (), traits={"a": told}) for n, told in enumerate(LIKE_JSON)),
    *(Someone(f"o{n}", (), traits={"a": told}) for n, told in enumerate((7, None, True, ["Wine"]))),
    Someone("nobody", ()),
]


def quoted(told: str) -> str:
    return "'" + told.replace("'", "''") + "'"


ASKED = rules_of(
    {
        **{f"is{n}": compile_rule(f"traits.a = {quoted(one)}") for n, one in enumerate(LIKE_JSON)},
        **{f"no{n}": compile_rule(f"traits.a != {quoted(one)}") for n, one in enumerate(LIKE_JSON)},
        "among": compile_rule(f"not (traits.a in ({', '.join(map(quoted, LIKE_JSON[:4]))}))"),
        "mixed": compile_rule(f"traits.a in ({', '.join(map(quoted, LIKE_JSON))})"),
    }
)


def test_a_text_equals_itself_alone_however_a_document_writes_it(
    engine: DuckDBPyConnection,
) -> None:
    found = by_sql(engine, ASKED, LIKED, NOW)
    assert found == by_python(ASKED, LIKED, NOW)
    assert [found[f"is{n}"] for n in range(len(LIKE_JSON))] == [{f"t{n}"} for n in range(11)]


def test_a_reading_that_forgets_the_escapes_of_a_text_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expressions, "quotation", lambda told: f'"{told}"')
    assert by_sql(engine, ASKED, LIKED, NOW) != by_python(ASKED, LIKED, NOW)


def test_a_reading_that_takes_other_values_for_texts_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = literals.read_quotation
    monkeypatch.setattr(
        "stamgast_lake.rules.extractions.read_quotation",
        lambda json: f"coalesce({known(json)}, cast({json} as varchar))",
    )
    assert by_sql(engine, ASKED, LIKED, NOW) != by_python(ASKED, LIKED, NOW)
