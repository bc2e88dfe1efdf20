"""The certificate of an erasure: what each store held, what was taken, what is left, until when."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson

from stamgast.erasure.stores import STORES, Kind
from stamgast.moments import iso_of, moment_of

FORM = 1
Sign = Callable[[bytes], dict[str, str] | None]


def certificate_of(
    *,
    request_id: str,
    until_ms: int,
    unreachable_ms: int,
    proven_ms: int,
    removed: Mapping[str, int],
    remaining: Mapping[str, int],
    searched: Mapping[str, int],
    came_back: int = 0,
) -> dict[str, Any]:
    """The certificate without its signature; it names no person.

    `removed` and `remaining` count what told of the person by store, `searched` what was read.
    `came_back` is how many of the identifiers somebody was named by since; theirs is not counted.
    """
    known = [one.name for one in _readable()]
    beside = sorted(name for name, count in remaining.items() if count and name not in known)
    stores = [_store(name, removed, remaining, searched) for name in (*known, *beside)]
    held = [
        _unread(one.name, one.kind, one.erased, one.days or 0, unreachable_ms)
        for one in STORES
        if one.days is not None
    ]
    gone = max((one["holds_until"] for one in held), default=iso_of(unreachable_ms))
    return {
        "form": FORM,
        "request_id": request_id,
        "erased_up_to": iso_of(until_ms),
        "unreachable_since": iso_of(unreachable_ms),
        "physically_gone_by": gone,
        "searched_at": iso_of(proven_ms),
        "found": sum(removed.values()),
        "remaining": sum(remaining.values()),
        "came_back": came_back,
        "stores": [one for one in stores if is_told(one)],
        "without_findings": sorted(one["store"] for one in stores if not is_told(one)),
        "unreadable": held,
    }


def signed(certificate: Mapping[str, Any], sign: Sign) -> dict[str, Any]:
    """The certificate with a signature over its JSON (sorted names, no blanks); null unsigned."""
    return {**certificate, "signature": sign(signed_text(certificate))}


def settled(
    certificate: Mapping[str, Any], by: str, reason: str, settled_ms: int, sign: Sign
) -> dict[str, Any]:
    """The certificate of a search that found something, closed by a person who says why."""
    told = {"by": by, "at": iso_of(settled_ms), "reason": reason}
    told = {name: value for name, value in certificate.items() if name != "signature"} | {
        "settled": told
    }
    return signed(told, sign)


def signed_text(certificate: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: everything but the signature."""
    told = {name: value for name, value in certificate.items() if name != "signature"}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def is_told(store: Mapping[str, Any]) -> bool:
    """Whether there is anything to say of a store, what a search left in it above all."""
    return any(store[name] for name in ("found", "searched", "remaining"))


def _readable() -> list[Any]:
    return [one for one in STORES if one.days is None and one.kind is not Kind.LOG and one.holds]


def _store(
    name: str,
    removed: Mapping[str, int],
    remaining: Mapping[str, int],
    searched: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "store": name,
        "found": removed.get(name, 0),
        "removed": max(0, removed.get(name, 0) - remaining.get(name, 0)),
        "remaining": remaining.get(name, 0),
        "searched": searched.get(name, 0),
    }


def _unread(name: str, kind: Kind, how: str, days: float, since_ms: int) -> dict[str, Any]:
    until = moment_of(since_ms) + timedelta(days=days)
    return {
        "store": name,
        "kind": kind.value,
        "holds_until": iso_of(round(until.timestamp() * 1000)),
        "then": how,
    }
