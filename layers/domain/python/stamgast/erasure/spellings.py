"""A value as people and programs write it: cases, escapes, domains, grouped telephone numbers."""

import re
from collections.abc import Iterator
from contextlib import suppress
from json import dumps
from unicodedata import normalize
from urllib.parse import quote

PREFIX = re.compile(r"xn--", re.IGNORECASE)
# Between the digits of a number: blanks, plus signs of addresses, and what JSON escapes.
BETWEEN = rb"(?:[ ./()\-]|%20|%2d|\xc2\xa0|\\+u00a0){0,3}"
INTERNATIONAL = rb"(?:\+|%2b|\\+u002b|00)"


def spellings(value: str) -> Iterator[bytes]:
    """A value as it stands in texts, in JSON, in JSON within JSON, and in addresses."""
    for cased in {one for form in forms(value) for one in _cases(form)}:
        told = cased.encode("utf-8", "surrogatepass")
        yield told.lower()
        yield quote(told, safe="").encode().lower()
        yield quote(told, safe="@").encode().lower()
        yield from _in_mail(told.lower())
        for escaped in _escaped(cased):
            yield escaped
            yield escaped.replace(b"\\", b"\\\\")
    if is_number(value):
        yield value[1:].encode()
        yield b"00" + value[1:].encode()


def is_number(value: str) -> bool:
    """Whether a value is a telephone number in E.164."""
    return value.startswith("+") and value[1:].isdigit()


def number_pattern(value: str) -> re.Pattern[bytes] | None:
    """What finds a telephone number however its digits are grouped, at home or from abroad.

    A number without its country is known by the digit that stands for it at home (0, mostly), or by
    its groups. None for what libphonenumber cannot take apart.
    """
    # Imported on use: most persons are named by no number.
    import phonenumbers

    with suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(value)
        significant = phonenumbers.national_significant_number(number)
        home = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        trunk = "".join(one for one in home if one.isdigit()).removesuffix(significant)
        abroad = INTERNATIONAL + BETWEEN + _apart(str(number.country_code))
        inner = BETWEEN + rb"(?:\(0\))?" + BETWEEN
        begins = [abroad + inner, *([_apart(trunk) + BETWEEN] if trunk else [])]
        return re.compile(rb"(?:" + rb"|".join(begins) + rb")" + _apart(significant))
    return None


def _apart(digits: str) -> bytes:
    return BETWEEN.join(one.encode() for one in digits)


def forms(value: str) -> set[str]:
    """Composed and taken apart (UAX 15), and a domain in Unicode beside its ASCII form."""
    told = {value}
    if PREFIX.search(value):
        local, at, domain = value.rpartition("@")
        with suppress(UnicodeError):
            told.add(local + at + domain.encode("ascii").decode("idna"))
    return told | {normalize("NFD", one) for one in told}


def _escaped(value: str) -> Iterator[bytes]:
    """A value in JSON: in UTF-8, in ASCII, and with the signs that some writers escape."""
    for is_ascii in (False, True):
        inner = dumps(value, ensure_ascii=is_ascii)[1:-1]
        for text in (inner, inner.replace("@", r"\u0040")):
            yield text.encode("utf-8", "surrogatepass").lower()
            yield text.replace("+", r"\u002b").encode("utf-8", "surrogatepass").lower()


def _in_mail(told: bytes) -> Iterator[bytes]:
    """Quoted-printable (RFC 2045), and the sign of addresses as pages hide it from harvesters."""
    printable = b"".join(b"%c" % one if one < 128 else b"=%02x" % one for one in told)
    if b"@" in told:
        yield printable.replace(b"@", b"=40")
        yield told.replace(b"@", b"&#64;")
        yield told.replace(b"@", b"&commat;")
    yield printable


def _cases(value: str) -> set[str]:
    """A value in the cases that people write, where they are the same letters."""
    if value.isascii():
        return {value}
    told = (value.lower(), value.upper(), value.title())
    return {value, *(one for one in told if one.lower() == value.lower())}
