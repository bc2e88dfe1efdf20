"""Normalisation of identifiers, in one place and once: NFC, trim, case, E.164, blocked values."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from stamgast.identity.settings import Form, IdentitySettings, Namespace

LONGEST_VALUE = 512
QUOTES = "\"'`\u2018\u2019\u201c\u201d"
FILLER = re.compile(r"[\u200b\u200c\u200d\u2060\ufeff\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A namespace and a normalised value."""

    namespace: str
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a value identifies nobody; it never carries the value."""

    namespace: str
    code: str


@cache
def _blocked(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def normalise(
    namespace: Namespace, raw: object, settings: IdentitySettings, region: str | None = None
) -> Identifier | Refusal | None:
    """The identifier that `raw` spells, a refusal with its reason, or None for an absent value.

    `region` (ISO 3166) reads phone numbers without a country code. Idempotent: normalising a
    normalised value gives the same value.
    """
    text = _text(raw)
    if text is None:
        return None if raw is None or raw == "" else Refusal(namespace.name, "not_a_value")
    text = _trim(text)
    if not text or is_blocked(text, settings):
        return Refusal(namespace.name, "blocked")
    value = FORMS[namespace.form](text, namespace, region)
    if value is None or len(value) > LONGEST_VALUE:
        return Refusal(namespace.name, "malformed")
    if is_blocked(value, settings):
        return Refusal(namespace.name, "blocked")
    return Identifier(namespace.name, value)


def is_blocked(text: str, settings: IdentitySettings) -> bool:
    """Whether this text is one of the values that stand for nobody (`null`, `guest`, zeros)."""
    folded = text.casefold()
    if folded in settings.blocked_values:
        return True
    return _blocked(settings.blocked_patterns).fullmatch(text) is not None


def _text(raw: object) -> str | None:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)


def _trim(text: str) -> str:
    """NFC without filler, then white space and quotes off both ends until nothing changes."""
    text = unicodedata.normalize("NFC", FILLER.sub("", text))
    while (shorter := text.strip().strip(QUOTES)) != text:
        text = shorter
    return text


def _as_text(text: str, namespace: Namespace, _region: str | None) -> str | None:
    return unicodedata.normalize("NFC", text.lower()) if namespace.fold_case else text


def _as_email(text: str, namespace: Namespace, _region: str | None) -> str | None:
    local, at, domain = text.removeprefix("mailto:").rpartition("@")
    if not at or not local or "." not in domain.strip(".") or re.search(r"\s", text):
        return None
    if namespace.fold_case:
        local = local.lower()
    return unicodedata.normalize("NFC", f"{local}@{domain.lower().rstrip('.')}")


def _as_phone(text: str, _namespace: Namespace, region: str | None) -> str | None:
    """E.164 by Google's libphonenumber; imported on use, for most events carry no number."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


FORMS = {Form.TEXT: _as_text, Form.EMAIL: _as_email, Form.PHONE: _as_phone}
