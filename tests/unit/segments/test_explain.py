"""What decides a rule for somebody, what it saw, and the smallest change that would flip it."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.segments.language import flips
from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.explain import Asking, Reason, explained
from stamgast.segments.language.flips import Change
from stamgast.segments.language.history import seen_at
from stamgast.segments.language.rules import RuleBook, rules_of
from stamgast.segments.language.scalars import OPERATORS
from stamgast.segments.language.windows import Now

HOUR_MS = 3_600_000
NOW = Now(1_795_262_400_000, ZoneInfo("Europe/Amsterdam"))
ANNE: dict[str, Any] = {
    "traits": {"age": "42", "city": "Delft", "vip": "yes"},
    "orders": {"count": 1.0, "revenue": 212.5, "currency": "EUR"},
}


def event(key: str, name: str, hours_ago: int, **told: Any) -> dict[str, Any]:
    common = {"type": "track", "source": "web", "order": None, "products": None}
    at = NOW.ms - hours_ago * HOUR_MS
    return {"message_key": key, "event_at": at, "event": name, **common, "properties": told}


BASKET = {
    **event("m3", "Order Completed", 20),
    "order": {"id": "1", "revenue": 212.5, "currency": "EUR"},
}
HAPPENED = [event("m1", "Seen", 30, category="Wine"), event("m2", "Left", 60), BASKET]


def why(rule: str, asking: Asking | None = None) -> Reason:
    (reason,) = explained(compile_rule(rule), seen_at(ANNE, HAPPENED, NOW), asking).reasons
    return reason


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            "count(event = 'Seen', last 14 days) >= 3",
            (
                "2 more events: `count(event = 'Seen', last 14 days)` would have to be at least 3, "
                "it is 1"
            ),
        ),
        (
            "count() < 1",
            "3 fewer events: `count()` would have to be less than 1, it is 3",
        ),
        (
            "3 <= count(event = 'Seen')",
            "2 more events: `count(event = 'Seen')` would have to be at least 3, it is 1",
        ),
        (
            "orders.total_365d > 300",
            "`orders.total_365d` would have to be more than 300: it is 212.5, more than 87.5 short",
        ),
        (
            "not (orders.count > 0)",
            "1 fewer order: `orders.count` would have to be at most 0, it is 1",
        ),
        (
            "traits.age > 30",
            (
                "`traits.age` would have to be more than 30: it is unknown because `traits.age` is "
                "the text '42', no number"
            ),
        ),
        (
            "consent.email is true",
            (
                "`consent.email` would have to be true: it is unknown because `consent.email` is "
                "absent"
            ),
        ),
        (
            "orders.first_at >= today - 60 days",
            (
                "`orders.first_at` would have to be no earlier than `today - 60 days` "
                "(2026-09-22): it is unknown because `orders.first_at` is absent"
            ),
        ),
        (
            "orders.count / 0 > 1",
            (
                "`orders.count / 0` would have to be more than 1: it is unknown because "
                "`orders.count / 0` divides by zero"
            ),
        ),
        (
            "did 'Seen' then 'Left' within 2 days",
            "step 2, `event = 'Left'`, would have to follow step 1",
        ),
        (
            "did 'Left' then 'Seen' within 2 hours",
            (
                "the steps happened, but would have to follow within the time: "
                "`did (event = 'Left') then (event = 'Seen') within 2 hours`"
            ),
        ),
        ("did 'Paid'", "`event = 'Paid'` would have to happen"),
        (
            "did 'Seen' and not 'Order Completed' since",
            "`event = 'Seen'` would have to happen again: `event = 'Order Completed'` came later",
        ),
    ],
)
def test_what_would_flip_it_is_told_in_words(rule: str, words: str) -> None:
    assert why(rule).would_flip == words


def test_a_value_of_another_type_is_unknown_and_says_so() -> None:
    reason = why("traits.vip is true and orders.count > 0")
    assert reason.unknown_because == ("`traits.vip` is the text 'yes', no boolean",)


def test_what_one_may_not_see_is_in_no_word_of_the_explanation() -> None:
    blind = Asking(may_see=lambda path: not path.startswith("traits."))
    for rule in ("traits.city = 'Gouda'", "traits.age > 30", "traits.vip is true"):
        told = repr(explained(compile_rule(rule), seen_at(ANNE, HAPPENED, NOW), blind).document)
        assert not any(value in told for value in ("Delft", "42", "yes"))
        assert "'is_hidden': True" in told


def test_events_are_hidden_from_who_may_not_see_the_timeline() -> None:
    reason = why("count(event = 'Seen') >= 3", Asking(may_see=lambda path: path != "timeline"))
    assert (reason.seen[0].is_hidden, reason.change) == (True, None)
    assert reason.would_flip == "`count(event = 'Seen')` would have to be at least 3: it is not"


def test_another_segment_explains_itself_behind_the_condition() -> None:
    schema = Schema(frozenset({"buyers"}))
    texts = {"buyers": "orders.count >= 2", "big": "in segment('buyers')"}
    rules = rules_of({name: compile_rule(text, schema) for name, text in texts.items()})
    view = seen_at(ANNE, HAPPENED, NOW)
    RuleBook(rules).evaluate(view)
    trees = {rule.name: rule.tree for rule in rules}
    (reason,) = explained(trees["big"], view, Asking(rules=trees)).reasons
    assert reason.behind is not None
    assert reason.behind.reasons[0].change == Change("orders.count", ">=", 2.0, 1.0)


def keeps(change: Change, value: float) -> bool:
    return OPERATORS[change.op](value, change.bound)


BOUNDS = st.one_of(st.integers(0, 9), st.sampled_from((0.5, 2.5, 7.25)))
ASKED = st.tuples(st.sampled_from(tuple(OPERATORS)), BOUNDS, st.integers(0, 6), st.booleans())


def counted(op: str, bound: float, happened: int, is_negated: bool) -> tuple[bool, Reason]:
    """Why somebody to whom something happened so often is in, or is not."""
    text = f"count(event = 'Seen') {op} {bound}"
    rule = compile_rule(f"not ({text})" if is_negated else text)
    told = explained(rule, seen_at({}, [event(f"m{n}", "Seen", n) for n in range(happened)], NOW))
    return told.is_in, told.reasons[0]


def flips_at(op: str, bound: float, count: int, is_negated: bool) -> bool:
    return OPERATORS[op](float(count), float(bound)) is not is_negated


def least_change(op: str, bound: float, happened: int, is_negated: bool) -> None:
    """So many events more or fewer change the verdict, and no smaller number does."""
    is_in, reason = counted(op, bound, happened, is_negated)
    assert reason.change is not None
    others = [n for n in range(20) if flips_at(op, bound, n, is_negated) is not is_in]
    nearest = min((abs(n - happened) for n in others), default=None)
    if reason.change.op != "!=":
        by = reason.change.by
        assert (None if by is None else abs(by)) == nearest
        if by is not None:
            assert flips_at(op, bound, happened + int(by), is_negated) is not is_in


@given(ASKED)
def test_so_many_events_flip_a_count_and_no_fewer_do(asked: tuple[str, float, int, bool]) -> None:
    least_change(*asked)


@pytest.mark.parametrize("broken", ["strict", "opposite"])
def test_a_flip_that_misses_the_bound_is_found(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "strict":
        monkeypatch.setattr(flips, "_least_count", lambda op, limit: limit)
    else:
        monkeypatch.setitem(flips.OPPOSITE, ">", "<")
    cases = [
        (op, bound, n, no)
        for op in OPERATORS
        for bound in (2, 2.5)
        for n in (0, 2, 5)
        for no in (True, False)
    ]
    with pytest.raises(AssertionError):
        all(least_change(*case) is None for case in cases)
