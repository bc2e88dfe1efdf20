"""A person is found in a text however their identifier is written there."""

import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import md5, sha1, sha256
from json import loads
from quopri import encodestring
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


ADA = "ada.lovelace@example.com"
AROUND = st.text('abcxyzABC019 ?&=:/"{}\n\u00e9', max_size=9)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


CODES: dict[str, Callable[[str], str]] = {
    "sha256": lambda value: sha256(value.encode()).hexdigest(),
    "SHA256": lambda value: sha256(value.encode()).hexdigest().upper(),
    "sha1": lambda value: sha1(value.encode(), usedforsecurity=False).hexdigest(),
    "md5": lambda value: md5(value.encode(), usedforsecurity=False).hexdigest(),
    "sha256 in base64": lambda value: b64encode(sha256(value.encode()).digest()).decode(),
    "base64": _base64,
    "base64 of an address": lambda value: urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 in an address": lambda value: quote(_base64(value), safe=""),
    "base64 in JSON": lambda value: _base64(value).replace("/", "\\/"),
    "quoted-printable": lambda value: encodestring(value.encode()).decode().replace("@", "=40"),
    "an entity of HTML": lambda value: value.replace("@", "&#64;"),
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "value", [ADA, "zo\u00eb\u00bf\u00ff@example.org", NUMBER, "customer-7731"]
)
def test_a_value_that_a_program_encoded_is_found_and_taken_out_whole(code: str, value: str) -> None:
    told, found = CODES[code](value), search(value)
    text = f'{{"note": "x\\n{told}"}}'
    assert found.found_in(text.encode())
    left = text.encode()
    for begin, end in reversed(found.spans(left)):
        left = left[:begin] + left[end:]
    assert loads(left) in ({"note": "x\n"}, {"note": "x"})


@given(AROUND, AROUND)
def test_a_value_within_a_text_in_base64_is_found_wherever_it_stands(
    before: str, after: str
) -> None:
    assert search(ADA).found_in(f"?q={_base64(f'{before}{ADA}{after}')}&x=1".encode())


def test_a_search_for_the_first_of_three_forms_misses_the_others() -> None:
    """The broken variant of the law above: base64 of the value alone."""
    first = b64encode(ADA.encode())[:20]
    assert [first in _base64("x" * before + ADA).encode() for before in range(3)] == [
        True,
        False,
        False,
    ]


def test_a_short_id_is_not_looked_for_in_digests() -> None:
    assert not search("42").found_in(sha256(b"42").hexdigest().encode())
