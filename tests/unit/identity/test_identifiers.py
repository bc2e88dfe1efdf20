"""Normalisation: one spelling for each identifier, and nothing that stands for nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.identifiers import Identifier, Refusal, normalise
from stamgast.identity.settings import DEFAULT, Namespace

USER, CARD, EMAIL, PHONE = DEFAULT.namespaces[:4]
values = st.one_of(
    st.text(max_size=40),
    st.emails(),
    st.from_regex(r"\+?[0-9 ()\-]{6,18}", fullmatch=True),
    st.integers(),
    st.floats(),
)


@given(namespace=st.sampled_from(DEFAULT.namespaces), raw=values)
def test_normalising_twice_changes_nothing(namespace: Namespace, raw: object) -> None:
    once = normalise(namespace, raw, DEFAULT, "NL")
    if isinstance(once, Identifier):
        assert normalise(namespace, once.value, DEFAULT, "NL") == once


def test_trimming_once_only_would_break_idempotence() -> None:
    """The broken variant of the law above: one pass of strip leaves quotes behind spaces."""
    raw = "' \"ann\" '"
    once = raw.strip().strip("'\"")
    assert once.strip().strip("'\"") != once
    assert normalise(USER, raw, DEFAULT) == Identifier("user_id", "ann")


@pytest.mark.failure_line(24)
@pytest.mark.parametrize(
    "raw",
    ["anonymous", "NULL", "undefined", "000-000", "[object Object]", "guest", "test@test.com",
     '"null"', " 'Guest' ", "0", "0.0", "\u200bnull", "${userId}", "{{user}}"],
)  # fmt: skip
def test_values_that_stand_for_nobody_never_identify(raw: str) -> None:
    """FAILURES line 24: blocked values and their quoted variants never link."""
    assert normalise(USER, raw, DEFAULT) == Refusal("user_id", "blocked")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" Ann.Example@Shop.Example ", "ann.example@shop.example"),
        ("mailto:a@b.example", "a@b.example"),
        ("josé@bücher.example", "josé@xn--bcher-kva.example"),
        ("jose\u0301@b.example", "josé@b.example"),
    ],
)
def test_an_email_is_trimmed_composed_and_folded(raw: str, value: str) -> None:
    assert normalise(EMAIL, raw, DEFAULT) == Identifier("email", value)


@pytest.mark.parametrize("raw", ["ann", "@b.example", "a@b", "a b@c.example", "a@"])
def test_what_is_no_email_is_malformed(raw: str) -> None:
    assert normalise(EMAIL, raw, DEFAULT) == Refusal("email", "malformed")


@pytest.mark.parametrize("raw", ["06 12345678", "+31612345678", "0031 6 1234 5678"])
def test_a_phone_number_is_one_in_every_spelling(raw: str) -> None:
    assert normalise(PHONE, raw, DEFAULT, "NL") == Identifier("phone", "+31612345678")


def test_a_local_number_without_a_region_is_malformed() -> None:
    assert normalise(PHONE, "06 12345678", DEFAULT) == Refusal("phone", "malformed")


def test_numbers_become_strings_and_other_shapes_are_refused() -> None:
    assert normalise(USER, 42, DEFAULT) == Identifier("user_id", "42")
    assert normalise(USER, 42.0, DEFAULT) == Identifier("user_id", "42")
    assert normalise(USER, ["42"], DEFAULT) == Refusal("user_id", "not_a_value")
    assert normalise(USER, True, DEFAULT) == Refusal("user_id", "not_a_value")
    assert normalise(USER, None, DEFAULT) is None


def test_a_refusal_never_carries_the_value() -> None:
    assert "secret" not in repr(normalise(EMAIL, "secret at nowhere", DEFAULT))
