"""The one rule that decides whether what a person said covers a purpose.

Every use asks it, and nothing else reads a consent. Granted is what some grant allows that is
later than every refusal, and that no refusal of higher assurance stands against; ties refuse.
Until a word is known a purpose is as the workspace says, and that is denied unless it says more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING, Any

from stamgast.consent.purposes import ALL, SUPPRESSED, UNDECLARED, Purposes
from stamgast.consent.words import MOST_WORDS, TRAIT, is_word, read_word
from stamgast.identity.assurance import Assurance
from stamgast.identity.keys import SHORT_ID_LENGTH
from stamgast.profile.registers import Register, join_traits

if TYPE_CHECKING:  # facts tell their values by this rule
    from stamgast.profile.facts import Facts


class Verdict(StrEnum):
    """What is known of a purpose."""

    GRANTED = "granted"
    DEFAULT = "default"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Word:
    """A grant or a refusal: how well it is known, when it was said, by which message.

    `detail` may tell the version of the text, a proof, and by what it came.
    """

    is_grant: bool
    assurance: Assurance
    said_ms: int
    version: str
    detail: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def rank(self) -> tuple[int, bool, int, str]:
        """The later first; of one moment a refusal, then the better known."""
        return (self.said_ms, not self.is_grant, self.assurance, self.version)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said of purposes: the latest grant and refusal of each at each assurance."""

    words: Mapping[str, tuple[Word, ...]]
    is_full: bool = False
    """More names were said than are kept, so that what is missing may be a refusal."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether a purpose is covered, why, and by which word; no version where none decides."""

    verdict: Verdict
    version: str | None = None
    said_ms: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_covered(self) -> bool:
        """What was granted is, or what the workspace grants while nothing is said."""
        return self.verdict in (Verdict.GRANTED, Verdict.DEFAULT)


NOTHING_SAID = Coverage(Verdict.UNKNOWN)
UNSAID = "$unsaid"


def coverage_of(consent: Consent | None, purpose: str, purposes: Purposes = UNDECLARED) -> Coverage:
    """Whether a consent covers a purpose; one that the workspace does not know is not covered."""
    known = purposes.of(purpose)
    if known is None:
        return NOTHING_SAID
    words = {} if consent is None else consent.words
    suppressed = settled(words.get(SUPPRESSED, ()))
    if suppressed is not None and not suppressed.is_grant:
        return _told(Verdict.SUPPRESSED, suppressed)
    if consent is not None and consent.is_full:
        return Coverage(Verdict.REFUSED)
    word = settled((*words.get(purpose, ()), *words.get(ALL, ())))
    if word is not None:
        return _told(Verdict.GRANTED if word.is_grant else Verdict.REFUSED, word)
    return Coverage(Verdict.DEFAULT) if known.is_default_granted else NOTHING_SAID


def coverage_of_all(
    consent: Consent | None, names: Iterable[str], purposes: Purposes = UNDECLARED
) -> Coverage:
    """The coverage of several purposes at once: the first that is not covered, else the first."""
    found = [coverage_of(consent, name, purposes) for name in dict.fromkeys(names)]
    return next((one for one in found if not one.is_covered), found[0])


def silenced(consent: Consent | None) -> Coverage | None:
    """The coverage of whoever is suppressed, for any purpose and for none; None of others."""
    found = coverage_of(consent, SUPPRESSED)
    return found if found.verdict is Verdict.SUPPRESSED else None


def settled(words: Iterable[Word]) -> Word | None:
    """The word that holds: a grant that nothing stands against, else the latest refusal."""
    told = tuple(words)
    refusals = [word for word in told if not word.is_grant]
    last_ms = max((word.said_ms for word in refusals), default=None)
    surest = max((word.assurance for word in refusals), default=Assurance.ANONYMOUS)
    grants = [
        word
        for word in told
        if word.is_grant
        and word.assurance >= surest
        and (last_ms is None or word.said_ms > last_ms)
    ]
    return max(grants or refusals, key=lambda word: word.rank, default=None)


def consent_of_traits(traits: Mapping[str, Register]) -> Consent | None:
    """The consent among live registers; None where nothing was said."""
    found: dict[str, list[Word]] = {}
    for name, register in traits.items():
        if is_word(name):
            purpose, assurance, is_grant = read_word(name)
            word = Word(is_grant, assurance, register.event_ms, register.key, register.value or {})
            found.setdefault(purpose, []).append(word)
    count = sum(map(len, found.values()))
    words = {purpose: tuple(sorted(told, key=_place)) for purpose, told in found.items()}
    return Consent(words, count >= MOST_WORDS) if words else None


def joined_words(facts: Mapping[str, "Facts"], anchors: Iterable[str]) -> Mapping[str, Register]:
    """The words that these anchors say together; no other register is looked at."""
    told = (facts[anchor].traits for anchor in anchors if anchor in facts)
    words = ({name: one for name, one in traits.items() if is_word(name)} for traits in told)
    return reduce(join_traits, words, {})


def consent_of_row(told: Mapping[str, Any] | None) -> Consent | None:
    """The consent of a lake's profile: the entry that `row_of_consent` made of it."""
    if not isinstance(told, Mapping) or not isinstance(told.get("words"), Mapping):
        return None
    words = {
        purpose: tuple(sorted((_word(*one) for one in listed), key=_place))
        for purpose, listed in told["words"].items()
    }
    return Consent(words, bool(told.get("is_full"))) if words else None


def row_of_consent(consent: Consent) -> dict[str, Any]:
    """What a lake's profile keeps: `value` by purpose as rules read it, and every word."""
    return {
        "value": values_of(consent),
        "words": {
            purpose: [
                [word.is_grant, int(word.assurance), word.said_ms, word.version, word.detail]
                for word in words
            ]
            for purpose, words in sorted(consent.words.items())
        },
        "is_full": consent.is_full,
        "is_closed": _is_closed(consent),
    }


def _is_closed(consent: Consent) -> bool:
    """Whether even a purpose that the workspace grants by default is refused."""
    return coverage_of(consent, UNSAID).verdict is not Verdict.UNKNOWN


def values_of(consent: Consent | None) -> dict[str, bool]:
    """True or false for every purpose of which something was said."""
    if consent is None:
        return {}
    named = sorted(consent.words.keys() - {SUPPRESSED})
    return {purpose: coverage_of(consent, purpose).is_covered for purpose in named}


def plain_traits(traits: Mapping[str, Register]) -> dict[str, Register]:
    """The traits without words; `consent` tells what the words come to."""
    plain = {name: register for name, register in traits.items() if not is_word(name)}
    consent = consent_of_traits(traits) if len(plain) < len(traits) else None
    if consent is None:
        return plain
    last = max((r for name, r in traits.items() if is_word(name)), key=lambda r: r.rank)
    return {**plain, TRAIT: Register(values_of(consent), last.assurance, last.event_ms, last.key)}


def _told(verdict: Verdict, word: Word) -> Coverage:
    return Coverage(verdict, word.version, word.said_ms, word.detail)


def _word(is_grant: bool, assurance: int, said_ms: int, key: str, detail: Any) -> Word:
    return Word(is_grant, Assurance(assurance), said_ms, key[:SHORT_ID_LENGTH], detail or {})


def _place(word: Word) -> tuple[bool, int]:
    return (word.is_grant, word.assurance)
