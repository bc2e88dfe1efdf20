"""What people type, as record linkage compares it, and the rules by which pairs are found."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamgast.identity.records import (
    DEFAULT_RULES,
    BlockingRuleError,
    RecordSettings,
    rule_of,
)
from stamgast_lake.records import normal
from stamgast_lake.records.headers import HeaderError, headers_of

DATES = {
    "1985-03-01": "19850301",
    "19850301": "19850301",
    "1985-3-1": "19850301",
    "01/03/1985": "19850301",
    "1 Mar 1985": "19850301",
    "1985-03-01T00:00:00": "19850301",
    "1985": "1985",
    "1985-03": "198503",
    "3085-01-01": "",
    "soon": "",
}


@pytest.mark.parametrize(("typed", "compared"), DATES.items())
def test_a_date_is_compared_by_its_digits(typed: str, compared: str) -> None:
    assert normal.day(typed) == compared


@pytest.mark.parametrize("full", ["Jansen, Dr. Ann", "Ann Jansen"])
def test_a_full_name_is_taken_apart(full: str) -> None:
    assert (normal.given_of(full), normal.surname_of(full)) == ("ann", "jansen")


def test_a_house_number_leaves_the_street() -> None:
    assert normal.house_of("12b Main St") == "12b"
    assert normal.street_of("12b Main St") == "main st"


def test_a_number_is_compared_without_its_countrys_prefix() -> None:
    assert normal.digits_of_phone("+31 6 12345678") == normal.digits_of_phone("06-12345678")


def test_names_that_sound_alike_share_a_sound() -> None:
    assert normal.sound("meyer") == normal.sound("maier")
    assert normal.sound("meyer") != normal.sound("baker")


WRITTEN_TWICE = {
    "Zoë O’Brien": "zoe obrien",
    "Łukasz Ærø": "lukasz aero",
    "ИВАНОВ": "иванов",
    "Πέτρος": "Πετρος",
    "שָׁלוֹם": "שלום",
    "مُحَمَّد": "محمد",
}


@pytest.mark.parametrize(("typed", "plain"), WRITTEN_TWICE.items())
def test_a_name_is_the_same_with_and_without_its_accents_and_points(typed: str, plain: str) -> None:
    assert normal.name(typed) == normal.name(plain)


@pytest.mark.parametrize(("one", "other"), [("राम", "रीमा"), ("สมชาย", "สมชัย")])
def test_vowels_that_are_marks_tell_names_apart(one: str, other: str) -> None:
    assert normal.name(one) != normal.name(other)
    assert " " not in normal.name(one)


SAME_TWICE = (normal.words, normal.name, normal.code, normal.day, normal.address, normal.choice)


@pytest.mark.parametrize("normalise", SAME_TWICE)
@given(typed=st.text(max_size=30))
@example(typed="\U00018cd6\u1cd0")  # a mark on a sign that is no letter
def test_a_normalised_value_stays_as_it_is(normalise: normal.Normalise, typed: str) -> None:
    once = normalise(typed)
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("surnme", "is no comparison column"),
        ("surname:loud", "is no part"),
        ("postcode:sound", "has no sound"),
        ("surname:year", "has no year"),
        ("surname:", "is no key"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_reason(rule: str, why: str) -> None:
    with pytest.raises(BlockingRuleError, match=why):
        rule_of(rule)


def test_every_default_rule_can_be_read() -> None:
    assert len(RecordSettings().blocking) == len(DEFAULT_RULES) <= 62


def test_headers_are_recognised_by_name_and_by_part() -> None:
    told = headers_of(["rec_id", "First Name", "lname", "dob", "zip", "postcode_fake", "note"])
    assert told.by_column == {
        "given_name": "First Name",
        "surname": "lname",
        "birth_date": "dob",
        "postcode": "zip",
    }
    assert told.unused == ("rec_id", "postcode_fake", "note")


def test_a_named_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(HeaderError, match="no column 'b' in the file; it has a"):
        headers_of(["a"], {"surname": "b"})


def test_headers_of_other_languages_are_recognised() -> None:
    told = ["Vorname", "Nachname", "Straße", "PLZ", "Ort", "Geburtsdatum"]
    assert set(headers_of(told).by_column) == {
        "given_name", "surname", "street", "postcode", "locality", "birth_date",
    }  # fmt: skip
    assert set(headers_of(["prénom", "code postal", "ville"]).by_column) == {
        "given_name", "postcode", "locality",
    }  # fmt: skip
