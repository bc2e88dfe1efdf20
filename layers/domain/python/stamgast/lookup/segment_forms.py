"""The forms of Segment's Profile API, so that its readers change host and token and nothing else.

Source: Segment's public documentation of the Profile API (unify/profile-api).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from stamgast.lookup.answer import seen_at
from stamgast.lookup.faults import Fault, bad
from stamgast.lookup.page import MOST_IN_A_PAGE, limit_of
from stamgast.lookup.person import Profile
from stamgast.lookup.reader import Reader
from stamgast.lookup.request import Query, View
from stamgast.lookup.timeline import Leaf, event_of
from stamgast.moments import iso_of
from stamgast.profile.facts import Facts
from stamgast.profile.timeline import Entry

Answer: TypeAlias = dict[str, Any]

COLLECTION = "users"
LIMIT = 100
# Of Segment's classes: its audiences are our segments, its computed traits what runs compute.
CLASSES = ("audience", "computed_trait")


@dataclass(frozen=True, slots=True)
class Listed:
    """Which of a profile's traits or identifiers, how many of them, and after which."""

    only: frozenset[str]
    but_not: frozenset[str]
    after: str
    limit: int
    is_verbose: bool
    of_class: str | None = None

    def takes(self, name: str) -> bool:
        """Whether the request asks for this name."""
        return (not self.only or name in self.only) and name not in self.but_not

    def page(self, names: Iterable[str]) -> tuple[list[str], str]:
        """The names of this page in their order, and the cursor of the next one or nothing."""
        rest = [name for name in sorted(names) if name > self.after]
        page = rest[: self.limit]
        return page, _encoded(page[-1]) if len(rest) > len(page) else ""


Listing: TypeAlias = Callable[[Profile, Reader, str, Listed], Answer]


def listed_of(query: Query) -> Listed | Fault:
    """What `include`, `exclude`, `class`, `limit`, `next` and `verbose` ask for."""
    limit = limit_of(query, LIMIT)
    if isinstance(limit, Fault):
        return limit
    of_class = query.get("class") or None
    if of_class not in (None, *CLASSES):
        return bad("bad_class", f"class takes one of {', '.join(CLASSES)}.")
    after = _decoded(query.get("next", ""))
    if after is None:
        return bad("bad_cursor", "The cursor is not one that this API gave out.")
    only, but_not = (
        frozenset(name for name in query.get(told, "").split(",") if name)
        for told in ("include", "exclude")
    )
    is_verbose = query.get("verbose") == "true"
    return Listed(only, but_not, after, limit, is_verbose, of_class)


def error_form(fault: Fault) -> Answer:
    """`{"error": {"code", "message"}}`, and both at the top too, as our own paths have them."""
    told = {"code": fault.code, "message": fault.message}
    return {"error": told, **told}


def traits_form(profile: Profile, reader: Reader, base: str, listed: Listed) -> Answer:
    """`{"traits": {name: value}, "cursor": {…}}`; verbose gives each with its moment."""
    if listed.of_class is None:
        told = {
            name: _trait(profile.facts, name, is_verbose=listed.is_verbose)
            for name in profile.facts.values
            if reader.may_see(f"traits.{name}")
        }
    else:
        told = _of_class(profile, reader, listed)
    page, following = listed.page(name for name in told if listed.takes(name))
    told = {name: told[name] for name in page}
    return {"traits": told, "cursor": _cursor(f"{base}/traits", following, listed.limit)}


def external_ids_form(profile: Profile, reader: Reader, base: str, listed: Listed) -> Answer:
    """`{"data": [{"collection", "type", "id", "encoding"}], "cursor": {…}}`."""
    keys = [
        key
        for key in profile.keys
        if _may_tell(reader, namespace := _namespace(key))
        and listed.takes(namespace)
        and "value" in profile.values.get(key, {})
    ]
    page, following = listed.page(keys)
    told = [_external_id(profile, key, is_verbose=listed.is_verbose) for key in page]
    return {"data": told, "cursor": _cursor(f"{base}/external_ids", following, listed.limit)}


def events_form(leaf: Leaf, person_id: str, base: str, limit: int) -> Answer:
    """`{"data": [{"type", "event", "timestamp", …}], "cursor": {…}}`, newest first."""
    told = [_event(entry, person_id) for entry in leaf.entries]
    return {"data": told, "cursor": _cursor(f"{base}/events", leaf.next_cursor, limit)}


def metadata_form(profile: Profile, reader: Reader) -> Answer:
    """`{"metadata": {"created_at", "updated_at", …}}`; what is outside the scope is null."""
    first, last = profile.facts.first, profile.facts.last
    told = {name: at for name, at in seen_at(profile).items() if reader.may_see(name)}
    return {
        "metadata": {
            "id": profile.person.person_id,
            "created_at": told.get("created_at"),
            "updated_at": told.get("last_seen_at") or told.get("created_at"),
            "expires_at": None,
            "first_message_id": first.key if first and "first_seen_at" in told else None,
            "last_message_id": last.key if last and "last_seen_at" in told else None,
        }
    }


def _cursor(url: str, following: str, limit: int) -> Answer:
    """The cursor object; its `url` names the person by id, never by an identifier."""
    return {"url": url, "has_more": bool(following), "next": following, "limit": limit}


def _trait(facts: Facts, name: str, *, is_verbose: bool) -> Any:
    register = facts.told[name]
    if not is_verbose:
        return register.value
    return {
        "value": register.value,
        "updated_at": iso_of(register.event_ms),
        "message_id": register.key,
        "assurance": register.assurance.name.lower(),
    }


def _of_class(profile: Profile, reader: Reader, listed: Listed) -> Answer:
    """What runs and rules say of the person; of a person who was only claimed, nothing."""
    if profile.view is not View.VERIFIED:
        return {}
    rows = profile.person.rows
    if listed.of_class == "audience":
        told: Answer = {
            name: dict(row) if listed.is_verbose else True
            for name, row in rows.get("segments", {}).items()
            if reader.may_see("segments")
        }
        return told
    computed = profile.computed if listed.is_verbose else profile.computed_values
    told = {name: v for name, v in computed.items() if reader.may_see(f"computed.{name}")}
    told |= {
        f"rfm.{field}": value
        for row in rows.get("rfm", {}).values()
        for field, value in row.items()
        if reader.may_see(f"rfm.{field}")
    }
    return told | {
        f"scores.{name}": dict(row) if listed.is_verbose else row["value"]
        for name, row in rows.get("scores", {}).items()
        if reader.may_see(f"scores.{name}")
    }


def _namespace(key: str) -> str:
    return key.partition(":")[0]


def _may_tell(reader: Reader, namespace: str) -> bool:
    return reader.may_name(namespace) and reader.may_see(f"identifiers.{namespace}")


def _external_id(profile: Profile, key: str, *, is_verbose: bool) -> Answer:
    told = profile.values[key]
    form = {
        "collection": COLLECTION,
        "type": _namespace(key),
        "id": told["value"],
        "encoding": "none",
    }
    if is_verbose:
        form |= {name: value for name, value in told.items() if name != "value"}
    return form


def _event(entry: Entry, person_id: str) -> Answer:
    told = event_of(entry)
    form = {
        "type": told["type"],
        "timestamp": told["at"],
        "message_id": told["message"],
        "source_id": told["source"],
        "properties": told["summary"],
        "related": {COLLECTION: person_id},
    }
    return form | {"event": told["name"]} if entry.type == "track" else form


def _encoded(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str | None:
    if len(cursor) > 4 * MOST_IN_A_PAGE:
        return None
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (NotBase64, ValueError):
        return None
