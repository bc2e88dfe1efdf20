"""A card says who is not scored, and what nobody declared."""

from dataclasses import replace
from datetime import date

import pytest

from stamgast.models.card import LIMITS, about, not_scored
from stamgast.models.declaration import Kind, Model
from stamgast.segments.language.check import compile_filter
from stamgast.segments.language.tree import Literal, Type

EVERYBODY = Literal(True, Type.BOOLEAN)
MODEL = Model("buys", Kind.PROPENSITY, "1", 30, EVERYBODY, ())


def test_without_a_rule_or_a_purpose_the_card_says_that_there_is_none() -> None:
    objecting, purpose, minors = not_scored(MODEL)
    assert objecting == "Whoever objects to profiling."
    assert purpose == "It names no purpose, so nobody's consent is asked."
    assert minors.startswith("No rule under `exclude`, so minors are not told apart")


def test_the_declared_purpose_and_rule_are_told_as_written() -> None:
    declared = replace(
        MODEL, purpose="scoring", exclude=EVERYBODY, texts={"exclude": "traits.age < 18"}
    )
    assert list(not_scored(declared))[1:] == [
        "Whoever does not allow scoring.",
        "Whoever passes `traits.age < 18`.",
    ]


def test_of_a_look_alike_those_who_are_in_the_seed_are_not_scored() -> None:
    told = list(not_scored(replace(MODEL, kind=Kind.LOOK_ALIKE, seed="wine_lovers")))
    assert told[-1] == "Whoever is in segment wine_lovers."


@pytest.mark.parametrize("kind", Kind)
def test_a_card_says_of_which_kinds_versions_are_not_compared(kind: Kind) -> None:
    on, told = date(2026, 11, 23), "it is not compared with the one in use"
    limits = about(replace(MODEL, kind=kind), 0, on, [on], 90)["limits"]
    is_said = any(told in one for one in limits)
    assert is_said is (kind.value in ("look_alike", "discount", "uplift", "clusters"))


def test_of_several_currencies_a_target_in_money_is_said_to_compare_each_in_its_own() -> None:
    on = date(2026, 11, 23)
    target = compile_filter("event = 'Order Completed' and order.revenue > 100")
    of_both = {"currency": "EUR", "people": {"EUR": 9, "JPY": 2}, "features": ["revenue"]}
    told = about(replace(MODEL, target=target), 0, on, [on], 90, amounts=of_both)["limits"]
    assert told[-1].startswith("The target compares amounts of each order in its own currency")
    assert about(MODEL, 0, on, [on], 90, amounts=of_both)["limits"] == list(LIMITS)
    few = about(MODEL, 0, on, [on], 90, drawn=(9, 20))["limits"]
    assert few[-1] == "Learnt of 9 of 20 people, drawn by a hash of their ids."
    of_one = {**of_both, "people": {"EUR": 9}}
    alone = about(replace(MODEL, target=target), 0, on, [on], 90, amounts=of_one)
    assert alone["limits"] == list(LIMITS)
