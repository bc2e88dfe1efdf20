"""Numbers and moments are read as the form says, and nothing else is."""

import pytest

from stamgast.ingestion.spellings import NUMBERS, UnknownFormatError, iso_of_zone, spelling_of


@pytest.mark.parametrize("form", NUMBERS)
def test_each_example_reads_itself_and_plain_digits(form: str) -> None:
    read = spelling_of(form)

    assert read(form) == 1234.56
    assert read(" -7 ") == -7
    assert read("12 EUR") is None
    assert read("") is None


def test_a_point_between_thousands_is_no_decimal_point() -> None:
    assert spelling_of("1.234,56")("1.234") == 1234
    assert spelling_of("1.234,56")("1.2") is None
    assert spelling_of("1234.56")("1.2") == 1.2
    assert spelling_of("1 234,56")("1\u202f234\u00a0567,5") == 1234567.5


@pytest.mark.parametrize(
    ("pattern", "text", "at"),
    [
        ("%d.%m.%Y", "03.11.2026", "2026-11-02T23:00:00.000Z"),
        ("%m/%d/%y %I:%M %p", "7/4/26 1:05 PM", "2026-07-04T11:05:00.000Z"),
        ("%Y%m%d %H%M%S %z", "20261103 101112 -0500", "2026-11-03T15:11:12.000Z"),
        ("%d.%m.%Y", "31.02.2026", None),
        ("%d.%m.%Y", "2026-11-03", None),
    ],
)
def test_moments_are_read_in_the_zone(pattern: str, text: str, at: str | None) -> None:
    assert spelling_of(pattern, "Europe/Berlin")(text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-03", "2026-11-03T08:00:00.000Z"),
        ("2026-07-03 23:30:00", "2026-07-04T06:30:00.000Z"),
        ("2026-11-03T10:00:00Z", None),
        ("2026-11-03T10:00:00+01:00", None),
        ("1609070622013", None),
        ("9999-12-31 23:00", None),
        ("2026-02-30", None),
        ("morgen", None),
    ],
)
def test_what_names_no_offset_is_of_the_zone_and_the_rest_is_left(
    text: str, at: str | None
) -> None:
    assert iso_of_zone("America/Los_Angeles")(text) == at


@pytest.mark.parametrize("form", ["euro", "%H:%M", "%d %q", "1234;56"])
def test_a_form_that_tells_no_day_and_no_number_is_refused(form: str) -> None:
    with pytest.raises(UnknownFormatError, match="pattern"):
        spelling_of(form)
