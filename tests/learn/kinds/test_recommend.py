"""Recommendations know no later days, offer nothing excluded, and say if they are no better."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from stamgast_learn.parquet import read_columns, write_columns
from stamgast_learn.predict.run import Order
from stamgast_learn.recommend.baskets import read_baskets
from stamgast_learn.recommend.judged import MODEL, Tried, coverage, judge, sureness
from stamgast_learn.recommend.kept import recommender_of
from stamgast_learn.recommend.known import known_at
from stamgast_learn.recommend.run import learn_run, score_run

SETTINGS = {
    "of": "product",
    "number": 3,
    "least_buyers": 10,
    "not_bought_within_days": 0,
    "out_of_stock": [],
    "not_categories": [],
}
ORDER = Order(
    *("next", "1", (), 30, 100, 0.01, 365, True), kind="recommendation", settings=SETTINGS
)
START, PEOPLE, GROUPS, ITEMS, DAYS = 20_000, 300, 3, 8, 240
CUTS = (START + 120, START + 150, START + 180, START + 210)
NOW = START + DAYS


def shop(folder: Path, *, tastes: bool = True, later: Sequence[int] = ()) -> Path:
    """A panel of people who buy within one group of items each; without tastes, anything.

    Nobody of the last ten has bought anything; their cell is the group that they live with.
    """
    random = np.random.default_rng(3)
    person, day, item = [], [], []
    for number in range(PEOPLE - 10):
        for bought in np.cumsum(random.exponential(14, 40)):
            if bought < DAYS:
                group = number % GROUPS if tastes else random.integers(GROUPS)
                person.append(number)
                day.append(START + int(bought))
                item.append(int(group) * ITEMS + int(random.integers(ITEMS)))
    for extra in later:
        person.append(0), day.append(extra), item.append(GROUPS * ITEMS - 1)
    return _write(folder / "panel.parquet", np.array(person), np.array(day), np.array(item))


def _write(path: Path, person: np.ndarray, day: np.ndarray, item: np.ndarray) -> Path:
    cuts = [*((cut, 0.0) for cut in CUTS), (NOW, np.nan)]
    meant = np.tile(np.arange(PEOPLE), len(cuts))
    rows, lines = len(meant), len(person)
    days = np.concatenate([np.repeat([cut for cut, _ in cuts], PEOPLE), day])
    label = np.concatenate(
        [np.repeat([label for _, label in cuts], PEOPLE), np.full(lines, np.nan)]
    )
    nothing = np.full(rows, None, dtype=object)
    write_columns(
        path,
        {
            "person_id": _names("p", np.append(meant, person)),
            "cut_on": days.astype("datetime64[D]").astype("datetime64[us]"),
            "label": label,
            "cell": np.append(_names("g", meant % GROUPS), np.full(lines, None, dtype=object)),
            "product": np.append(nothing, _names("i", item)),
            "category": np.append(nothing, _names("c", item // ITEMS)),
        },
    )
    return path


def _names(prefix: str, codes: np.ndarray) -> np.ndarray:
    return np.array([f"{prefix}{code:03}" for code in codes], dtype=object)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A panel, and a recommender of it, judged by what people had not bought before."""
    path = shop(tmp_path_factory.mktemp("shop"))
    settings = {**SETTINGS, "not_bought_within_days": 365}
    outcome, told = learn_run(replace(ORDER, settings=settings), path, None)
    assert outcome.is_used, outcome.why
    assert told is not None
    return path, told


def offers(order: Order, made: tuple[Path, bytes], folder: Path) -> dict[str, str]:
    """What everybody is offered, as JSON."""
    path, told = made
    score_run(order, told, path, folder / "scores.parquet")
    rows = read_columns(folder / "scores.parquet")
    return dict(zip(rows["person_id"], rows["reasons"], strict=True))


def test_offers_are_as_sure_as_they_came_to_everybody_and_not_to_buyers_alone() -> None:
    """Of three, one is offered nothing and one buys nothing; of buyers alone all would come."""
    offered = np.array([[0, 1], [0, -1], [-1, -1]])
    odds = np.array([[0.6, 0.4], [0.5, -1.0], [-1.0, -1.0]])
    came = csr_array(np.array([[1, 1], [0, 0], [1, 1]]))
    told = sureness(np.array([7, 8, 9]), offered, odds, came)
    assert told.person.tolist() == [7, 8]
    assert told.stated.tolist() == [0.5, 0.5]
    assert told.came.tolist() == [1.0, 0.0]
    buyers = told.came[np.isin(told.person, [7])]
    assert buyers.mean() > told.stated.mean() == told.came.mean()


def tried(cut: int, bought: list[int]) -> Tried:
    """A cut-off at which three people are offered the first of two items."""
    offered, people = np.zeros((3, 1), dtype=np.int64), np.arange(3)
    came = csr_array((np.ones(3), (people, bought)), shape=(3, 2))
    sure = sureness(people, offered, np.full((3, 1), 0.5), came)
    covered = {MODEL: coverage(offered, people, 2)}
    return Tried(cut, people, came, {MODEL: offered}, sure, 2, covered)


def test_figures_are_of_the_newest_cut_off_and_older_ones_stand_beside_it() -> None:
    told = judge([tried(CUTS[0], [1, 1, 1]), tried(CUTS[1], [0, 0, 0])])
    assert told.figures[MODEL].recall.value == told.observed.value == 1.0
    assert [one["ndcg"][MODEL] for one in told.cuts] == [0.0, 1.0]
    assert told.ranked_on == told.cuts[1]["cut_on"]


def test_where_everything_is_offered_that_is_not_sure_of_others() -> None:
    told = coverage(np.tile([0, 1], (50, 1)), np.arange(50), 2)
    assert (told.value, told.high) == (1.0, 1.0)
    assert told.low < 1.0


def test_nothing_of_a_cut_offs_day_or_after_it_is_known(tmp_path: Path) -> None:
    cut = CUTS[1]
    one = known_at(read_baskets(shop(tmp_path), SETTINGS), cut, 10)
    later = known_at(read_baskets(shop(tmp_path, later=[cut, cut + 9]), SETTINGS), cut, 10)
    for name in ("person", "item", "days", "weight", "last", "offered"):
        np.testing.assert_array_equal(getattr(one, name), getattr(later, name))
    leaky = known_at(read_baskets(shop(tmp_path, later=[cut, cut + 9]), SETTINGS), cut + 10, 10)
    assert len(leaky.days) != len(one.days) or not np.array_equal(leaky.weight, one.weight)


def test_without_tastes_it_says_that_it_is_no_better(tmp_path: Path) -> None:
    outcome, told = learn_run(ORDER, shop(tmp_path, tastes=False), None)
    assert told is None
    assert "not shown to be better than" in str(outcome.why)
    assert outcome.report["judgement"]["figures"]["popularity"]["ndcg"]["value"] > 0


def test_what_is_out_of_stock_or_of_an_excluded_category_is_offered_to_nobody(
    made: tuple[Path, bytes], tmp_path: Path
) -> None:
    settings = {**SETTINGS, "out_of_stock": ["i000"], "not_categories": ["c001"]}
    told = " ".join(offers(replace(ORDER, settings=settings), made, tmp_path).values())
    assert "i000" not in told
    assert "c001" not in told
    assert "i001" in told


def test_what_was_just_bought_is_not_offered_again(
    made: tuple[Path, bytes], tmp_path: Path
) -> None:
    settings = {**SETTINGS, "not_bought_within_days": 60}
    told = offers(replace(ORDER, settings=settings), made, tmp_path)
    baskets = read_baskets(made[0], SETTINGS)
    recent = baskets.day >= NOW - 60
    for person, item in zip(
        baskets.person[recent], baskets.items[baskets.item[recent]], strict=True
    ):
        assert f'"{item}"' not in told[baskets.people[person]]


def test_who_has_bought_nothing_is_offered_what_their_cell_buys(
    made: tuple[Path, bytes], tmp_path: Path
) -> None:
    told = offers(ORDER, made, tmp_path)
    for number in range(PEOPLE - 10, PEOPLE):
        assert told[f"p{number:03}"].count(f'"c{number % GROUPS:03}"') == 3
        assert '"popular"' in told[f"p{number:03}"]


def test_a_recommender_is_arrays_and_says_the_same_again(
    made: tuple[Path, bytes], tmp_path: Path
) -> None:
    again = recommender_of(made[1]).dumped()
    assert offers(ORDER, made, tmp_path) == offers(ORDER, (made[0], again), tmp_path)


def test_coverage_has_an_interval_around_it() -> None:
    offered = np.array([[0, 1], [0, 2], [0, 1], [3, -1]])
    told = coverage(offered, np.arange(4), 8)
    assert told.value == 0.5
    assert told.low < 0.5 < told.high
