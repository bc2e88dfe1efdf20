"""One decision to show or to tell something of a person, or not to, as it is kept for ever."""

from dataclasses import dataclass, replace

import orjson

from stamgast.egress.decision import Why
from stamgast.egress.pseudonyms import pseudonym
from stamgast.moments import iso_of


@dataclass(frozen=True, slots=True)
class Disclosure:
    """To whom, of whom, for what, which fields, allowed or refused and why.

    `kind` is the path of a look-up, or `segment_entered` and `segment_left`. Without a person
    somebody was asked for who is not known.
    """

    kind: str
    person_id: str | None
    recipient: str
    purpose: str | None
    fields: tuple[str, ...]
    is_allowed: bool
    reason: Why
    consent_version: str | None
    consent_ms: int | None
    decided_ms: int
    segment: str | None = None

    def to_json(self, disclosure_id: str, salt: bytes) -> bytes:
        """One line of NDJSON without its line end: the person and their word under their salt."""
        return orjson.dumps(
            {
                "disclosure_id": disclosure_id,
                "kind": self.kind,
                "person_ref": _hashed(salt, self.person_id),
                "recipient": self.recipient,
                "purpose": self.purpose,
                "segment": self.segment,
                "fields": list(self.fields),
                "is_allowed": self.is_allowed,
                "reason": self.reason.value,
                "consent_ref": _hashed(salt, self.consent_version),
                "consent_at": None if self.consent_ms is None else iso_of(self.consent_ms),
                "decided_at": iso_of(self.decided_ms),
            }
        )


def _hashed(salt: bytes, text: str | None) -> str | None:
    return None if text is None else pseudonym(salt, text)


def explained_to(
    recipient: str, kind: str, person_id: str | None, now_ms: int, segment: str | None = None
) -> Disclosure:
    """That an operator was told of somebody: explained, cut, lifted, sampled; for no purpose."""
    is_known = person_id is not None
    return Disclosure(
        kind=kind,
        person_id=person_id,
        recipient=recipient,
        purpose=None,
        fields=(kind,) if is_known else (),
        is_allowed=is_known,
        reason=Why.NO_PURPOSE if is_known else Why.NOT_FOUND,
        consent_version=None,
        consent_ms=None,
        decided_ms=now_ms,
        segment=segment,
    )


def fetched_by(recipient: str, kind: str, now_ms: int) -> Disclosure:
    """That links to a person's record were given; whose it is, the lines of its making tell."""
    return Disclosure(
        kind=f"{kind}_fetched",
        person_id=None,
        recipient=recipient,
        purpose=None,
        fields=(kind,),
        is_allowed=True,
        reason=Why.ASKED,
        consent_version=None,
        consent_ms=None,
        decided_ms=now_ms,
    )


def hushed_from(
    recipient: str, kind: str, person_id: str, now_ms: int, segment: str | None = None
) -> Disclosure:
    """That an operator asked of somebody who is suppressed, and was told nothing."""
    told = explained_to(recipient, kind, person_id, now_ms, segment)
    return replace(told, fields=(), is_allowed=False, reason=Why.SUPPRESSED)


def asked_for(
    recipient: str, kind: str, purpose: str, segment: str, fields: tuple[str, ...], now_ms: int
) -> Disclosure:
    """That a file about many was asked for; who is in it, the file's own receipts tell."""
    return Disclosure(
        kind=kind,
        person_id=None,
        recipient=recipient,
        purpose=purpose,
        fields=fields,
        is_allowed=True,
        reason=Why.ASKED,
        consent_version=None,
        consent_ms=None,
        decided_ms=now_ms,
        segment=segment,
    )
