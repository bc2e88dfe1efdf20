"""A person is found in a text however their identifier is written there."""

import unicodedata

import pytest

from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject

NUMBER, ADDRESS = "+31612345678", "zo\u00eb@xn--exmple-cua.org"


def search(value: str) -> Needles:
    return needles_of([Subject("r", 0, frozenset(), {"k": value})])


@pytest.mark.parametrize(
    "text",
    [
        "call +31 6 1234 5678 today",
        "0031 6 1234 5678",
        "+31 (0)6-12345678",
        "06-12345678",
        "0612345678",
        "it was 06 12 34 56 78.",
        '{"tel":"+31\\u00a06 1234 5678"}',
        "?tel=%2B31%206%201234%205678",
        "31612345678",
    ],
)
def test_a_telephone_number_is_found_however_its_digits_are_grouped(text: str) -> None:
    assert search(NUMBER).found_in(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "06 1234 56789",
        "106 1234 5678",
        "+32 6 1234 5678",
        "2026-12-345678",
        "612345678",
        "06-1234567",
    ],
)
def test_another_number_is_not_taken_for_it(text: str) -> None:
    assert not search(NUMBER).found_in(text.encode())


def test_a_number_that_is_taken_out_goes_whole() -> None:
    text = b"call +31 6 1234 5678, then"
    [(begin, end)] = search(NUMBER).spans(text)
    assert text[:begin] + text[end:] == b"call , then"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("domain", ["ex\u00e4mple.org", "xn--exmple-cua.org"])
def test_an_address_is_found_in_both_forms_of_its_domain_and_of_its_letters(
    form: str, domain: str
) -> None:
    text = unicodedata.normalize(form, f"mail Zo\u00eb@{domain}!")
    assert search(ADDRESS).found_in(text.encode())
