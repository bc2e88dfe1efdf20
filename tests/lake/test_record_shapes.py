"""Sets of records as they come: tiny, nobody twice, everybody twice, names and nothing else."""

import random
from collections.abc import Sequence

import pyarrow as pa
import pytest

from bench.generated_records import mistyped, records
from stamgast.identity.records import RecordSettings
from stamgast_lake.engine import session
from stamgast_lake.records import relation, train
from stamgast_lake.records.link import learn_and_link
from stamgast_lake.records.train import CannotLearnError
from stamgast_lake.records.truth import judge

NAMES = ("given_name", "surname")
CORE = (*NAMES, "birth_date", "postcode", "phone")


@pytest.fixture(autouse=True)
def _small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "SAMPLE", train.SAMPLE.replace("1500", "400"))


def persons(size: int, columns: Sequence[str] = CORE) -> list[dict[str, str]]:
    """Different persons, of whom every value is known."""
    rows = records(size * 4, seed=11, mistakes=0.0).select(["truth", *columns]).to_pylist()
    found = {row.pop("truth"): row for row in rows if all(row.values())}
    return list(found.values())[:size]


def judged(
    rows: Sequence[dict[str, str]], owners: Sequence[int], least: float
) -> tuple[int, float]:
    """How many pairs are told, and F1."""
    table = pa.Table.from_pylist(list(rows))
    ids = pa.array([f"r{place:04}" for place in range(len(rows))])
    truth = pa.table({"record_id": ids, "truth": [str(owner) for owner in owners]})
    with session() as engine:
        given = table.append_column("record_id", ids)
        _, links = learn_and_link(engine, given, RecordSettings(), least)
        found = judge(engine, links, truth, [least]).quality[0]
    return found.pairs, found.f1


def twice(told: list[dict[str, str]], seed: int = 3) -> list[dict[str, str]]:
    """Everybody again, now with a value mistyped, missing or in the other's place."""
    dice = random.Random(seed)
    again = []
    for row in told:
        copy = dict(row)
        name = dice.choice(list(copy))
        copy[name] = dice.choice((mistyped(dice, copy[name]), ""))
        if dice.random() < 0.2:
            copy["given_name"], copy["surname"] = copy["surname"], copy["given_name"]
        again.append(copy)
    return [*told, *again]


@pytest.mark.parametrize("size", [25, 200])
def test_everybody_twice_is_found_in_a_tiny_set_and_in_a_small_one(size: int) -> None:
    rows = twice(persons(size))
    assert judged(rows, [*range(size), *range(size)], 0.95)[1] >= 0.95


def crowded() -> tuple[list[dict[str, str]], list[int]]:
    """A hundred and fifty persons, and one more who has as many records, most with a mistake."""
    told = persons(151)
    others, copies = told[:150], twice([told[150]] * 75)
    return [*others, *copies], [*range(150), *([150] * 150)]


def test_a_person_of_half_the_records_is_found() -> None:
    assert judged(*crowded(), 0.5)[1] >= 0.85


@pytest.mark.deep
def test_learning_chance_from_a_person_of_half_the_records_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relation, "LEAST_SHARE", 1.0)
    assert judged(*crowded(), 0.5)[1] < 0.6


@pytest.mark.parametrize("size", [50, 400])
def test_where_nobody_is_there_twice_nobody_is_linked(size: int) -> None:
    assert judged(persons(size), range(size), 0.5)[0] == 0


@pytest.mark.deep
def test_a_name_of_three_in_ten_people_links_nobody_by_itself() -> None:
    rows = [
        {**row, "surname": "jansen" if place % 3 == 0 else row["surname"]}
        for place, row in enumerate(persons(300))
    ]
    assert judged(rows, range(300), 0.5)[0] == 0


def test_names_and_nothing_else_still_tell_who_is_probably_there_twice() -> None:
    """No pair of equal names is certain here, but there are more of them than chance makes."""
    told = persons(300, NAMES)
    pairs, f1 = judged([*told, *told], [*range(300), *range(300)], 0.5)
    assert f1 >= 0.7
    assert pairs > 0


@pytest.mark.deep
def test_other_alphabets_are_compared_as_well() -> None:
    greek = str.maketrans("abcdefghijklmnopqrstuvwxyz", "αβγδεφχηιθκλμνοπψρστυξωζσζ")
    rows = [
        {name: value.translate(greek) for name, value in row.items()} for row in twice(persons(100))
    ]
    assert judged(rows, [*range(100), *range(100)], 0.95)[1] >= 0.95


def test_records_that_are_all_alike_are_refused_with_the_reason() -> None:
    with pytest.raises(CannotLearnError, match="no column tells records apart"):
        judged(persons(1) * 60, [0] * 60, 0.5)


def beside_one_another(size: int) -> float:
    """F1 where the two records of each person have ids that follow one another, as in a file."""
    rows = twice(persons(size))
    order = [place for one in range(size) for place in (one, one + size)]
    return judged([rows[place] for place in order], [one % size for one in order], 0.95)[1]


def test_copies_that_lie_beside_one_another_are_among_the_sampled_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With every second pair drawn, neighbours in the order of ids must not all be left out."""
    monkeypatch.setattr(train, "PAIRED", train.PAIRED.format(of=2))
    assert beside_one_another(100) >= 0.9


@pytest.mark.deep
def test_drawing_pairs_by_a_remainder_of_their_places_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, _, _ = train.PAIRED.partition("where")
    remainder = f"{before}where (a::bigint * 40503 + b::bigint * 9973) % 2 = 0"
    monkeypatch.setattr(train, "PAIRED", remainder)
    assert beside_one_another(100) < 0.9
