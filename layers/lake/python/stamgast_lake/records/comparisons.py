"""How two records are compared: Splink's comparisons with the levels that settings ask for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stamgast.identity.records import COLUMNS, ColumnKind, RecordSettings, Similarity
from stamgast_lake.records.dependence import (
    ALIKE,
    DIFFERENT,
    EQUAL,
    MISSING,
    NEARLY,
    Edge,
)

OTHER_NAME = {"given_name": "surname", "surname": "given_name"}
OTHER_LINE = {"street": "street_2", "street_2": "street"}
EXCHANGED = 0.8
SHORTEST_PREFIX = 3
SECOND = {"surname": "given_name", "street_2": "street"}
"""An exchange is one mistake: it counts at the first of two columns, and the second is silent."""
ADDRESS = ("house", "street", "street_2", "locality", "region", "country")
HOME = ("street", "house")
PARENTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "locality": (("postcode",),),
    "region": (("locality",), ("postcode",)),
    "country": (("region",), ("locality",), ("postcode",)),
    "street": (("postcode",), ("locality",)),
    "street_2": (("street",), ("postcode",), ("locality",)),
    "house": (
        ("street", "postcode"),
        ("street", "locality"),
        ("street",),
        ("postcode",),
        ("locality",),
    ),
    "surname": (
        HOME,
        ("street", "postcode"),
        ("street", "locality"),
        ("house", "postcode"),
        ("street",),
        ("postcode",),
        ("house", "locality"),
        ("locality",),
    ),
    "birth_date": (
        HOME,
        ("surname", "street", "postcode"),
        ("surname", "postcode"),
        ("surname", "locality"),
        ("street", "postcode"),
        ("street", "locality"),
        ("house", "postcode"),
        ("postcode",),
    ),
    "phone": (
        HOME,
        ("street", "postcode"),
        ("street", "locality"),
        ("surname", "postcode"),
        ("house", "postcode"),
        ("surname", "locality"),
        ("postcode",),
    ),
    "email": (("given_name",), ("surname",)),
    "gender": (("given_name",),),
}
"""What a column follows from: a town from its postcode, a household's surname from its address.

Twins, and who else is written down with one birth date, live together: that a date agrees says less
of two who do.
"""
BORN_WITH = ("given_name", "surname", "birth_date", "gender", "birth_place")
MOST_DIFFERENT, MOST_DIFFERENT_ELSEWHERE = 0.2, 0.5
"""Of one person's records, at most this share differs: people move, but are born once."""
NAMED_APART = ("given_name", "gender")
"""What tells members of a household apart, who agree in all the rest."""
VOUCHED = (("given_name", "birth_date"), ("birth_date", "given_name"))
"""Members of a household seldom share one of these two: matches that do tell how the other errs."""
FREQUENCY_FLOOR = 1e-7
PRIOR_OF_EQUAL = 0.7
"""What is believed of matches before any is seen: most agree, and the rest is shared out."""

Level = dict[str, Any]


def comparisons_of(settings: RecordSettings, columns: Sequence[str]) -> list[dict[str, Any]]:
    """A Splink comparison for each of the columns that the data have, most alike level first."""
    return [
        {
            "output_column_name": column,
            "comparison_levels": _levels(column, settings.similarity(column), set(columns)),
        }
        for column in columns
    ]


def _levels(column: str, alike: Similarity, present: set[str]) -> list[Level]:
    kind = COLUMNS[column]
    silent = f'"{column}_l" is null or "{column}_r" is null'
    if column in SECOND and SECOND[column] in present:
        silent += f" or {_exchanged(column, SECOND[column])}"
    missing = {
        "sql_condition": silent,
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    told = [_equal(column), *_nearly(column, kind, alike, present)]
    return [missing, *told, {"sql_condition": "ELSE", "label_for_charts": "different"}]


def _equal(column: str) -> Level:
    return {
        "sql_condition": f'"{column}_l" = "{column}_r"',
        "label_for_charts": "equal",
        "tf_adjustment_column": column,
        "tf_adjustment_weight": 1.0,
        "tf_minimum_u_value": FREQUENCY_FLOOR,
    }


def _nearly(column: str, kind: ColumnKind, alike: Similarity, present: set[str]) -> Iterable[Level]:
    if kind is ColumnKind.EMAIL:
        yield _level('"email_local_l" = "email_local_r"', "equal before the @")
        column = "email_local"
    worth = _shares_an_end(column)
    for value in alike.jaro_winkler:
        yield _level(
            f'{worth} and jaro_winkler_similarity("{column}_l", "{column}_r") >= {value}',
            f"alike ({value})",
        )
    if kind is ColumnKind.DATE:
        yield from _of_dates(column)
    for edits in alike.edits:
        yield _level(
            f'{worth} and damerau_levenshtein("{column}_l", "{column}_r") <= {edits}',
            f"edits ({edits})",
        )
    other = {**OTHER_NAME, **OTHER_LINE}.get(column)
    if column not in SECOND and other is not None and other in present:
        yield _level(_exchanged(column, other), "exchanged with the other")
    if kind in (ColumnKind.NAME, ColumnKind.STREET, ColumnKind.TEXT):
        yield _level(
            f'starts_with("{column}_l", "{column}_r") or starts_with("{column}_r", "{column}_l")',
            "one begins the other",
        )
    if kind is ColumnKind.CODE:
        yield _level(
            f'left("{column}_l", {SHORTEST_PREFIX}) = left("{column}_r", {SHORTEST_PREFIX})',
            f"first {SHORTEST_PREFIX} equal",
        )


def _exchanged(column: str, other: str) -> str:
    """One stands in the other's place, and what stands in its own place is at least alike."""
    return (
        f'("{column}_l" = "{other}_r" and'
        f' jaro_winkler_similarity("{other}_l", "{column}_r") >= {EXCHANGED})'
        f' or ("{column}_r" = "{other}_l" and'
        f' jaro_winkler_similarity("{other}_r", "{column}_l") >= {EXCHANGED})'
    )


def _shares_an_end(column: str) -> str:
    """Cheap, and true of nearly all pairs that are alike: a typing error spares one of the ends."""
    left, right = f'"{column}_l"', f'"{column}_r"'
    return f"(left({left}, 1) = left({right}, 1) or right({left}, 1) = right({right}, 1))"


def _of_dates(column: str) -> Iterable[Level]:
    left, right = f'"{column}_l"', f'"{column}_r"'
    both_whole = f"length({left}) = 8 and length({right}) = 8"
    yield _level(
        f"starts_with({left}, {right}) or starts_with({right}, {left})", "one is part of the other"
    )
    yield _level(
        f"left({left}, 4) = left({right}, 4) and substr({left}, 5, 2) = substr({right}, 7, 2)"
        f" and substr({left}, 7, 2) = substr({right}, 5, 2)",
        "day and month exchanged",
    )
    for digits in (1, 2):
        yield _level(f"{both_whole} and hamming({left}, {right}) <= {digits}", f"digits ({digits})")


def _level(condition: str, label: str) -> Level:
    return {"sql_condition": condition, "label_for_charts": label}


def place_sql(comparison: Mapping[str, Any]) -> str:
    """The place of a pair's level, 0 for the most alike and −1 where a value is missing."""
    told = comparison["comparison_levels"]
    whens = [
        f"when {level['sql_condition']} then {place}" for place, level in enumerate(told[:-1], -1)
    ]
    return f"case {' '.join(whens)} else {len(told) - 2} end"


def columns_in(comparisons: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns of `record` that comparisons look at."""
    told = " ".join(
        level["sql_condition"] for one in comparisons for level in one["comparison_levels"]
    )
    return sorted(set(re.findall(r'"(\w+)_l"', told)))


def living(columns: Sequence[str]) -> tuple[int, ...]:
    """The places of columns of which one differs where two do not live together.

    A postcode that is another one says more than a street or a number, in which people mistype.
    """
    home = ("postcode",) if "postcode" in columns else HOME
    return tuple(columns.index(one) for one in home if one in columns)


def named_apart(columns: Sequence[str]) -> tuple[int, ...]:
    """The places of columns that tell members of a household apart."""
    return tuple(columns.index(one) for one in NAMED_APART if one in columns)


def vouched(columns: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """The places of columns, each with that of the column whose equality vouches for a person."""
    return tuple(
        (columns.index(one), columns.index(other))
        for one, other in VOUCHED
        if {one, other} <= set(columns)
    )


def class_sql(place: str, comparison: Mapping[str, Any]) -> str:
    """The class of a pair's level in a column, by its place: `dependence.CLASSES`."""
    last = len(comparison["comparison_levels"]) - 2
    return (
        f"case {place} when -1 then {MISSING} when 0 then {EQUAL} when {last} then {DIFFERENT}"
        f" when 1 then {NEARLY} else {ALIKE} end"
    )


def edges_of(columns: Sequence[str]) -> list[Edge]:
    """The dependences among the columns of a model."""
    edges = []
    for child in columns:
        parents = [one for one in PARENTS.get(child, ()) if set(one) <= set(columns)]
        if parents:
            told = list(dict.fromkeys([child, *(name for one in parents for name in one)]))
            edges.append(
                Edge(
                    columns=tuple(columns.index(name) for name in told),
                    parents=tuple(tuple(told.index(name) for name in one) for one in parents),
                    moves=child in ADDRESS,
                )
            )
    return edges
