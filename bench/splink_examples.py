"""Splink's documented examples for Febrl 3 and Febrl 4, without `soc_sec_id`.

The rules, comparisons and training are those of the notebooks `docs/demos/examples/duckdb/febrl3`
and `…/febrl4` (the "detailed" and the "extended" model) in Splink's repository, as of its version
5. What names `soc_sec_id` is left out: its blocking rule, its comparison, its certain rule.
Where a set has no birth date, rules and sessions that need it fall away and the session on names
takes its place.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from splink import Linker

SWAPPED = "l.given_name = r.surname and l.surname = r.given_name"
FEBRL_3_RULES = ("given_name", "surname", "birth_date", "postcode")
FEBRL_4_RULES = (
    "given_name, surname",
    SWAPPED,
    "birth_date",
    "region, street",
    "house, street",
    "postcode",
)
RECALL = {"dedupe_only": 0.9, "link_only": 0.8}
LEAST = 0.5
EXAMPLE = """
    create temp table {0} as
    select record_id as unique_id, * replace ({1}),
        given_name || '_' || surname as full_name
    from rows_in where {2}
"""


def splinks(
    engine: "DuckDBPyConnection", rows: pa.Table, *, is_linking: bool, is_extended: bool
) -> tuple[pa.Table, list[str]]:
    """Links by the example for deduplication, or for two files; and the SQL of its rules."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    columns = set(rows.column_names)
    tables = _tables(engine, rows, is_linking=is_linking)
    rules = [one for one in (FEBRL_4_RULES if is_linking else FEBRL_3_RULES) if _has(one, columns)]
    link_type = "link_only" if is_linking else "dedupe_only"
    settings = SettingsCreator(
        link_type=link_type,
        blocking_rules_to_generate_predictions=[
            one if "=" in one else block_on(*one.split(", ")) for one in rules
        ],
        comparisons=[
            told
            for column, told in _comparisons(is_linking, is_extended).items()
            if column in columns
        ],
        retain_matching_columns=False,
    )
    database = DuckDBAPI(connection=engine)
    linker = Linker([database.register(one) for one in tables], settings, log_level=None)
    _train(linker, columns, RECALL[link_type], is_linking=is_linking)
    scored = linker.inference.predict(threshold_match_probability=LEAST).physical_name
    links = engine.sql(
        f"select least(unique_id_l, unique_id_r) as a, greatest(unique_id_l, unique_id_r) as b,"
        f" match_probability as probability from {scored}"
    ).to_arrow_table()
    return links, [_sql(one) for one in rules]


def _tables(engine: "DuckDBPyConnection", rows: pa.Table, *, is_linking: bool) -> Sequence[str]:
    """The example's tables; dates as `yyyymmdd`, as Febrl has them."""
    engine.register("rows_in", rows)
    dates = "replace(birth_date, '-', '') as birth_date"
    replaced = dates if "birth_date" in rows.column_names else "record_id as record_id"
    sides = {"example": "true"}
    if is_linking:
        sides = {"example_a": "record_id like '%-org'", "example_b": "record_id not like '%-org'"}
    for name, which in sides.items():
        engine.execute(EXAMPLE.format(name, replaced, which))
    return list(sides)


def _comparisons(is_linking: bool, is_extended: bool) -> Mapping[str, Any]:
    import splink.comparison_library as cl

    tf: Any = {"term_frequency_adjustments": True}
    names: dict[str, Any] = {one: cl.NameComparison(one) for one in ("given_name", "surname")}
    if is_linking:
        names = {one: told.configure(**tf) for one, told in names.items()}
    if is_extended:
        names = {"given_name": _full_name()}
    postcode: Any = cl.ExactMatch("postcode")
    if is_linking:
        postcode = cl.DamerauLevenshteinAtThresholds("postcode", [1, 2])
    house: Any = cl.ExactMatch("house")
    if is_extended:
        house = cl.DamerauLevenshteinAtThresholds("house", [1])
    return {
        **names,
        "birth_date": cl.DateOfBirthComparison(
            "birth_date",
            input_is_string=True,
            datetime_format="%Y%m%d",
            invalid_dates_as_null=is_linking,
        ),
        "house": house.configure(**tf),
        "postcode": postcode.configure(**tf),
    }


def _full_name() -> dict[str, Any]:
    """Both names in one comparison, as the extended model has it."""
    import splink.comparison_level_library as cll

    crossed = (
        "jaro_winkler_similarity(given_name_l, surname_r)"
        " + jaro_winkler_similarity(surname_l, given_name_r)"
    )
    return {
        "output_column_name": "full_name",
        "comparison_levels": [
            {
                "sql_condition": "(given_name_l is null or given_name_r is null)"
                " and (surname_l is null or surname_r is null)",
                "label_for_charts": "missing",
                "is_null_level": True,
            },
            cll.ExactMatchLevel("full_name", term_frequency_adjustments=True),
            cll.JaroWinklerLevel("full_name", 0.9),
            cll.JaroWinklerLevel("full_name", 0.7),
            cll.ColumnsReversedLevel("given_name", "surname"),
            {"sql_condition": f"{crossed} >= 1.8", "label_for_charts": "switched, 1.8"},
            {"sql_condition": f"{crossed} >= 1.4", "label_for_charts": "switched, 1.4"},
            cll.ExactMatchLevel("given_name", term_frequency_adjustments=True),
            cll.ExactMatchLevel("surname", term_frequency_adjustments=True),
            {
                "sql_condition": "given_name_l = surname_r or surname_l = given_name_r",
                "label_for_charts": "one name switched",
            },
            cll.JaroWinklerLevel("given_name", 0.9),
            cll.JaroWinklerLevel("surname", 0.9),
            cll.ElseLevel(),
        ],
    }


def _train(linker: "Linker", columns: set[str], recall: float, *, is_linking: bool) -> None:
    from splink import block_on

    training = linker.training
    if "birth_date" in columns:
        certain = ["given_name, surname, birth_date"]
        if not is_linking:
            certain.append(f"{SWAPPED} and l.birth_date = r.birth_date")
        training.estimate_probability_two_random_records_match(
            [one if "=" in one else block_on(*one.split(", ")) for one in certain], recall=recall
        )
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=2)
    for one in ("birth_date" if "birth_date" in columns else "surname", "postcode"):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(one), estimate_without_term_frequencies=is_linking
        )


def _has(rule: str, columns: set[str]) -> bool:
    return "=" in rule or set(rule.split(", ")) <= columns


def _sql(rule: str) -> str:
    """The rule as a condition on `l` and `r`."""
    return rule if "=" in rule else " and ".join(f"l.{one} = r.{one}" for one in rule.split(", "))
