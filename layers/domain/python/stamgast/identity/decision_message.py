"""A decision as a message of the raw archive, and the identifiers that such a message names.

It is archived before anything follows from it, so that a rebuild from raw repeats it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.decision import PLATFORM_SOURCE, Decision, Verdict
from stamgast.identity.event import Event, Seen
from stamgast.identity.identifiers import Identifier, normalise
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting, Star
from stamgast.ingestion.payload import payload_hash
from stamgast.moments import iso_of
from stamgast.raw.record import RawRecord

VERDICTS = frozenset(Verdict)


def record_of(decision: Decision, named: Sequence[Identifier]) -> RawRecord:
    """The line of a decision: the same whenever it is written again, so that copies are one."""
    body = {
        "type": decision.verdict.value,
        "messageId": decision.message_id,
        "timestamp": iso_of(decision.at_ms),
        "identifiers": [{"namespace": one.namespace, "value": one.value} for one in named],
        "by": decision.by,
        "reason": decision.reason,
    }
    return RawRecord(
        receipt_id=f"{decision.message_id}:0",
        request_id=decision.message_id,
        index=0,
        received_ms=decision.at_ms,
        source_id=PLATFORM_SOURCE,
        assurance=Assurance.VERIFIED,
        sent_ms=None,
        original_ms=decision.at_ms,
        event_ms=decision.at_ms,
        type=decision.verdict.value,
        message_id=decision.message_id,
        payload_hash=payload_hash(body),
        ip=None,
        user_agent=None,
        body=orjson.dumps(body).decode(),
    )


def is_decision(record: RawRecord) -> bool:
    """Whether a record is a decision: no source of the workspace can write one."""
    return record.source_id == PLATFORM_SOURCE and record.type in VERDICTS


def named_in(
    body: Mapping[str, Any], settings: IdentitySettings, keyring: Keyring
) -> tuple[Seen, ...]:
    """The two identifiers of a decision in the order of their keys; none of one it cannot read."""
    told = body.get("identifiers")
    found = [_seen(one, settings, keyring) for one in told] if isinstance(told, list) else []
    seen = sorted((one for one in found if one is not None), key=lambda one: one.key)
    is_pair = len(seen) == 2 and seen[0].key != seen[1].key
    return tuple(seen) if is_pair else ()


def _seen(told: object, settings: IdentitySettings, keyring: Keyring) -> Seen | None:
    if not isinstance(told, dict):
        return None
    namespace = settings.by_name.get(str(told.get("namespace")))
    if namespace is None:
        return None
    named = normalise(namespace, told.get("value"), settings)
    if not isinstance(named, Identifier):
        return None
    key = keyring.identifier_key(named.namespace, named.value)
    return Seen(key, named.namespace, namespace.kind, namespace.priority, named.value)


def star_of_decision(event: Event, keyring: Keyring) -> Star:
    """Both identifiers as a message saw them that vouches for neither and links nothing.

    The star has no anchor: a decision leaves no facts behind.
    """
    sightings = {
        seen.key: Sighting(
            seen.key,
            seen.namespace,
            seen.kind,
            Assurance.ANONYMOUS,
            Birth(
                event.received_ms,
                event.message_key,
                position,
                keyring.person_id(event.source_id, event.message_id, position),
            ),
            seen.value,
        )
        for position, seen in enumerate(event.decided)
    }
    return Star("", event.message_key, sightings, {})
