"""A generated world of persons and their devices, whose truth is known; nothing in it is real.

Persons live alone or share a home's address with others, work in offices behind one address, and
move through the addresses of a carrier. Each has a rhythm and a taste in pages; each device logs
in sooner or later, or never.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stamgast_lake.schemas import arrow_schema
from stamgast_lake.shards import ALPHABET, shard_of
from stamgast_lake.tables import EVENTS, IDENTITY

ENDS_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X)",
    "Mozilla/5.0 (Linux; Android 17)",
    "Mozilla/5.0 (Windows NT 11.0; Win64; x64)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0)",
)
LOCALES = ("nl-NL", "nl-BE", "en-GB", "de-DE")
PAGES = 400
OFFICE_SIZE, CARRIERS = 60, 12
SESSIONS_A_DAY = 0.35
EVENTS_A_SESSION = 3


@dataclass(frozen=True)
class DeviceWorld:
    """Events and persons as the lake keeps them, and who owns each device."""

    events: pa.Table
    identity: pa.Table
    owner: dict[str, int]
    ends_at: datetime = ENDS_AT


def generate(persons: int, days: int, seed: int) -> DeviceWorld:
    """A world of so many persons over so many days; equal arguments give an equal world."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(persons), random.integers(1, 4, persons))
    login_day = np.where(
        random.random(len(owner)) < 0.75, random.uniform(0, days * 1.15, len(owner)), np.inf
    )
    told = _sessions(random, persons, owner, days, login_day)
    devices = [key("anonymous_id", number) for number in range(len(owner))]
    users = [key("user_id", number) for number in range(persons)]
    return DeviceWorld(
        _events(told, devices, users, owner),
        _identity(told, devices, users, owner),
        {device: int(one) for device, one in zip(devices, owner, strict=True)},
    )


def key(namespace: str, number: int) -> str:
    """A key in the form of the keyring's, of a number instead of a hash."""
    digits = ""
    for _ in range(25):
        digits, number = ALPHABET[number % 32] + digits, number // 32
    return f"{namespace}:1{digits}"


def _sessions(
    random: np.random.Generator, persons: int, owner: Any, days: int, login_day: Any
) -> dict[str, Any]:
    """One entry an event: device, moment, address, page, agent, locale, whether logged in."""
    shared = random.integers(0, max(1, persons // 4), persons)
    home = np.where(random.random(persons) < 0.7, shared, np.arange(persons) + persons)
    office = random.integers(0, max(1, persons // OFFICE_SIZE), persons)
    evening = random.normal(20, 2.5, persons)
    taste = random.integers(0, PAGES, (persons, 12))
    rate = random.gamma(2.0, SESSIONS_A_DAY / 2, len(owner))
    count = random.poisson(rate * days)
    device = np.repeat(np.arange(len(owner)), count)
    person = owner[device]
    day = random.uniform(0, days, len(device)).astype(np.int64)
    is_work = (day % 7 < 5) & (random.random(len(device)) < 0.3)
    hour = np.where(is_work, random.normal(13, 2, len(device)), random.normal(evening[person], 1.5))
    is_out = random.random(len(device)) < 0.15
    place = np.where(is_work, 10_000_000 + office[person], home[person])
    place = np.where(is_out, 20_000_000 + random.integers(0, CARRIERS, len(device)), place)
    each = np.repeat(np.arange(len(device)), EVENTS_A_SESSION)
    start_us = int(ENDS_AT.timestamp() * 1_000_000) - days * DAY_US
    at_us = start_us + day * DAY_US + (np.clip(hour, 0, 23.9) * HOUR_US).astype(np.int64)
    at_us = at_us[each] + random.integers(0, HOUR_US // 2, len(each))
    likes = random.random(len(each)) < 0.25
    page = np.where(
        likes,
        taste[person[each], random.integers(0, 12, len(each))],
        random.integers(0, PAGES, len(each)),
    )
    system = random.integers(0, len(AGENTS), len(owner))
    locale = random.choice(len(LOCALES), persons, p=(0.7, 0.1, 0.1, 0.1))
    return {
        "device": device[each],
        "at_us": np.minimum(at_us, int(ENDS_AT.timestamp() * 1_000_000) - 1),
        "place": place[each],
        "page": page,
        "agent": system[device[each]],
        "locale": locale[person[each]],
        "is_known": day[each] >= login_day[device[each]],
    }


def _events(told: dict[str, Any], devices: list[str], users: list[str], owner: Any) -> pa.Table:
    number = len(told["device"])
    device = pa.array(devices).take(pa.array(told["device"]))
    user = pa.array(users).take(pa.array(owner[told["device"]]))
    unique, place = np.unique(told["place"], return_inverse=True)
    ip = pa.array([f"2001:db8:{one >> 16:x}:{one & 65535:x}::" for one in unique.tolist()])
    known = pa.array(told["is_known"])
    ids = [f"m{one}" for one in range(number)]
    at = pa.array(told["at_us"]).cast(pa.timestamp("us", tz="UTC"))
    columns: dict[str, Any] = {
        "message_key": pa.array(ids),
        "message_id": pa.array(ids),
        "receipt_id": pa.array(ids),
        "event_at": at,
        "received_at": at,
        "original_at": at,
        "anchor_key": pc.if_else(known, user, device),
        "identifiers": _identifiers(device, user, told["is_known"]),
        "page": pa.array([f'{{"path":"/{one}"}}' for one in range(PAGES)]).take(
            pa.array(told["page"])
        ),
        "ip": ip.take(pa.array(place)),
        "user_agent": pa.array(AGENTS).take(pa.array(told["agent"])),
        "locale": pa.array(LOCALES).take(pa.array(told["locale"])),
        "time_zone": pa.array(["Europe/Amsterdam"] * number),
        "event_on": at.cast(pa.date32()),
    }
    fixed = {"source_id": "web", "payload_hash": "", "type": "page", "run_id": "r1"}
    columns |= {name: pa.array([value] * number) for name, value in fixed.items()}
    columns["assurance"] = pa.array(np.ones(number, np.int32))
    columns["has_own_time"] = pa.array(np.ones(number, np.bool_))
    table = _filled(columns, arrow_schema(EVENTS), number)
    return table.sort_by([("event_on", "ascending")])


def _identifiers(device: Any, user: Any, is_known: Any) -> pa.Array:
    """Lists of one or two identifiers, built flat: a known event names its user first."""
    kind = arrow_schema(EVENTS).field("identifiers").type.value_type
    sizes = 1 + is_known.astype(np.int32)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    last = offsets[1:] - 1
    where = np.zeros(offsets[-1], np.int64)
    where[last] = np.arange(len(is_known))
    first = offsets[:-1][is_known]
    where[first] = np.flatnonzero(is_known)
    is_user = np.zeros(offsets[-1], np.bool_)
    is_user[first] = True
    keys = pc.if_else(pa.array(is_user), user.take(pa.array(where)), device.take(pa.array(where)))

    def either(one: str, other: str) -> Any:
        return pc.if_else(pa.array(is_user), pa.scalar(one), pa.scalar(other))

    fields = {
        "key": keys,
        "namespace": either("user_id", "anonymous_id"),
        "kind": either("linked", "ephemeral"),
        "priority": pa.array(np.where(is_user, 0, 6).astype(np.int32)),
        "value": either("u", "d"),
    }
    struct = pa.StructArray.from_arrays(
        [fields[field.name].cast(field.type) for field in kind], fields=list(kind)
    )
    return pa.ListArray.from_arrays(
        pa.array(offsets), struct, type=arrow_schema(EVENTS).field("identifiers").type
    )


def _identity(told: dict[str, Any], devices: list[str], users: list[str], owner: Any) -> pa.Table:
    """A device that ever logged in belongs to its user; another is a person of its own."""
    known = set(np.unique(told["device"][told["is_known"]]).tolist())
    seen = np.unique(told["device"]).tolist()
    rows = [
        _row(devices[one], f"p{owner[one]}" if one in known else f"d{one}", "anonymous_id")
        for one in seen
    ]
    logged_in = {int(owner[one]) for one in known}
    rows += [_row(users[one], f"p{one}", "user_id") for one in sorted(logged_in)]
    rows.sort(key=lambda row: row["shard"])
    return pa.Table.from_pylist(rows, schema=arrow_schema(IDENTITY))


def _row(identifier: str, person_id: str, namespace: str) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "namespace": namespace,
        "person_id": person_id,
        "cause": "joined",
        "recorded_at": ENDS_AT,
        "shard": shard_of(identifier),
        "run_id": "r1",
    }


def _filled(columns: dict[str, Any], schema: pa.Schema, number: int) -> pa.Table:
    arrays = [
        columns[field.name].cast(field.type)
        if field.name in columns
        else pa.nulls(number, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
