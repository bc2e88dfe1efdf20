"""What columns weigh beside others that agree: over patterns counted by hand, and in SQL."""

import math
from typing import Any

import numpy as np
import pytest

from bench.generated_records import records
from stamgast.identity.records import RecordSettings
from stamgast_lake.engine import session
from stamgast_lake.logs import keep
from stamgast_lake.records import dependence
from stamgast_lake.records.comparisons import PARENTS, columns_in, place_sql
from stamgast_lake.records.dependence import ALIKE as ALIKE_AT_LEAST
from stamgast_lake.records.dependence import (
    DIFFERENT,
    DOUBT,
    EQUAL,
    MISSING,
    Dependent,
    Edge,
    Sampled,
    Seen,
    _believed,
    which_counts,
)
from stamgast_lake.records.dependence import NEARLY as NEARLY_EQUAL
from stamgast_lake.records.expectation import Beliefs, Fitted, Patterns, fit
from stamgast_lake.records.link import learn_and_link
from stamgast_lake.records.model import Dependence

SAME, NEARLY, ALIKE, OTHER = range(4)
GIVEN, STREET, POSTCODE = range(3)
SIZES = (2, 4, 2)
SETTINGS = RecordSettings(
    rules=("names", "surname:sound + postcode", "birth_date", "house + street")
)
IS_EQUAL, IS_OTHER = 0, 1
COUNTED = {
    (IS_EQUAL, SAME, IS_EQUAL): 900,
    (IS_EQUAL, NEARLY, IS_EQUAL): 120,
    (IS_OTHER, SAME, IS_EQUAL): 4_000,
    (IS_OTHER, NEARLY, IS_EQUAL): 40,
    (IS_OTHER, OTHER, IS_EQUAL): 20_000,
    (IS_EQUAL, OTHER, IS_OTHER): 9_000,
    (IS_OTHER, NEARLY, IS_OTHER): 2_000,
    (IS_OTHER, ALIKE, IS_OTHER): 90_000,
    (IS_OTHER, OTHER, IS_OTHER): 50_000_000,
}
"""One person's records, those of whom they live with, neighbours, and strangers.

Few of a household are reached where an address is mistyped.
"""


def fitted() -> Fitted:
    levels = np.array(list(COUNTED), dtype=np.int64)
    pairs = np.array(list(COUNTED.values()), dtype=np.float64)
    patterns = Patterns(levels, pairs, float(pairs.sum()), np.ones(3))
    shown = [
        np.bincount(levels[:, place], weights=pairs, minlength=size) / pairs.sum()
        for place, size in enumerate(SIZES)
    ]
    first = [np.array([0.7, *[0.3 / (size - 1)] * (size - 1)]) for size in SIZES]
    street = Edge((STREET, POSTCODE), ((1,),), moves=True)
    return fit(patterns, Beliefs(shown, first, [0.2, 0.5, 0.5], [street], patterns, 1e-5))


def weight_at_home(level: int) -> float:
    """What a level of the street weighs where the postcode agrees."""
    told: Any = fitted()
    own = np.log(told.m[STREET] / told.u[STREET])
    return float(own[level] + told.gains[0][0][EQUAL - 1][level])


def test_a_mistyped_street_says_no_more_than_an_equal_one_in_one_postcode() -> None:
    assert weight_at_home(NEARLY) <= weight_at_home(SAME) + 0.1


def test_taking_who_lives_together_for_strangers_who_are_alike_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dependence, "_typed", lambda shares: np.zeros(len(shares) - 1))
    assert weight_at_home(NEARLY) > weight_at_home(SAME) + 2


def test_a_few_pairs_of_others_who_agree_prove_no_household() -> None:
    """They may be matches that the fit did not recognise."""
    few, many = (np.array([[n, 0.0, 0.0], [0, 0, 0]]) for n in (DOUBT, 100 * DOUBT))
    own, of_parent = np.array([0.001, 0.002, 0.997]), np.array([1_000.0, 1_000.0])
    assert _believed(few, of_parent, own)[0].tolist() == [0.001, 0.002]
    assert _believed(many, of_parent, own)[0][0] > 0.4


HOUSE, SURNAME = 0, 2
AT_HOME = Edge((SURNAME, HOUSE, STREET), ((1, 2), (2,)), moves=False)
OTHERS = {
    (IS_EQUAL, IS_EQUAL, IS_EQUAL): 9_000,
    (IS_EQUAL, IS_EQUAL, IS_OTHER): 3_000,
    (-1, IS_EQUAL, IS_EQUAL): 4,
    (-1, IS_EQUAL, IS_OTHER): 8,
    (IS_OTHER, IS_EQUAL, IS_EQUAL): 80,
    (IS_OTHER, IS_EQUAL, IS_OTHER): 20_000,
}
"""Two people by house, street and surname: of one home, of a home whose number is missing, and
neighbours."""
CHANCE = 0.005


def surname_beside(way: int) -> float:
    """How often others of `OTHERS` agree in the surname where a parent that agrees counts so."""
    seen = Seen(np.array(list(OTHERS)), (2, 2, 2), np.array(list(OTHERS.values()), np.float64))
    nothing = Sampled(Seen(np.empty((0, 3), np.int64), (2, 2, 2), np.empty(0)), worth=1.0)
    m = [np.array([0.9, 0.1])] * 3
    u = [np.array([one, 1 - one]) for one in (0.01, 1e-4, CHANCE)]
    told = Dependent(AT_HOME, seen, nothing).shares(np.zeros(6), m, u, np.full(3, 1e8))
    return float(told[way].of_others[EQUAL - 1][0])


WHERE_SILENT, WHERE_IT_DIFFERS = 1, 2


def test_a_missing_number_leaves_a_street_as_telling_as_it_is_for_all_others() -> None:
    """Of who shares the street 9,084 of 32,092 share the surname, and most of these a home."""
    assert surname_beside(WHERE_SILENT) == pytest.approx(9_084 / 32_092, rel=0.01)
    assert surname_beside(WHERE_IT_DIFFERS) < 2 * CHANCE


def test_counting_a_parent_only_where_it_counts_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dozen homes without a number prove nothing, beside all who share a street by chance."""
    table = dependence._table

    def only_where_it_counts(
        child: Any, parents: Any, by: Any, size: int, nth: int, weights: Any
    ) -> Any:
        parent = parents[dependence.place_of(nth, len(parents))]
        return table(child, parent, size, by == nth, weights)

    monkeypatch.setattr(dependence, "_counted", only_where_it_counts)
    assert surname_beside(WHERE_SILENT) < 2 * CHANCE


def test_neighbours_whose_numbers_differ_are_no_home() -> None:
    """The street agrees in all; the number says which way it counts."""
    agrees, differs, silent = (np.array([one]) for one in (EQUAL, DIFFERENT, MISSING))
    assert which_counts([agrees, agrees]).tolist() == [0]
    assert which_counts([silent, agrees]).tolist() == [WHERE_SILENT]
    assert which_counts([differs, agrees]).tolist() == [WHERE_IT_DIFFERS]
    assert which_counts([differs, silent]).tolist() == [0]
    assert which_counts([silent, differs]).tolist() == [1]
    assert which_counts([silent, silent]).tolist() == [-1]


def test_every_column_of_a_home_is_weighed_beside_street_and_town_without_a_postcode() -> None:
    """Without, two of one home whose postcode is missing had been taken for one person."""
    for column in ("house", "surname", "birth_date", "phone"):
        assert ("street", "locality") in PARENTS[column]


def class_of(place: int, size: int) -> int:
    """The class of a level: equal, nearly equal, alike, different; 0 where it is missing."""
    if place < 0:
        return 0
    return {0: EQUAL, size - 1: DIFFERENT, 1: NEARLY_EQUAL}.get(place, ALIKE_AT_LEAST)


def bits_by_hand(told: Dependence, places: dict[str, int], sizes: dict[str, int]) -> float:
    """What a pair's parents add to a column: the first that agrees tells, else the first known.

    One that agrees although one before it differs has gains of its own.
    """
    of_parents = [[class_of(places[one], sizes[one]) for one in parent] for parent in told.parents]
    known = [(nth, max(found)) for nth, found in enumerate(of_parents) if min(found) > 0]
    agreeing = [(nth, found) for nth, found in known if found < DIFFERENT]
    if not known or places[told.column] < 0:
        return 0.0
    nth, found = (agreeing or known)[0]
    differing = [place for place, other in known if place < nth and other == DIFFERENT]
    nth += len(told.parents) - 1 if differing else 0
    return told.gains[nth][found - EQUAL][places[told.column]]


@pytest.mark.deep
def test_what_sql_adds_to_a_column_is_what_the_model_says_by_hand() -> None:
    """Of levels below equal: at these the frequency of a value adds nothing besides."""
    rows = records(400, seed=3).drop_columns(["truth"])
    with session() as engine:
        model, links = learn_and_link(engine, rows, SETTINGS, 1e-9)
        told = {
            one.column: {"comparison_levels": [lev.told for lev in one.levels]}
            for one in model.comparisons
        }
        keep(engine, "scored", links)
        columns = ", ".join(
            f'l."{c}" as "{c}_l", r."{c}" as "{c}_r"' for c in columns_in(told.values())
        )
        places = ", ".join(f'{place_sql(one)} as "{name}"' for name, one in told.items())
        shown = (
            engine.sql(
                f"with compared as (select scored.*, {columns} from scored"
                " join record l on l.record_id = scored.a join record r on r.record_id = scored.b)"
                f" select {places}, columns('weight_.*') from compared"
            )
            .to_arrow_table()
            .to_pylist()
        )
    sizes = {one.column: len(one.levels) - 1 for one in model.comparisons}
    own = {
        one.column: [math.log2(lev.m / lev.u) for lev in one.levels[1:]]
        for one in model.comparisons
    }
    seen = 0
    for row in shown:
        for one in model.dependences:
            if row[one.column] > 0:
                expected = own[one.column][row[one.column]] + bits_by_hand(one, row, sizes)
                assert row[f"weight_{one.column}"] == pytest.approx(expected, abs=1e-4)
                seen += 1
    assert seen > 100
