"""Who is searched for is found in every form, and nobody whose identifier merely holds theirs."""

from collections.abc import Callable
from json import dumps
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stamgast.erasure.boundaries import stands_alone
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject

ADA, NUMBER, DEVICE = "ada@example.com", "10000001", "device-1"
PHONE, UMLAUT = "+4915112345678", "ärger@müller.example"


def search(*values: str) -> Needles:
    told = {f"any:{at}": value for at, value in enumerate(values)}
    return needles_of([Subject("r", 0, frozenset(), told)])


@pytest.mark.parametrize(
    "text",
    [
        ADA,
        '"ada@example.com"',
        "mailto:ada@example.com",
        "<Ada@Example.com>",
        "ada@example.com,",
        "Write to ada@example.com. Soon",
        '"Write to ada@example.com."',
        "ada@example.com.",
        "ask ada@example.com...",
        "“ada@example.com”",
        "?to%3Dada%40example.com%26x",
        "?to=ada%40example.com&x",
        "%253Dada%40example.com",
        r'{"a":"ada\u0040example.com"}',
        r"{\"a\":\"ada\\u0040example.com\"}",
        r"\nada@example.com\n",
        r"\\nada@example.com\\n",
        r"\u003cada@example.com\u003e",
        "[10000001,2]",
        '{"userId":10000001}',
        "x;10000001;y",
        "user:10000001.",
        "tel:+4915112345678",
        "tel=%2B4915112345678",
        "4915112345678",
        "device-1/device-10",
        "device-10/device-1",
        UMLAUT,
        "ÄRGER@MÜLLER.EXAMPLE",
        "%C3%A4rger%40m%C3%BCller.example",
        "%c3%a4rger@m%c3%bcller.example",
        r"\u00E4rger@m\u00FCller.example",
        r"\\u00e4rger@m\\u00fcller.example",
    ],
)
def test_a_mention_is_found(text: str) -> None:
    assert search(ADA, NUMBER, DEVICE, PHONE, UMLAUT).found_in(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "nada@example.com",
        "x.ada@example.com",
        "x+ada@example.com",
        "éada@example.com",
        "山ada@example.com",
        "ada@example.com.au",
        "ada@example.com\u0301",
        "%C3%A9ada%40example.com",
        "x%2Dada%40example.com",
        "x%252Dada%40example.com",
        "ada%40example.com%2Eau",
        r"\u00e9ada@example.com",
        r"\ud835\udc1aada@example.com",
        r"ada@example.com\u002eau",
        "100000012",
        "210000001",
        "10000001-b",
        "10000001_",
        "10000001.5",
        "-10000001",
        '"10000001."',
        "%4010000001x",
        "device-10",
        "my-device-1",
        "device-1@home",
        r"\device-12",
        "+49151123456789",
    ],
)
def test_another_identifier_that_holds_one_is_no_mention(text: str) -> None:
    assert not search(ADA, NUMBER, DEVICE, PHONE, UMLAUT).found_in(text.encode())


def test_a_line_end_before_another_identifier_gives_it_no_letter() -> None:
    assert not search("nada@example.com").found_in(rb'"to:\nada@example.com"')
    assert search("nada@example.com").found_in(rb'"to:\nnada@example.com"')


def test_a_whole_cell_is_one_identifier_with_its_dot() -> None:
    assert not search(NUMBER).is_cell("10000001.")
    assert search(NUMBER).is_cell("It was 10000001.")


@pytest.mark.parametrize(
    ("key", "is_told"),
    [
        ("imports/shop/10000001.csv.gz", True),
        ("imports/ada@example.com.json", True),
        ("imports/user=10000001/part.parquet", True),
        ("imports/100000012.csv", False),
        ("imports/ada@example.com.au", False),
        ("imports/ada@example.com.au.csv", False),
    ],
)
def test_the_name_of_a_file_tells_whatever_kind_it_is(key: str, is_told: bool) -> None:
    assert search(ADA, NUMBER).is_name(key) == is_told


def test_keys_count_wherever_they_stand() -> None:
    needles = needles_of([Subject("r", 0, frozenset({"email:1" + "a" * 25}), {}, frozenset("p"))])
    assert needles.found_in(b"x1" + b"a" * 26)


SIGNS = st.sampled_from("ab01AZéß日_-.+@")
VALUES = st.text(SIGNS, min_size=8, max_size=12)
ENDS = st.text(SIGNS, min_size=1, max_size=3)
FORMS: dict[str, Callable[[str], str]] = {
    "cell": str,
    "json": lambda value: dumps({"userId": value}, ensure_ascii=False),
    "ascii json": lambda value: dumps({"userId": value}),
    "json in json": lambda value: dumps({"body": dumps({"userId": value})}),
    "lines": lambda value: dumps({"note": f"Who?\n{value}\nthat one"}),
    "address": lambda value: f"https://shop.example/?u={quote(value, safe='')}&x=1",
    "address in address": lambda value: f"?to=%2F%3Fu%3D{quote(value, safe='')}%26x%3D1",
    "text": lambda value: f"it was ({value}), they said",
}


@given(value=VALUES, form=st.sampled_from(sorted(FORMS)))
def test_a_value_is_found_in_every_form(value: str, form: str) -> None:
    assert search(value).found_in(FORMS[form](value).encode())


def touches_another(
    found: Callable[[str, bytes], bool], value: str, before: str, after: str, form: str
) -> bool:
    """Whether a search for a value finds an event that holds a longer identifier alone."""
    return found(value, FORMS[form](before + value + after).encode())


def by_stands_alone(value: str, text: bytes) -> bool:
    return search(value).found_in(text)


def by_substring(value: str, text: bytes) -> bool:
    return value.lower().encode() in text.lower()


def by_bare_neighbours(value: str, text: bytes) -> bool:
    before, found, after = text.decode().partition(quote(value, safe=""))
    return bool(found) and not before[-1:].isalnum() and not after[:1].isalnum()


@given(
    value=VALUES,
    before=ENDS | st.just(""),
    after=ENDS | st.just(""),
    form=st.sampled_from(sorted(FORMS)),
)
@example(NUMBER, "", "0", "json")
@example(NUMBER, "x", "", "json")
@example("ß0000000", "0", "", "json in json")
def test_a_search_for_one_identifier_never_finds_an_event_of_longer_ones(
    value: str, before: str, after: str, form: str
) -> None:
    assume(before or after.strip("."))
    assert not touches_another(by_stands_alone, value, before, after, form)


@pytest.mark.parametrize(
    ("variant", "after", "form"),
    [(by_substring, "0", "json"), (by_bare_neighbours, "@é", "address")],
)
def test_a_search_without_boundaries_is_found(
    variant: Callable[[str, bytes], bool], after: str, form: str
) -> None:
    assert touches_another(variant, NUMBER, "", after, form)
    assert not touches_another(by_stands_alone, NUMBER, "", after, form)


@given(before=st.text(max_size=20), value=st.text(max_size=20), after=st.text(max_size=20))
def test_any_neighbours_are_judged(before: str, value: str, after: str) -> None:
    assert stands_alone(before, value, after) in (True, False)
