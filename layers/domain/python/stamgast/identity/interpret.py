"""From the raw record of an event to the event: the one place that normalises and keys.

The live loop and the lake both call `interpret`, so that a rebuild from raw repeats it exactly.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import orjson

from stamgast.consent.words import with_words
from stamgast.identity.assurance import Assurance
from stamgast.identity.decision_message import is_decision, named_in
from stamgast.identity.event import Event, Seen
from stamgast.identity.identifiers import Identifier, Refusal, normalise
from stamgast.identity.keys import Keyring
from stamgast.identity.orders import order_of
from stamgast.identity.proof import is_proven
from stamgast.identity.settings import IdentitySettings, Namespace
from stamgast.raw.gaps import gaps_of
from stamgast.raw.record import RawRecord

MOST_EXTERNAL = 20

Found = dict[tuple[str, str], Namespace]


def interpret(record: RawRecord, settings: IdentitySettings, keyring: Keyring) -> Event:
    """The event that a raw record tells; a pure function of its three arguments."""
    if record.is_suppressed:
        return _without_content(record, record.message_id)
    sent = orjson.loads(record.body)
    if is_decision(record):
        return _decision(record, sent, settings, keyring)
    assurance = _assurance(record, sent, _mapping(sent.get("context")), keyring)
    body = composed(record.body, sent)
    context = _mapping(body.get("context"))
    found, refusals = _identifiers(body, context, record, settings, keyring, assurance)
    return Event(
        message_key=keyring.message_key(record.source_id, record.message_id),
        message_id=record.message_id,
        receipt_id=record.receipt_id,
        payload_hash=record.payload_hash,
        source_id=record.source_id,
        type=record.type,
        name=_name(body),
        received_ms=record.received_ms,
        original_ms=record.original_ms,
        event_ms=record.event_ms,
        assurance=assurance,
        identifiers=_keyed(found, keyring),
        refusals=tuple(refusals),
        traits=with_words(
            _traits(body, context), context, record.notes, assurance, settings.consents
        ),
        properties=_mapping(body.get("properties")),
        context=context,
        order=order_of(body),
        gaps=gaps_of(record.notes),
    )


def composed(text: str, told: dict[str, Any]) -> dict[str, Any]:
    """A document with every text and name in NFC, so that all later readings compare code points.

    No sign of JSON's own has a composed form, so the document's text is composed as a whole.
    """
    if "\\u" in text:
        text = orjson.dumps(told).decode()
    if text.isascii():
        return told
    one = normalize("NFC", text)
    return told if one == text else dict(orjson.loads(one))


def _decision(
    record: RawRecord, body: Mapping[str, Any], settings: IdentitySettings, keyring: Keyring
) -> Event:
    """An operator's cut or lift: it names two identifiers, and has no facts and no anchor."""
    return replace(
        _without_content(record, keyring.message_key(record.source_id, record.message_id)),
        properties={name: body[name] for name in ("by", "reason") if name in body},
        decided=named_in(body, settings, keyring),
    )


def _without_content(record: RawRecord, message_key: str) -> Event:
    """An event that names nobody and says nothing, as what remains of an erased one does."""
    return Event(
        message_key=message_key,
        message_id=record.message_id,
        receipt_id=record.receipt_id,
        payload_hash=record.payload_hash,
        source_id=record.source_id,
        type=record.type,
        name=None,
        received_ms=record.received_ms,
        original_ms=record.original_ms,
        event_ms=record.event_ms,
        assurance=record.assurance,
        identifiers=(),
        refusals=(),
        traits={},
        properties={},
        context={},
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(body: Mapping[str, Any]) -> str | None:
    name = body.get("event") if body.get("type") == "track" else body.get("name")
    return name if isinstance(name, str) and name else None


def _traits(body: Mapping[str, Any], context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Traits of an identify call; some clients put them in `context.traits` alone."""
    if body.get("type") != "identify":
        return {}
    return {**_mapping(context.get("traits")), **_mapping(body.get("traits"))}


def _assurance(
    record: RawRecord, body: Mapping[str, Any], context: Mapping[str, Any], keyring: Keyring
) -> Assurance:
    if record.assurance is Assurance.VERIFIED:
        return Assurance.VERIFIED
    proof, user_id = context.get("proof"), body.get("userId")
    if isinstance(proof, str) and isinstance(user_id, str):
        secret = keyring.proof_secret(record.source_id)
        if is_proven(proof, user_id, record.received_ms, secret):
            return Assurance.VERIFIED
    return record.assurance


def _identifiers(
    body: Mapping[str, Any],
    context: Mapping[str, Any],
    record: RawRecord,
    settings: IdentitySettings,
    keyring: Keyring,
    assurance: Assurance,
) -> tuple[Found, list[Refusal]]:
    found: Found = {}
    refusals: list[Refusal] = []
    region = settings.region_of(record.source_id)
    for namespace, raw in _candidates(body, context, settings):
        told = identified(namespace, raw, settings, keyring, region)
        if isinstance(told, Identifier) and assurance < namespace.least_assurance:
            told = Refusal(namespace.name, "assurance_too_low")
        if isinstance(told, Identifier):
            found[told.namespace, told.value] = namespace
        elif told is not None:
            refusals.append(told)
    return found, refusals


def identified(
    namespace: Namespace,
    raw: object,
    settings: IdentitySettings,
    keyring: Keyring,
    region: str | None = None,
) -> Identifier | Refusal | None:
    """What a value identifies (as `normalise`); a seal of this keyring stands as it is."""
    if isinstance(raw, str) and keyring.is_sealed(namespace.name, raw):
        return Identifier(namespace.name, raw)
    return normalise(namespace, raw, settings, region)


def _candidates(
    body: Mapping[str, Any], context: Mapping[str, Any], settings: IdentitySettings
) -> Iterator[tuple[Namespace, object]]:
    for namespace in settings.namespaces:
        for path in namespace.paths:
            if (raw := _at(body, path)) is not None:
                yield namespace, raw
    if body.get("type") == "alias" and (previous := settings.by_name.get("user_id")):
        yield settings.by_name.get("anonymous_id", previous), body.get("previousId")
    for entry in _external(context, body):
        named = settings.external.get(str(entry.get("type")))
        if named is not None and entry.get("collection", "users") == "users":
            yield named, _decoded(entry)


def _external(*told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entries of `externalIds`, whose place is the context; some clients put it beside that."""
    for place in told:
        listed = place.get("externalIds")
        for entry in listed[:MOST_EXTERNAL] if isinstance(listed, list) else ():
            yield _mapping(entry)


def _decoded(entry: Mapping[str, Any]) -> object:
    """The id of an entry; `encoding` is `none` or `base64`, and any other makes it no value."""
    told, encoding = entry.get("id"), entry.get("encoding", "none")
    if encoding in ("none", None):
        return told
    if encoding != "base64" or not isinstance(told, str):
        return []
    try:
        return b64decode(told, validate=True).decode("utf-8")
    except ValueError:
        return []


def _at(body: Mapping[str, Any], path: tuple[str, ...]) -> object:
    value: object = body
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _keyed(found: Found, keyring: Keyring) -> tuple[Seen, ...]:
    seen = (
        Seen(keyring.identifier_key(name, value), name, at.kind, at.priority, value)
        for (name, value), at in found.items()
    )
    return tuple(sorted(seen, key=lambda one: (one.priority, one.key)))
