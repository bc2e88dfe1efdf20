"""Many persons at once as they are now: consent and identifiers, for decisions about egress."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from stamgast.consent.coverage import Consent, consent_of_traits, joined_words
from stamgast.egress.decision import LivePerson
from stamgast.identity.root import Root, RootState
from stamgast.profile.facts import Facts
from stamgast.profile.reading import seen
from stamgast.profile.store import Pair, Pause, pause_seconds
from stamgast.store_error import StoreError
from stamgast_aws.dynamo_batches import MOST_READ, read_items
from stamgast_aws.dynamo_values import Item
from stamgast_aws.fact_store import facts_keys, pairs_of
from stamgast_aws.identity_items import pointer_key, pointers_in, root_key, roots_in

MOST_TRIES = 6


class DynamoLivePersons:
    """The port `LivePersons`: three rounds of batches, each round's reads side by side."""

    def __init__(self, client: Any, table: str, executor: Executor, pause: Pause) -> None:
        self._client, self._table = client, table
        self._executor, self._pause = executor, pause

    def read(
        self, person_ids: Sequence[str], namespaces: frozenset[str]
    ) -> Mapping[str, LivePerson]:
        """These persons, with the values of their identifiers of these namespaces.

        Who was merged, is being split, or is gone is absent.
        """
        roots = self._roots(person_ids)
        anchors = {anchor for root in roots.values() for anchor in root.anchors}
        facts = self._facts(anchors)
        keys = {
            key for root in roots.values() for key in root.members if _namespace(key) in namespaces
        }
        values = self._values(keys)
        return {
            person_id: LivePerson(
                _consent(root, facts), _named(root, values), frozenset(root.members)
            )
            for person_id, root in roots.items()
        }

    def _roots(self, person_ids: Iterable[str]) -> dict[str, Root]:
        found = roots_in(self._items([root_key(one) for one in dict.fromkeys(person_ids)]))
        return {one: root for one, root in found.items() if root.state is RootState.ACTIVE}

    def _facts(self, anchors: set[str]) -> dict[str, Facts]:
        """What each anchor says; pairs torn by a publish are read again, StoreError in the end."""
        found: dict[str, Facts] = {}
        for attempt in range(1, MOST_TRIES + 1):
            wanted = sorted(anchors - found.keys())
            keys = [key for anchor in wanted for key in facts_keys(anchor)]
            found |= _seen(pairs_of(wanted, self._items(keys)))
            if len(found) == len(anchors):
                return found
            self._pause(pause_seconds(attempt))
        raise StoreError("an anchor's items stayed torn")

    def _values(self, keys: set[str]) -> dict[str, str]:
        pointers = pointers_in(self._items([pointer_key(key) for key in sorted(keys)]))
        return {key: pointer.value for key, pointer in pointers.items()}

    def _items(self, keys: Sequence[Item]) -> Iterator[Item]:
        batches = [keys[start : start + MOST_READ] for start in range(0, len(keys), MOST_READ)]

        def read(batch: Sequence[Item]) -> list[Item]:
            return list(read_items(self._client, self._table, batch, self._pause))

        for items in self._executor.map(read, batches):
            yield from items


def _seen(pairs: Mapping[str, Pair]) -> dict[str, Facts]:
    told = {anchor: seen(pair.live, pair.base) for anchor, pair in pairs.items()}
    return {anchor: facts for anchor, facts in told.items() if facts is not None}


def _consent(root: Root, facts: Mapping[str, Facts]) -> Consent | None:
    """What all anchors together say of consents; no other trait is looked at."""
    return consent_of_traits(joined_words(facts, root.anchors))


def _named(root: Root, values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The values by namespace, in the order of their keys."""
    found = defaultdict[str, list[str]](list)
    for key in sorted(root.members):
        if key in values:
            found[_namespace(key)].append(values[key])
    return {namespace: tuple(told) for namespace, told in found.items()}


def _namespace(key: str) -> str:
    return key.partition(":")[0]
