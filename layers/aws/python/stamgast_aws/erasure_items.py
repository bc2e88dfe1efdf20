"""An erasure in the tables `profiles` and `control`: whom keys lead to, and taking that away.

Of other persons only what names the erased is changed, each item under the version it was read.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import orjson

from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject, gone_person
from stamgast.identity.codec import (
    birth_of,
    pointer_attributes,
    pointer_of,
    root_attributes,
    root_of,
)
from stamgast.identity.keys import Keyring
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root
from stamgast.identity.served import Neighbours
from stamgast.profile.store import Pause
from stamgast.profile.timeline_items import PREFIX, entries_of, items_of
from stamgast_aws.calls import ConditionError, call
from stamgast_aws.dynamo_batches import delete_items, put_items, scanned
from stamgast_aws.dynamo_values import Item, attributes_of, item_of, typed
from stamgast_aws.erasure_decisions import (
    decisions_about,
    forget_addresses,
    take_mentions_out,
)
from stamgast_aws.erasure_orphans import FACTS, orphans_of
from stamgast_aws.erasure_standings import look_anew
from stamgast_aws.identity_items import HEAD, pointer_key, query_partition, root_key
from stamgast_aws.identity_store import PARKED, DynamoIdentityStore
from stamgast_aws.identity_writes import JOBS
from stamgast_aws.salt_store import DynamoSalts

CUTS = "CUTS"
STAYING = frozenset({"ERASED#", "GONE#", "RIGHTS#"})
QUESTIONS, REQUESTS = "SEGMENTJOB#", "RIGHTS#"


def _cut(root: Root) -> Iterator[str]:
    """The identifiers of pairs that may not be joined.

    The other's root carries them as well, and nothing else leads to somebody who was never joined.
    """
    return (key for pair in root.cannot_links for key in pair)


class OpenJobError(RuntimeError):
    """A change of identity that concerns the person is not finished; the erasure waits for it."""


@dataclass(frozen=True, slots=True)
class DynamoErasure:
    """The port `LiveTables` over a low-level DynamoDB client; every read is strong."""

    client: Any
    profiles: str
    control: str
    pause: Pause
    keyring: Callable[[], Keyring]

    # whom the keys lead to

    def resolve(self, subject: Subject) -> Subject:
        """The subject with every identifier of the persons that its keys lead to.

        An identifier that was founded after the erasure leads to who came back, or to somebody else
        who bears it now.
        """
        store = DynamoIdentityStore(self.client, self.profiles, self.control, self.pause)
        pointers: dict[str, Pointer] = {}
        since: set[str] = set()
        roots: dict[str, Root] = {}
        keys, persons = set(subject.keys), set(subject.persons)
        while True:
            read = store.read_pointers(keys - pointers.keys() - since).values()
            since |= {one.key for one in read if _is_since(subject, one)}
            pointers |= {one.key: one for one in read if one.key not in since}
            persons |= {one.person_id for one in pointers.values() if one.key in keys}
            found, _ = store.read_persons(persons - roots.keys())
            roots |= found
            reached = {root.into for root in found.values() if root.into is not None} | persons
            members = {key for p in reached if p in roots for key in roots[p].members} | keys
            if members == keys and reached == persons:
                cut_from = {k for p in persons & roots.keys() for k in _cut(roots[p])} - keys
                known = replace(subject, partners=subject.partners | cut_from)
                return self._resolved(known, keys, persons, pointers, keys - since)
            keys, persons = members, reached

    def _resolved(
        self,
        subject: Subject,
        keys: Collection[str],
        persons: Collection[str],
        pointers: Mapping[str, Pointer],
        own: Collection[str],
    ) -> Subject:
        mine = [pointers[key] for key in keys if key in pointers]
        births = subject.births | {pointer.born.person_id for pointer in mine}
        persons = {*persons, *self._merged(births, persons)}
        store = DynamoIdentityStore(self.client, self.profiles, self.control, self.pause)
        edges = (edge for key in own for edge in store.edges_from(key))
        met = {edge.pair[1] for edge in edges}
        apart = {key for pointer in mine for key in pointer.near} | met
        apart -= set(keys)
        near = store.read_pointers(apart | subject.partners)
        theirs = {near[key].person_id for key in apart & near.keys()}
        roots, _ = store.read_persons({one.person_id for one in near.values()} - persons)
        told = replace(
            subject,
            keys=frozenset(keys),
            values={one.key: one.value for one in mine},
            persons=frozenset(persons),
            apart=frozenset(apart),
            others=frozenset(theirs),
            partners=frozenset(key for root in roots.values() for key in root.members),
        )
        return told.joined(subject)

    def _merged(self, births: Collection[str], persons: Collection[str]) -> set[str]:
        """The persons that the messages once founded and that were merged into these."""
        store = DynamoIdentityStore(self.client, self.profiles, self.control, self.pause)
        roots, _ = store.read_persons(set(births) - set(persons))
        ended = {*persons, *births}
        return {person_id for person_id, root in roots.items() if root.into in ended}

    def founded(self, keys: Collection[str]) -> Mapping[str, int]:
        """When each of these identifiers that is known was founded, in ms since 1970."""
        store = DynamoIdentityStore(self.client, self.profiles, self.control, self.pause)
        found = store.read_pointers(keys)
        return {key: pointer.born.received_ms for key, pointer in found.items()}

    def unsalt(self, gone: Callable[[Collection[str]], set[str]], keyring: Keyring) -> int:
        """Takes away the salts of persons who were erased (`gone` of their hashes); how many."""
        salts = DynamoSalts(self.client, self.control)
        names = {gone_person(name, keyring): name for name, _ in salts.persons()}
        items = salts.items([names[one] for one in gone(names)], self.pause)
        return delete_items(self.client, self.control, items, self.pause)

    # what there is of them

    def search(self, subject: Subject) -> Mapping[str, int]:
        """How many items of each kind tell of the subject."""
        found = Counter(_kind(item) for item in self._own(subject))
        found.update(_kind(item) for item in self._of_others(subject))
        found.update(_kind(item) for item in self._in_control(subject))
        return dict(found)

    def erase(self, subject: Subject) -> Mapping[str, int]:
        """Takes the subject out of every item; how many of each kind. May be repeated."""
        self._check_jobs(subject)
        found = dict(self.search(subject))
        delete_items(self.client, self.control, self._in_control(subject), self.pause)
        take_mentions_out(self.client, self.control, subject)
        for item in list(self._of_others(subject)):
            self._without(item, subject)
        delete_items(self.client, self.profiles, self._facts_apart(subject), self.pause)
        for person_id in self._neighbours(subject):
            look_anew(self.client, self.profiles, self._partition(root_key(person_id)))
        delete_items(self.client, self.profiles, self._own(subject), self.pause)
        return found

    def scan(self, needles: Needles) -> tuple[int, Mapping[str, int]]:
        """How many items both tables have, and how many of each kind tell of the persons.

        Tombstones and requests are keyed hashes that stay on purpose. What an operator asked of a
        segment by naming one of them is forgotten as it is found: it is kept for a day at most. So
        are the addresses of call-backs that name one of them, and persons who were merged into one:
        a message of somebody else had founded them, so nothing else leads there.
        """
        read, found = 0, Counter[str]()
        for table in (self.profiles, self.control):
            passing = list[Item]()
            for item in scanned(self.client, table):
                read += 1
                if (kind := _kind(item)) == REQUESTS:
                    forget_addresses(self.client, table, item, needles)
                if kind in STAYING or not needles.found_in(_bytes(item)):
                    continue
                is_passing = kind == QUESTIONS or _is_merged_into(item, needles)
                passing += [item] if is_passing else []
                found[kind] += not is_passing
            delete_items(self.client, table, passing, self.pause)
        return read, dict(found)

    def _own(self, subject: Subject) -> Iterator[Item]:
        """Every item of the person, those past their time included, but of who came back since."""
        store = DynamoIdentityStore(self.client, self.profiles, self.control, self.pause)
        orphans = orphans_of(subject, store, self._partition)
        places = [
            *(pointer_key(key) for key in sorted(subject.keys | orphans.keys())),
            *(root_key(person_id) for person_id in sorted(subject.persons | {*orphans.values()})),
        ]
        for place in places:
            items = self._partition(place)
            if not _came_since(items, subject.until_ms):
                yield from items

    def _of_others(self, subject: Subject) -> Iterator[Item]:
        """Items of other persons that name the subject, and facts that may tell of it."""
        needles = needles_of([subject])
        for key in sorted(subject.apart):
            items = self._partition(pointer_key(key))
            yield from (item for item in items if needles.found_in(_bytes(item)))
        for person_id in sorted(self._neighbours(subject)):
            items = self._partition(root_key(person_id))
            yield from (item for item in items if needles.found_in(_bytes(item)))

    def _facts_apart(self, subject: Subject) -> Iterator[Item]:
        """What was folded from messages that also named the subject: a run folds it anew."""
        for key in sorted(subject.apart):
            yield from (i for i in self._partition(pointer_key(key)) if i["SK"]["S"] in FACTS)

    def _neighbours(self, subject: Subject) -> set[str]:
        store = DynamoIdentityStore(self.client, self.profiles, self.control, self.pause)
        pointers = store.read_pointers(subject.apart | subject.partners).values()
        return ({one.person_id for one in pointers} | subject.others) - subject.persons

    def _in_control(self, subject: Subject) -> Iterator[Item]:
        """Parked changes, decisions and cuts that name the subject, and its salts."""
        needles = needles_of([subject])
        salts = DynamoSalts(self.client, self.control)
        yield from salts.items(subject.persons | subject.births, self.pause)
        parked = query_partition(self.client, self.control, typed(PARKED))
        yield from (item for item in parked if needles.found_in(_bytes(item)))
        yield from decisions_about(self.client, self.control, subject)
        for note in query_partition(self.client, self.control, typed(CUTS)):
            job_id = note["SK"]["S"].rpartition("#")[2]
            items = query_partition(self.client, self.control, typed(f"CUT#{job_id}"))
            named = [item for item in items if needles.found_in(_bytes(item))]
            yield from [*named, note] if named else ()

    def _check_jobs(self, subject: Subject) -> None:
        needles = needles_of([subject])
        for head in query_partition(self.client, self.control, typed(JOBS)):
            items = query_partition(self.client, self.control, typed(f"JOB#{head['SK']['S']}"))
            if any(needles.found_in(_bytes(item)) for item in items):
                raise OpenJobError("a change of identity is not finished")

    # what stays without them

    def _without(self, item: Item, subject: Subject) -> None:
        """Rewrites or deletes an item of another person; a run computes facts anew."""
        kind = item["SK"]["S"]
        if kind == HEAD and item["PK"]["S"].startswith("I#"):
            self._put_pointer(item, subject)
        elif kind == HEAD:
            self._put_root(item, subject)
        else:
            delete_items(self.client, self.profiles, [item], self.pause)
            if kind.startswith(PREFIX):
                self._put_entries(item, subject)

    def _put_pointer(self, item: Item, subject: Subject) -> None:
        had = pointer_of(item["PK"]["S"][2:], attributes_of(item))
        met = Neighbours(had.met.near - subject.keys, had.met.vouched - subject.keys)
        hint = tuple(key for key in had.hint if key not in subject.keys)
        is_told = needles_of([subject]).is_cell(had.value)
        value = self.keyring().sealed_value(had.namespace, had.value) if is_told else had.value
        left = replace(had, met=met, hint=hint, value=value, version=had.version + 1)
        self._replace(item, pointer_attributes(left), had.version)

    def _put_root(self, item: Item, subject: Subject) -> None:
        had = root_of(item["PK"]["S"][2:], attributes_of(item))
        cuts = frozenset(pair for pair in had.cannot_links if subject.keys.isdisjoint(pair))
        left = replace(had, cannot_links=cuts, version=had.version + 1)
        self._replace(item, root_attributes(left), had.version)

    def _replace(self, item: Item, attributes: Mapping[str, Any], version: int) -> None:
        """Writes an item on; what changed meanwhile is found by the next search."""
        try:
            call(
                self.client.put_item,
                TableName=self.profiles,
                Item={"PK": item["PK"], "SK": item["SK"], **item_of(attributes)},
                ConditionExpression="version = :version",
                ExpressionAttributeValues={":version": typed(version)},
            )
        except ConditionError:
            return

    def _put_entries(self, item: Item, subject: Subject) -> None:
        """Puts the lines back that tell nothing of the subject."""
        needles = needles_of([subject])
        told = entries_of(attributes_of(item))
        kept = [e for e in told if not needles.found_in(orjson.dumps([e.name, dict(e.summary)]))]
        key = item["PK"]["S"]
        items = (
            {"PK": {"S": key}, "SK": {"S": sort_key}, **item_of(attributes)}
            for sort_key, attributes in items_of(kept)
        )
        put_items(self.client, self.profiles, items, self.pause)

    def _partition(self, key: Item) -> list[Item]:
        return query_partition(self.client, self.profiles, key["PK"])


def _is_since(subject: Subject, pointer: Pointer) -> bool:
    """Whether an identifier was founded after the erasure; there is none where `until_ms` is 0."""
    return 0 < subject.until_ms < pointer.born.received_ms


def _bytes(item: Item) -> bytes:
    """All that an item says as text; what is packed is unpacked."""
    return orjson.dumps(attributes_of(item), default=_text)


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    with suppress(zlib.error):
        value = zlib.decompress(value)
    return value.decode("utf-8", "replace")


def _is_merged_into(item: Item, needles: Needles) -> bool:
    """Whether an item is of a person who gave way to one of these, and tells nothing else."""
    into = item.get("into", {}).get("S")
    return into is not None and needles.found_in(into.encode())


def _came_since(items: Sequence[Item], until_ms: int) -> bool:
    """Whether a pointer or a root among these was born of a message after the erasure."""
    heads = (attributes_of(item) for item in items if item["SK"]["S"] == HEAD)
    return any(birth_of(head["born"]).received_ms > until_ms for head in heads)


def _kind(item: Item) -> str:
    """The kind of an item, as the registry of stores names it."""
    partition: str = item["PK"]["S"]
    pk, _, rest = partition.partition("#")
    sk = item["SK"]["S"].partition("#")[0]
    if not rest:
        return pk
    return f"{pk}#/{sk}" if pk in ("I", "P") else f"{pk}#"
