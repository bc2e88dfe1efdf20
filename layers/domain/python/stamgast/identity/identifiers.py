"""Normalisation of identifiers, in one place and once: NFC, trim, case, E.164, blocked values."""

import re
import unicodedata
from dataclasses import dataclass

from stamgast.identity.addresses import address_of
from stamgast.identity.patterns import compiled
from stamgast.identity.settings import Form, IdentitySettings, Namespace

LONGEST_VALUE = 512
LONGEST_RAW = 4096
QUOTES = (
    "\"'`\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u2039\u203a"
    "\uff02\uff07"
)
# Characters that nobody sees: controls, the blank of Braille, and what Unicode (5.21) lets every
# font leave out: soft hyphens, joiners, marks of direction, fillers, variation selectors, tags.
FILLER = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


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


def normalise(
    namespace: Namespace, raw: object, settings: IdentitySettings, region: str | None = None
) -> Identifier | Refusal | None:
    """The identifier that `raw` spells, a refusal with its reason, or None for an absent value.

    `region` (ISO 3166) reads phone numbers without a country code. Total: any value gets one of the
    three. Idempotent: normalising a normalised value gives the same value. Canonically equivalent
    texts (Unicode, UAX 15) are one identifier.
    """
    text = _text(raw)
    if text is None:
        return None if raw is None or raw == "" else Refusal(namespace.name, "not_a_value")
    if len(text) > LONGEST_RAW:
        return Refusal(namespace.name, "malformed")
    text = _trim(text)
    if not text or is_blocked(text, settings):
        return Refusal(namespace.name, "blocked")
    value = FORMS[namespace.form](text, namespace, region)
    if value is None or len(value) > LONGEST_VALUE or not _may_stand(value, namespace):
        return Refusal(namespace.name, "malformed")
    if is_blocked(value, settings) or compiled(namespace.block).fullmatch(value):
        return Refusal(namespace.name, "blocked")
    if namespace.allow is not None and not compiled((namespace.allow,)).fullmatch(value):
        return Refusal(namespace.name, "not_allowed")
    return Identifier(namespace.name, value)


def _may_stand(value: str, namespace: Namespace) -> bool:
    """Whether a value is the form of itself: what form and trim leave is what they would find."""
    return _trim(value) == value and FORMS[namespace.form](value, namespace, None) == value


def is_blocked(text: str, settings: IdentitySettings) -> bool:
    """Whether this text is one of the values that stand for nobody (`null`, `guest`, zeros).

    Compared by compatibility and without case, so that full-width forms are found out.
    """
    text = text[:LONGEST_VALUE]
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded in settings.blocked_values or _trim(folded) in settings.blocked_values:
        return True
    return compiled(settings.blocked_patterns).fullmatch(folded) is not None


def _text(raw: object) -> str | None:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else _digits(raw)


def _digits(raw: float) -> str | None:
    """A number as text; None for one of more digits than Python turns into text."""
    try:
        return str(raw)
    except ValueError:
        return None


def _trim(text: str) -> str:
    """NFC without filler, then white space and quotes off both ends until nothing changes."""
    text = unicodedata.normalize("NFC", FILLER.sub("", text))
    while (shorter := text.strip().strip(QUOTES)) != text:
        text = unicodedata.normalize("NFC", shorter)
    return text


def _as_text(text: str, namespace: Namespace, _region: str | None) -> str | None:
    if not namespace.fold_case:
        return text
    folded = unicodedata.normalize("NFC", text.lower())
    return unicodedata.normalize("NFC", folded.lower())


def _as_email(text: str, namespace: Namespace, _region: str | None) -> str | None:
    return address_of(text, namespace.providers, folds_local=namespace.fold_case)


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
