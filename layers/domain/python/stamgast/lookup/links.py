"""Provisional links as a look-up tells them: to a purpose that opted in, and only what it may see.

An item says which of the person's identifiers it is about, and until when. It tells nothing once
that identifier has gone to somebody else, the other side has become the same person, or it has
expired: deletion by TTL lags.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from stamgast.identity.links import is_calibrated
from stamgast.lookup.faults import Fault, bad, forbidden
from stamgast.lookup.person import Profile, Row
from stamgast.lookup.reader import Reader
from stamgast.lookup.request import View
from stamgast.moments import iso_of
from stamgast.workspace.model import Workspace

LINKS = "links"
PPM = 1_000_000


def threshold_of(
    sections: Iterable[str], purpose: str | None, workspace: Workspace
) -> float | Fault | None:
    """The probability from which on links may be told; None where none are asked for.

    Denied unless granted: asking without a purpose, or for one that has not opted in, is a fault.
    """
    if LINKS not in sections:
        return None
    if purpose is None:
        return bad("bad_purpose", "include=links needs a purpose, by which the links are used.")
    threshold = workspace.purposes.get(purpose)
    if threshold is None:
        return forbidden("This purpose has not opted in to links.")
    return threshold


def links_of(
    profile: Profile, threshold: float, reader: Reader, now_ms: int
) -> list[Mapping[str, Any]] | None:
    """The links at or above a threshold, the surest first; None outside the reader's scope.

    Looking up by a claimed path tells of none. Of the other side only its namespace is told, and
    its key to a reader who may see identifiers of that namespace.
    """
    if not reader.may_see(LINKS):
        return None
    if profile.view is View.CLAIMED:
        return []
    rows = [
        row
        for row in profile.person.rows.get(LINKS, {}).values()
        if row["mine"] in profile.keys
        and row["other"] not in profile.person.root.members
        and row["probability_ppm"] >= round(threshold * PPM)
        and row["expires_at"] > iso_of(now_ms)
    ]
    rows.sort(key=lambda row: (-row["probability_ppm"], row["mine"], row["other"]))
    return [_link(row, reader) for row in rows]


def _link(row: Row, reader: Reader) -> Mapping[str, Any]:
    return {
        "kind": row["kind"],
        "probability": row["probability_ppm"] / PPM,
        "is_calibrated": is_calibrated(row["rule"]),
        "rule": row["rule"],
        "reasons": json.loads(row["reasons"]),
        "stated_at": row["stated_at"],
        "expires_at": row["expires_at"],
        "identifier": _named(row["mine"], reader),
        "other": _named(row["other"], reader),
    }


def _named(key: str, reader: Reader) -> Mapping[str, str]:
    namespace = key.partition(":")[0]
    is_open = reader.may_name(namespace) and reader.may_see(f"identifiers.{namespace}")
    return {"namespace": namespace, **({"key": key} if is_open else {})}
