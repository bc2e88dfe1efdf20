"""The language: what is refused and how it is told, and that no text does anything else."""

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.segments.language.check import checked, compile_rule
from stamgast.segments.language.codec import TreeVersionError, document_of, of_document
from stamgast.segments.language.columns import EVENT, EVENT_OPEN, PERSON, PERSON_OPEN, Schema
from stamgast.segments.language.errors import (
    RuleBoundError,
    RuleCycleError,
    RuleError,
    RuleNameError,
    RuleSyntaxError,
    RuleTypeError,
)
from stamgast.segments.language.explain import explained
from stamgast.segments.language.history import seen_at
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.rules import rules_of
from stamgast.segments.language.windows import Now

SCHEMA = Schema(frozenset({"champions"}), purposes=frozenset({"email", "sms"}))
NOW = Now(1_795_262_400_000, ZoneInfo("Europe/Amsterdam"))
FAULTS = {
    "": (RuleSyntaxError, 1, 1, "empty"),
    "a =": (RuleSyntaxError, 1, 4, "found the end of the rule"),
    "traits.a = 'x": (RuleSyntaxError, 1, 12, "this text has no end"),
    "traits.a = ‘x’": (RuleSyntaxError, 1, 12, "texts stand between '"),
    "traits.a & traits.b": (RuleSyntaxError, 1, 10, "write `and` or `or`"),
    "1 < 2 < 3": (RuleSyntaxError, 1, 7, "one comparison at a time"),
    "traits.a betwen 1 and 2": (RuleSyntaxError, 1, 10, "did you mean `between`?"),
    "traits.a between 1 an 2": (RuleSyntaxError, 1, 20, "expected `and`"),
    "orders.cuont > 1": (RuleNameError, 1, 1, "did you mean `orders.count`?"),
    "true and\n  city = 'x'": (RuleNameError, 2, 3, "a trait is `traits.city`"),
    "trait.city = 'x'": (RuleNameError, 1, 1, "did you mean `traits.city`?"),
    "properties.x = 1": (RuleNameError, 1, 1, "use it inside `count(…)`"),
    "count(traits.x = 1) > 1": (RuleNameError, 1, 7, "use it outside of it"),
    "lowr(traits.a) = 'x'": (RuleNameError, 1, 1, "did you mean `lower`?"),
    "in segment('champion')": (RuleNameError, 1, 12, "did you mean `champions`?"),
    "computed.x > 1": (RuleNameError, 1, 1, "no computed trait"),
    "orders.count = 'two'": (RuleTypeError, 1, 1, "a number cannot be compared with a text"),
    "traits.a = null": (RuleTypeError, 1, 12, "write `is null`"),
    "orders.count": (RuleTypeError, 1, 1, "a condition is wanted, this is a number"),
    "last_at > '2026-13-01'": (RuleTypeError, 1, 11, "is no moment"),
    "now() - last_at > 3": (RuleTypeError, 1, 1, "days_since"),
    "last_at + 1 month > now()": (RuleTypeError, 1, 11, "moves dates, not moments"),
    "count(last 3 months) > 1": (RuleTypeError, 1, 7, "write `last 90 days`"),
    "count(last 100 hours) > 1": (RuleBoundError, 1, 7, "write `last 5 days`"),
    "count(last 0 days) > 1": (RuleBoundError, 1, 7, "at least one day"),
    "count(between 9 and 3 days ago) > 1": (RuleBoundError, 1, 7, "between 3 and 9 days ago"),
    "sum(event = 'A') > 1": (RuleTypeError, 1, 5, "a number is wanted, this is a condition"),
    "rfm.segment = 'champion'": (RuleTypeError, 1, 15, "did you mean `champions`?"),
    "did 'A' and not 'B'": (RuleSyntaxError, 1, 20, "`… and not 'B' since`"),
    "did 'A' and not did 'B' since": (RuleSyntaxError, 1, 25, "`did 'A' and not 'B' since`"),
    "did 'A' or 'B'": (RuleTypeError, 1, 12, "that it happened is `did 'B'`"),
    "did 'A' at least 3 times": (RuleSyntaxError, 1, 9, "`count(event = 'A') >= 3`"),
    "count(last -3 days) > 1": (RuleSyntaxError, 1, 12, "write `last 3 days`"),
    "count(last week) > 1": (RuleSyntaxError, 1, 7, "a window is `last 30 days`"),
    "count(event = 'A' last 7 days) > 1": (RuleSyntaxError, 1, 19, "behind a comma"),
    "count(event = 'A') in last 7 days > 1": (RuleSyntaxError, 1, 23, "inside `count(…)`"),
    "orders.total > 1.000,50": (RuleSyntaxError, 1, 16, "write `1000.50`"),
    "orders.total > 1,000.50": (RuleSyntaxError, 1, 16, "write `1000.50`"),
    "orders.total > 1,50": (RuleSyntaxError, 1, 16, "write `1.50`"),
    "orders.total > 1.000.000": (RuleSyntaxError, 1, 16, "write `1000000`"),
    "orders.total > 50 EUR": (RuleSyntaxError, 1, 19, "`orders.currency` tells"),
    "orders.total > €50": (RuleSyntaxError, 1, 16, "`orders.currency` tells"),
    "orders.total ≥ 50": (RuleSyntaxError, 1, 14, "write `>=`"),
    "traits.tags has 'x'": (RuleSyntaxError, 1, 13, "asked by `contains`"),
    "traits.first name = 'x'": (RuleSyntaxError, 1, 14, '`traits."first name"`'),
    "traits.age between 10, 20": (RuleSyntaxError, 1, 22, "`between 10 and 20`"),
    "traits.vip = yes": (RuleNameError, 1, 14, "did you mean `true`?"),
    "where true": (RuleSyntaxError, 1, 7, "without `where`"),
    "rfm = 'loyal'": (RuleNameError, 1, 1, "such as `rfm.segment`"),
    "lifecycle = 'churned'": (RuleTypeError, 1, 13, "it is active, lapsed, late"),
    "lifecycle not in ('late', 'x')": (RuleTypeError, 1, 27, "it is active, lapsed, late"),
    "count(type = 'pag') > 1": (RuleTypeError, 1, 14, "did you mean `page`?"),
    "traits.a between 1 and 'x'": (RuleTypeError, 1, 1, "between a number and a text"),
    "orders.total_365 > 1": (RuleNameError, 1, 1, "as in `orders.total_365d`"),
    "consent.emial is true": (RuleNameError, 1, 1, "did you mean `email`?"),
    "consent.post is true": (RuleNameError, 1, 1, "known are email, sms"),
    "sum() > 1": (RuleTypeError, 1, 1, "needs a value first"),
    "did 'A' within 3 days": (RuleTypeError, 1, 1, "two steps or more"),
    "did A then 'B'": (RuleSyntaxError, 1, 5, "an event's name as a text, found `A`"),
    "traits.city = Delft": (RuleNameError, 1, 15, "a text is 'Delft'"),
    "last_at > date 2026-01-01": (RuleSyntaxError, 1, 16, "as in date '2026-11-22'"),
    "orders.count => 1": (RuleSyntaxError, 1, 15, "comparisons are =, !=, <"),
    "traits.a is not 5": (RuleSyntaxError, 1, 17, "compared by `!=`"),
    "traits.a not = 5": (RuleSyntaxError, 1, 14, "told by `!=`"),
    "traits.a = 1 or\n\n": (RuleSyntaxError, 1, 16, "found the end of the rule"),
    "(" * 60 + "true" + ")" * 60: (RuleBoundError, 1, 41, "nested more than 40 deep"),
    "x" * 10_001: (RuleBoundError, 1, 1, "more than 10,000 characters"),
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text[:30])
def test_a_mistake_is_told_with_its_place_and_what_might_be_meant(text: str) -> None:
    kind, line, column, words = FAULTS[text]
    with pytest.raises(kind) as raised:
        compile_rule(text, SCHEMA)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert words in str(raised.value)


def test_faults_in_different_parts_are_told_at_once() -> None:
    _, faults = checked("orders.x > 1 and traits.a = null\nor lowr(traits.b) = 'c'", SCHEMA)
    assert [(type(one), one.line) for one in faults] == [
        (RuleNameError, 1),
        (RuleTypeError, 1),
        (RuleNameError, 2),
    ]


WORDS = (
    *("and", "or", "not", "in", "(", ")", ",", ".", "=", "<", "is", "null", "between", "like"),
    *("'x'", "3", "days", "last", "did", "then", "since", "count", "sum", "now", "today"),
    *("traits.a", "properties.b", "event", "orders.count", "date", "within", "segment", "ago"),
    *("-", "+", "*", "/", '"', "'"),
)


@settings(max_examples=100)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)))
def test_no_text_does_anything_but_compile_or_have_faults_of_the_language(text: str) -> None:
    _, faults = checked(text, SCHEMA)
    assert all(isinstance(one, RuleError) and one.line and one.column for one in faults)


@pytest.mark.parametrize(
    "text",
    [
        "not " * 500 + "true",
        "-" * 900 + "1 = 1",
        " + ".join(["1"] * 900) + " = 1",
        "(" * 3 + "1 + " * 90 + "1" + ")" * 3 + " = 1",
        "coalesce(" * 35 + "1, 2" + ")" * 35 + " = 1",
        " and ".join(["traits.a = 1"] * 400),
    ],
)
def test_a_rule_of_any_shape_is_bounded(text: str) -> None:
    tree, faults = checked(text, SCHEMA)
    assert faults or reader_of(tree)(seen_at({}, [], NOW)) in (True, False, None)


def test_a_tree_of_another_version_is_refused() -> None:
    told = {**document_of(compile_rule("true")), "tree": 99}
    with pytest.raises(TreeVersionError):
        of_document(told)


def test_a_cycle_is_refused_and_named() -> None:
    schema = Schema(frozenset("abc"))
    texts = {"a": "true and in segment('b')", "b": "in segment('c')", "c": "in segment('a')"}
    with pytest.raises(RuleCycleError, match="a → b → c → a") as raised:
        rules_of({name: compile_rule(text, schema) for name, text in texts.items()})
    assert raised.value.at == 9


def test_a_rules_version_changes_with_those_it_rests_on() -> None:
    schema = Schema(frozenset("ab"))

    def versions(below: str) -> dict[str, str]:
        trees = {"a": compile_rule("in segment('b')", schema), "b": compile_rule(below, schema)}
        return {rule.name: rule.version for rule in rules_of(trees)}

    assert versions("orders.count > 1") == versions("orders.count  >  1")
    assert versions("orders.count > 1")["a"] != versions("orders.count > 2")["a"]


def test_not_in_names_the_first_condition_that_failed_what_it_saw_and_what_would_flip_it() -> None:
    rule = compile_rule("orders.count > 0 and traits.city in ('Delft', 'Gouda') and consent.email")
    view = seen_at({"orders": {"count": 3}, "traits": {"city": "Breda"}}, [], NOW)
    told = explained(rule, view)
    (reason,) = told.reasons
    assert (told.is_in, reason.condition) == (False, "traits.city in ('Delft', 'Gouda')")
    assert (reason.seen[0].what, reason.seen[0].value) == ("traits.city", "Breda")
    assert reason.would_flip == (
        "`traits.city` would have to be one of 'Delft', 'Gouda': it is 'Breda'"
    )


def test_in_names_every_condition_that_the_verdict_rests_on() -> None:
    rule = compile_rule("(orders.count > 9 or traits.vip) and not (traits.city = 'Delft')")
    view = seen_at({"orders": {"count": 1}, "traits": {"vip": True, "city": "Breda"}}, [], NOW)
    told = explained(rule, view)
    assert [one.condition for one in told.reasons] == ["traits.vip", "traits.city = 'Delft'"]
    assert told.reasons[1].would_flip == "`traits.city` would have to be 'Delft': it is 'Breda'"


def test_an_unknown_value_is_told_as_null() -> None:
    (reason,) = explained(compile_rule("consent.email is true"), seen_at({}, [], NOW)).reasons
    assert (reason.verdict, reason.seen[0].value) == (False, None)
    assert reason.unknown_because == ("`consent.email` is absent",)


def test_what_functions_load_needs_no_parser_and_no_package_of_others() -> None:
    script = (
        "import sys; from stamgast.segments.definitions import segments_of;"
        "from stamgast.segments.language import buckets, explain, history, rules;"
        "told = {name.partition('.')[0] for name in sys.modules};"
        "assert not told & {'yaml', 'pydantic', 'orjson', 'duckdb', 'difflib'}, told;"
        "assert not [n for n in sys.modules if n.endswith(('language.parser', 'language.check'))]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    "text",
    [
        "not did 'A' and did 'B'",
        "did 'A' and not did 'B'",
        "did 'A' and not 'vip' in traits.tags",
        "did 'A' and not 'x' = traits.a",
        "(did 'A' and not 'B' since) or did 'C'",
        "traits.last > 3 and traits.\"first name\" = 'x'",
        "traits.a in (1, 200) and coalesce(traits.b,1,2) > 1.5",
    ],
)
def test_what_is_like_a_mistake_is_none(text: str) -> None:
    compile_rule(text)


def test_every_column_and_field_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "segments-language.md").read_text("utf-8")
    for path in (*PERSON, *EVENT):
        assert f"`{'.'.join(path)}`" in page, path
    for root in (*PERSON_OPEN, *EVENT_OPEN):
        assert f"`{root}.*`" in page, root
