"""What an event says of consents, as registers beside its traits.

A word is a grant or a refusal of one purpose at one assurance. Its register's name tells these
three, so the latest grant and the latest refusal of each are kept as traits are: in any order of
arrival, per anchor, and put together whenever anchors are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stamgast.consent.purposes import ALL, SUPPRESSED, Purposes
from stamgast.identity.assurance import Assurance
from stamgast.ingestion.opt_outs import NOTE

TRAIT = "consent"
PREFIX = "$consent."
GRANT, REFUSAL = "g", "r"
MOST_WORDS = 256
MOST_PURPOSES = 40
LONGEST_PURPOSE, LONGEST_DETAIL = 60, 200
DETAILS = ("version", "proof")
Words = dict[str, Any]


def word_name(purpose: str, assurance: Assurance, *, is_grant: bool) -> str:
    """The name of a word's register, such as `$consent.g2.email`."""
    return f"{PREFIX}{GRANT if is_grant else REFUSAL}{int(assurance)}.{purpose}"


def is_word(name: str) -> bool:
    """Whether a register is a word about consents and no trait."""
    return name.startswith(PREFIX)


def read_word(name: str) -> tuple[str, Assurance, bool]:
    """The purpose, the assurance, and whether it is a grant, of a register's name."""
    kind, _, purpose = name.removeprefix(PREFIX).partition(".")
    return purpose, Assurance(int(kind[1:])), kind[0] == GRANT


def with_words(
    traits: Mapping[str, Any],
    context: Mapping[str, Any],
    notes: Sequence[str],
    assurance: Assurance,
    purposes: Purposes,
) -> dict[str, Any]:
    """The traits with what they, the context and the browser's signals say of consents as words.

    The trait `consent` is what words fold to, so nobody can say it, nor name a word as a trait.
    """
    told = {name: value for name, value in traits.items() if name != TRAIT and not is_word(name)}
    if TRAIT in traits:
        told |= _words(_said(traits[TRAIT]), {"by": "trait"}, assurance, purposes)
    consent = context.get(TRAIT)
    if isinstance(consent, dict):
        told |= _of_context(consent, assurance, purposes)
    for note in notes:
        if note.startswith(NOTE):
            told |= _of_signal(note.removeprefix(NOTE), assurance, purposes)
    return told


def _of_context(consent: Mapping[str, Any], assurance: Assurance, purposes: Purposes) -> Words:
    """`context.consent` as Segment spells it: `categoryPreferences`, with version and proof."""
    detail = {"by": "context", **_details(consent)}
    words: Words = {}
    if "categoryPreferences" in consent:
        words |= _words(_said(consent["categoryPreferences"]), detail, assurance, purposes)
    if assurance is Assurance.VERIFIED and isinstance(consent.get("suppressed"), bool):
        is_lifted = not consent["suppressed"]
        words[word_name(SUPPRESSED, assurance, is_grant=is_lifted)] = detail
    return words


def _of_signal(signal: str, assurance: Assurance, purposes: Purposes) -> Words:
    names = purposes.refused_by(signal)
    return {word_name(one, assurance, is_grant=False): {"by": signal} for one in names}


def _said(told: object) -> Mapping[str, Any]:
    """By category; null or false in place of the object refuse everything."""
    if isinstance(told, dict):
        named = {name: one for name, one in told.items() if _is_name(name)}
        return dict(sorted(named.items())[:MOST_PURPOSES])
    return {ALL: False} if told is None or told is False else {}


def _is_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_PURPOSE and not name.startswith("$")


def _words(
    said: Mapping[str, Any], detail: Mapping[str, str], assurance: Assurance, purposes: Purposes
) -> Words:
    words: Words = {}
    for category, value in said.items():
        for purpose in _named(category, purposes):
            is_grant = _is_grant(value)
            if is_grant and not purposes.takes_grant(purpose, assurance):
                continue
            own = _details(value) if isinstance(value, dict) else {}
            words[word_name(purpose, assurance, is_grant=is_grant)] = {**detail, **own}
    return words


def _named(category: str, purposes: Purposes) -> Iterable[str]:
    """Refusing everything refuses each declared purpose by its name."""
    if category == ALL and purposes.is_declared:
        return purposes.by_name
    return purposes.meant_by(category)


def _is_grant(value: object) -> bool:
    """`true` or `{"granted": true}`; what is neither is a refusal, unreadable values too."""
    return value is True or (isinstance(value, dict) and value.get("granted") is True)


def _details(told: Mapping[str, Any]) -> dict[str, str]:
    found: Iterator[tuple[str, Any]] = ((name, told.get(name)) for name in DETAILS)
    return {name: text[:LONGEST_DETAIL] for name, text in found if isinstance(text, str)}
