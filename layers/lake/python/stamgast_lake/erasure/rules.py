"""What an erasure does to each table: which rows go, which stay with less, and how to find them.

The statements read the key sets `erased` (identifiers), `erased_person`, `gone_message`,
`redacted_message`, `apart` (others' identifiers that stood beside the erased), `other_person`
(whose they are) and `others_key` (all that these have). `{T}` is the moment of the erasure: what
came and happened later is of somebody new. `{S}` is the moment of the sweep: what runs logged up
to then was computed with the erased in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stamgast.identity.decision import PLATFORM_SOURCE
from stamgast_lake.tables import (
    ANCHORS,
    COMPUTED_TRAITS,
    CONSTRAINTS,
    EDGES,
    EGRESS_RECEIPTS,
    EVENTS,
    EVIDENCE,
    IDENTITY,
    LINK_MODELS,
    LINKS,
    MEMBERSHIPS,
    MESSAGE_INDEX,
    MODELS,
    PERSONS,
    PROFILES,
    RAW_FILES,
    RECEIPTS,
    RFM,
    RUNS,
    SCORES,
    LakeTable,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows that match `gone` go, of rows that match `changed` the columns of `values` change.

    A row group is passed over when the span of `column` in it holds no key of the sets `spans`;
    without a column every file is read.
    """

    table: LakeTable
    gone: str = "false"
    changed: str = "false"
    values: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    spans: tuple[str, ...] = ()


def _within(column: str, *sets: str) -> str:
    return " or ".join(f"{column} in (select key from {name})" for name in sets)


OLD = "(received_at <= {T} or event_at <= {T})"
# A lambda takes no subquery, so the keys are a variable as well.
KEYS = "getvariable('erased_keys')"
LOGGED = "recorded_at <= {S}"
TOLD_KEYS = f"list_filter({KEYS}, lambda one: contains(figures, one))"
OF_MESSAGE = f"coalesce({_within('message_key', 'gone_message')}, false)"
OF_ERASED = f"coalesce({_within('anchor_key', 'erased')}, false)"
# Somebody else's copy of such a message stays as it is: the next load judges its line anew.
GONE_RECEIPT = (
    f"({OF_ERASED} and (received_at <= {{T}} or {OF_MESSAGE})"
    f" or {OF_MESSAGE} and source_id = '{PLATFORM_SOURCE}')"
)
NAMING_RECEIPT = f"list_has_any(identifiers, {KEYS})"
PERSON = _within("person_id", "erased_person")
INTO = _within('"into"', "erased_person")
SEALED = "case when {key} in (select key from redacted_message) then {sealed} <> {id} end"


def _sealing(message_key: str, source: str, message_id: str) -> dict[str, Any]:
    """Ids of others' messages that spell an erased identifier: a seal takes their place."""
    sealed = f"sealed_message({source}, {message_id})"
    told = {"key": message_key, "sealed": sealed, "id": message_id}
    return {"changed": SEALED.format_map(told), "values": {message_id: sealed}}


# An event of somebody else that named the erased still says who sent it, on the same word.
WITH_ERASED = f"coalesce({_within('b', 'erased')}, false)"
LEFT_ALONE = (
    f"({WITH_ERASED} and rule = 'seen_together' and {OLD}"
    f" and {_within('message_key', 'redacted_message')})"
)
ALONE = {
    "edge_key": "a || '|' || a",
    "b": "null",
    "namespace_b": "null",
    "position": "0",
    "rule": "'alone'",
}


def _left_alone() -> dict[str, Any]:
    """What is left of an edge to the erased is the anchor's own; message ids are sealed too."""
    sealing = _sealing("message_key", "source_id", "message_id")
    alone = {
        name: f"case when {LEFT_ALONE} then {value} else {name} end"
        for name, value in ALONE.items()
    }
    changed = f"{LEFT_ALONE} or coalesce({sealing['changed']}, false)"
    return {"changed": changed, "values": {**sealing["values"], **alone}}


OF_OTHERS = _within("person_id", "erased_person", "other_person")

RULES = {
    rule.table.name: rule
    for rule in (
        Rule(
            EVENTS,
            gone=_within("message_key", "gone_message"),
            changed=_within("message_key", "redacted_message"),
            values={
                "identifiers": "list_transform(list_filter(identifiers, lambda one: not"
                f" list_contains({KEYS}, one.key)), lambda one: struct_pack(key := one.key,"
                " namespace := one.namespace, kind := one.kind, priority := one.priority,"
                " value := sealed_value(one.key, one.value)))",
                "products": "list_transform(products, lambda one: struct_pack("
                "product_id := without_mention(one.product_id),"
                " category := without_mention(one.category), price_minor := one.price_minor,"
                " quantity := one.quantity, discount_minor := one.discount_minor))",
                "message_id": "sealed_message(source_id, message_id)",
                **{
                    name: f"without_erased({name})"
                    for name in ("traits", "properties", "context", "page", "campaign")
                },
                **{
                    name: f"without_mention({name})"
                    for name in ("event", "user_agent", "order_id", "locale", "time_zone")
                },
            },
            column="anchor_key",
            spans=("erased", "apart"),
        ),
        Rule(
            EVIDENCE,
            gone=f"({_within('a', 'erased')} or {WITH_ERASED} and not {LEFT_ALONE}"
            f" or {_within('message_key', 'gone_message')}) and {OLD}",
            **_left_alone(),
            column="a",
            spans=("erased", "apart"),
        ),
        Rule(
            MESSAGE_INDEX,
            gone=_within("message_key", "gone_message"),
            column="message_key",
            spans=("gone_message",),
        ),
        Rule(
            RECEIPTS,
            changed=f"{GONE_RECEIPT} or {OF_MESSAGE} or coalesce({NAMING_RECEIPT}, false)",
            values={
                "state": f"case when {GONE_RECEIPT} then 'suppressed' else state end",
                "reason": f"case when {GONE_RECEIPT} then 'erased' else reason end",
                "payload_hash": f"case when {GONE_RECEIPT} then null else payload_hash end",
                "event_at": f"case when {GONE_RECEIPT} then null else event_at end",
                "anchor_key": f"case when {GONE_RECEIPT} then null else anchor_key end",
                "identifiers": "null",
            },
            column="anchor_key",
            spans=("erased", "apart"),
        ),
        Rule(
            CONSTRAINTS,
            gone=f"({_within('a', 'erased')} or {_within('b', 'erased')})",
            changed="without_mention(reason) <> reason",
            values={"reason": "without_mention(reason)"},
        ),
        Rule(
            EDGES,
            gone=f"({_within('a', 'erased')} or {_within('b', 'erased')}) and {LOGGED}",
            column="a",
            spans=("erased", "apart"),
        ),
        Rule(
            IDENTITY,
            gone=f"({_within('identifier', 'erased')} or coalesce({PERSON}, false)) and {LOGGED}",
            **_sealing("born_message", "born_source", "born_message_id"),
            column="identifier",
            spans=("erased", "apart", "others_key"),
        ),
        Rule(
            PERSONS,
            gone=f"({PERSON} or coalesce({INTO}, false) or"
            f" coalesce(list_has_any(members, {KEYS}), false))"
            f" and {LOGGED}",
            changed=f"case when {_within('person_id', 'other_person')} then"
            " sealed_message(founding_source, founding_message) <> founding_message end",
            values={"founding_message": "sealed_message(founding_source, founding_message)"},
            column="person_id",
            spans=("erased_person", "other_person"),
        ),
        Rule(
            ANCHORS,
            gone=f"({_within('anchor_key', 'erased', 'apart', 'others_key')}) and {LOGGED}",
            column="anchor_key",
            spans=("erased", "apart", "others_key"),
        ),
        Rule(
            PROFILES,
            gone=f"({OF_OTHERS}) and {LOGGED}",
            column="person_id",
            spans=("erased_person", "other_person"),
        ),
        Rule(RFM, gone=f"{PERSON} and {LOGGED}", column="person_id", spans=("erased_person",)),
        Rule(
            COMPUTED_TRAITS,
            gone=f"({OF_OTHERS}) and {LOGGED}",
            column="person_id",
            spans=("erased_person", "other_person"),
        ),
        Rule(
            MEMBERSHIPS, gone=f"{PERSON} and {LOGGED}", column="person_id", spans=("erased_person",)
        ),
        Rule(SCORES, gone=f"{PERSON} and {LOGGED}", column="person_id", spans=("erased_person",)),
        Rule(LINKS, gone=f"{_within('a', 'erased')} or {_within('b', 'erased')}"),
        Rule(
            EGRESS_RECEIPTS,
            changed=PERSON,
            values={"person_id": "'erased'", "consent_version": "null"},
            column="person_id",
            spans=("erased_person",),
        ),
        Rule(
            RAW_FILES,
            changed="case when kind = 'import' then file_name(object) <> object end",
            values={"object": "file_name(object)"},
        ),
        Rule(
            RUNS,
            changed=f"len({TOLD_KEYS}) > 0",
            values={
                "figures": f"list_reduce(list_prepend(figures, {TOLD_KEYS}),"
                " lambda told, one: replace(told, one, 'erased'))"
            },
        ),
    )
}
# Tables that tell of no person, each with what it holds instead.
IMPERSONAL = {
    LINK_MODELS.name: "coefficients and counts",
    MODELS.name: "how models were judged, and their cards",
}
