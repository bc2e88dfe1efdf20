"""Pointers and roots as plain attributes and back; `schema` says how this version wrote them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.served import Neighbours, Off
from stamgast.identity.settings import Kind

if TYPE_CHECKING:  # a look-up reads no edge, and loads faster without
    from stamgast.identity.edge import Pair

SCHEMA = 2
SEPARATOR = "|"

Attributes: TypeAlias = dict[str, Any]
Read: TypeAlias = Mapping[str, Any]


def birth_text(born: Birth) -> str:
    """A founding receipt in one string."""
    return SEPARATOR.join(
        (str(born.received_ms), born.message_key, str(born.position), born.person_id)
    )


def birth_of(text: str) -> Birth:
    """Reads what `birth_text` wrote."""
    received_ms, message_key, position, person_id = text.split(SEPARATOR)
    return Birth(int(received_ms), message_key, int(position), person_id)


def pointer_attributes(pointer: Pointer) -> Attributes:
    """A pointer without its key; the namespace stands in the key."""
    return {
        "schema": SCHEMA,
        "person": pointer.person_id,
        "version": pointer.version,
        "born": birth_text(pointer.born),
        "kind": pointer.kind.value,
        "assurance": int(pointer.assurance),
        "near": sorted(pointer.met.near),
        "vouched": sorted(pointer.met.vouched),
        "off": int(pointer.off),
        "hint": list(pointer.hint),
        "value": pointer.value,
    }


def pointer_of(key: str, item: Read) -> Pointer:
    """The pointer of this identifier; schema 1 knew one kind of off, and no words."""
    return Pointer(
        key,
        item["person"],
        item["version"],
        birth_of(item["born"]),
        key.partition(":")[0],
        Kind(item["kind"]),
        Assurance(item["assurance"]),
        item["value"],
        Neighbours(frozenset(item["near"]), frozenset(item.get("vouched", ()))),
        Off.WHOLLY if item["off"] is True else Off(item["off"]),
        tuple(item["hint"]),
    )


def root_attributes(root: Root) -> Attributes:
    """A root without its id: each identifier once, groups and anchors as places in that list."""
    keys = sorted(root.members)
    place = {key: n for n, key in enumerate(keys)}
    attributes: Attributes = {
        "schema": SCHEMA,
        "state": root.state.value,
        "version": root.version,
        "born": birth_text(root.born),
        "founder": root.founder,
        "run": root.run,
        "ids": [f"{int(root.members[key].assurance)}{key}" for key in keys],
        "groups": [place[root.members[key].group] for key in keys],
        "anchors": sorted(place[anchor] for anchor in root.anchors),
        "cuts": [SEPARATOR.join(pair) for pair in sorted(root.cannot_links)],
    }
    optional = {"into": root.into, "job": root.job}
    return attributes | {name: value for name, value in optional.items() if value is not None}


def root_of(person_id: str, item: Read) -> Root:
    """The root of this person."""
    told: Sequence[str] = item["ids"]
    keys = [entry[1:] for entry in told]
    members = {
        key: Member(Assurance(int(entry[0])), keys[group])
        for key, entry, group in zip(keys, told, item["groups"], strict=True)
    }
    return Root(
        person_id,
        RootState(item["state"]),
        item["version"],
        birth_of(item["born"]),
        item["founder"],
        members,
        frozenset(keys[n] for n in item["anchors"]),
        frozenset(pair_of(text) for text in item["cuts"]),
        item.get("into"),
        item.get("job"),
        item["run"],
    )


def pair_of(text: str) -> "Pair":
    """The two identifiers of a cannot-link."""
    a, b = text.split(SEPARATOR)
    return a, b
