"""Values as they are compared: one plain Python function for each kind of column."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, datetime

TITLES = frozenset({"dr", "drs", "ing", "ir", "miss", "mr", "mrs", "ms", "prof", "sir"})
EMPTY = frozenset({"", "na", "n a", "nan", "none", "null", "nil", "unknown", "undefined"})
SOUNDS = str.maketrans("bfpvwcgjkqsxzdtlmnr", "1111122222222334556", "aeiouyh")
"""Consonants that are taken for one another, as in Soundex (patent US 1,261,167); vowels fall."""
PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    | dict.fromkeys("'’ʼ`´", "")
)
"""Letters that no decomposition makes plain, and the apostrophes within names."""
LAST_WITH_ACCENTS = "\u06ff"
"""The last letter of Arabic's block; those of Latin, Greek, Cyrillic and Hebrew stand before it."""
DATE_FORMS = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%m/%d/%Y")
YEARS = range(1850, 2101)
PHONE_DIGITS = 9
"""The last digits of a number, which it keeps with and without its country's prefix."""


def words(text: str) -> str:
    """Lower-case words of letters and digits without accents, one space apart.

    Marks fall where a name is commonly written without them: accents of Latin, Greek and Cyrillic,
    points of Hebrew and Arabic. Elsewhere a mark is a vowel, and stays with the letter it is on.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(_kept(plain)).translate(PLAIN)
    found = " ".join("".join(one if _is_of_word(one) else " " for one in kept).split())
    return "" if found in EMPTY else found


def _kept(plain: str) -> Iterator[str]:
    base = ""
    for one in plain:
        if not unicodedata.category(one).startswith("M"):
            base = one
            yield one
        elif base > LAST_WITH_ACCENTS and base.isalnum():
            yield one


def _is_of_word(one: str) -> bool:
    return one.isalnum() or unicodedata.category(one).startswith("M")


def name(text: str) -> str:
    """The words of a name without titles."""
    found = [one for one in words(text).split() if not one.isdigit()]
    return " ".join([one for one in found if one not in TITLES] or found)


def given_of(text: str) -> str:
    """The given name in a full one: `Given Surname` or `Surname, Given`."""
    before, comma, after = text.partition(",")
    if comma:
        return name(after)
    found = name(before).split()
    return found[0] if len(found) > 1 else ""


def surname_of(text: str) -> str:
    """The surname in a full name: `Given Surname` or `Surname, Given`."""
    before, comma, _ = text.partition(",")
    if comma:
        return name(before)
    found = name(before).split()
    return " ".join(found[1:] if len(found) > 1 else found)


def sound(text: str) -> str:
    """The first letter and the classes of the consonants after it; alike names share it."""
    found = text.replace(" ", "")
    coded = re.sub(r"(.)\1+", r"\1", found[1:].translate(SOUNDS))
    return found[:1] + coded[:5]


def street_of(text: str) -> str:
    """The words of an address line without the house number."""
    found = words(text).split()
    return " ".join(one for one in found if not one[0].isdigit())


def house_of(text: str) -> str:
    """The first number of an address line, with its letter (`12b`)."""
    return next((one.lstrip("0") for one in words(text).split() if one[0].isdigit()), "")


def code(text: str) -> str:
    """Letters and digits without spaces, as in a postcode; `1234.0` is a number read as text."""
    return words(re.sub(r"\.0+$", "", text.strip())).replace(" ", "")


def day(text: str) -> str:
    """A date as `yyyymmdd`, a year (and month) alone as `yyyy` (`yyyymm`), or nothing."""
    told = text.strip().split("T")[0]
    digits = re.sub(r"\D", "", re.sub(r"\.0+$", "", told.split(" 00:")[0]))
    if re.fullmatch(r"\d{4}\D\d{1,2}\D\d{1,2}", told):
        year, month, number = re.split(r"\D", told)
        digits = f"{year}{month:0>2}{number:0>2}"
    elif not re.match(r"\d{4}", told):
        digits = _written_day(told) or digits
    return digits if len(digits) in (4, 6, 8) and _is_year(digits) else ""


def _is_year(digits: str) -> bool:
    return int(digits[:4]) in YEARS


def _written_day(text: str) -> str:
    for form in DATE_FORMS:
        try:
            found: date = datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
        return found.strftime("%Y%m%d")
    return ""


def local_part(text: str) -> str:
    """What stands before the `@` of an address, without a tag and dots."""
    local, at, _ = text.strip().casefold().partition("@")
    return local.partition("+")[0].replace(".", "") if at else ""


def address(text: str) -> str:
    """An e-mail address, folded; nothing if it is none."""
    told = text.strip().casefold()
    return told if re.fullmatch(r"[^@\s]+@[^@\s]+", told) else ""


def digits_of_phone(text: str) -> str:
    """The last nine digits of a number with at least six."""
    digits = re.sub(r"\D", "", re.sub(r"\.0+$", "", text))
    return digits[-PHONE_DIGITS:] if len(digits) >= PHONE_DIGITS - 3 else ""


def choice(text: str) -> str:
    """One of few values, such as a state."""
    return words(text)


Normalise = Callable[[str], str]
