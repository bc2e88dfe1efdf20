"""Files of records are read each by its own headers, and what is amiss is said."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from stamgast_cli.errors import InputError
from stamgast_cli.linking.reading import Told, in_columns, read_files
from stamgast_lake.engine import EngineSettings, session

ENGLISH = pa.table({"rec": ["1"], "first_name": ["Ada"], "dob": ["1815-12-10"], "who": ["a"]})
GERMAN = pa.table({"rec": ["2"], "vorname": ["Ada"], "geburtsdatum": ["1815"], "who": ["a"]})


def test_files_with_other_headers_are_one_set() -> None:
    headers, records = in_columns([ENGLISH, GERMAN], Told("rec", "who", {}, ()))
    assert headers.by_column == {
        "given_name": "first_name, vorname",
        "birth_date": "dob, geburtsdatum",
    }
    assert records.to_pylist() == [
        {"record_id": "1", "truth": "a", "given_name": "Ada", "birth_date": "1815-12-10"},
        {"record_id": "2", "truth": "a", "given_name": "Ada", "birth_date": "1815"},
    ]


def test_a_header_that_was_named_is_looked_for_in_each_file() -> None:
    other = pa.table({"name_2": ["Byron"], "dob": ["1815"]})
    headers, records = in_columns([ENGLISH, other], Told(None, None, {"surname": "name_2"}, ()))
    assert headers.by_column["surname"] == "name_2"
    assert records["surname"].to_pylist() == [None, "Byron"]
    assert records["record_id"].to_pylist() == ["row 1", "row 2"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"named": {"surname": "nix"}}, "--column surname: no file has a column 'nix'"),
        ({"named": {"surnme": "dob"}}, "'surnme' is no comparison column"),
        ({"id_column": "nix"}, "--id: no column 'nix'"),
        ({"ignore": ("dob",)}, "fewer than two columns"),
    ],
)
def test_columns_that_cannot_be_are_refused_with_the_reason(
    told: Mapping[str, object], why: str
) -> None:
    asked = Told(**{"id_column": None, "truth": None, "named": {}, "ignore": (), **told})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=why):
        in_columns([ENGLISH], asked)


def test_ids_that_repeat_or_lack_are_refused() -> None:
    for rec, why in ((["1", "1"], "repeat"), (["1", None], "1 records have no 'rec'")):
        rows = pa.table({"rec": rec, "first_name": ["a", "b"], "dob": ["1815", "1816"]})
        with pytest.raises(InputError, match=why):
            in_columns([rows], Told("rec", None, {}, ()))


def test_a_file_is_known_by_its_ending_in_any_case_and_an_empty_one_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "A.CSV").write_text("first_name,dob\nAda,1815\n")
    (tmp_path / "empty.csv").touch()
    with session(EngineSettings(256, 1, tmp_path)) as engine:
        (rows,) = read_files(engine, [tmp_path / "A.CSV"])
        assert rows.to_pylist() == [{"first_name": "Ada", "dob": "1815"}]
        with pytest.raises(InputError, match=r"empty\.csv is empty"):
            read_files(engine, [tmp_path / "empty.csv"])
