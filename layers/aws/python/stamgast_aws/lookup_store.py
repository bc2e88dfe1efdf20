"""What look-ups read of the table `profiles`: each round's reads go side by side."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from itertools import islice
from time import monotonic
from typing import Any

from stamgast.identity.codec import root_of
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import RootState
from stamgast.lookup.cursor import Position
from stamgast.lookup.find import Moved, Reading
from stamgast.lookup.page import Page
from stamgast.lookup.person import Person, Row
from stamgast.profile.facts import Facts
from stamgast.profile.reading import seen
from stamgast.profile.store import Pair, Pause, pause_seconds
from stamgast.profile.timeline import Entry
from stamgast.profile.timeline_items import PREFIX
from stamgast.segments import changes
from stamgast.segments.live.coverage import Coverage
from stamgast.store_error import StoreError
from stamgast_aws.coverage_item import read_coverage
from stamgast_aws.dynamo_batches import read_items
from stamgast_aws.dynamo_values import Item, attributes_of
from stamgast_aws.fact_store import DynamoFactStore, Window
from stamgast_aws.identity_items import (
    HEAD,
    pointer_key,
    pointers_in,
    query_partition,
    root_key,
)

LEFT = {"S": changes.LEFT}
SECTIONS = {"K": "links", "M": "segments", "S": "scores", "R": "rfm", "T": "computed"}
INTERNAL = frozenset(
    ("PK", "SK", "because", "moment_ms", "schema", "seen", "state", "ttl", "untold")
)
MOST_TRIES = 6
FRESH_SECONDS = 60.0


class DynamoLookupStore:
    """The ports `ProfileStore` and `TimelineStore` over a low-level DynamoDB client."""

    def __init__(
        self,
        client: Any,
        table: str,
        executor: Executor,
        pause: Pause,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._client, self._table = client, table
        self._executor, self._pause, self._now = executor, pause, now
        self._coverage: tuple[float, Coverage] | None = None
        self._facts = DynamoFactStore(client, table, pause)

    def pointers(self, keys: Iterable[str]) -> Mapping[str, Pointer]:
        """The pointers that exist among these identifiers."""
        wanted = [pointer_key(key) for key in sorted(set(keys))]
        return pointers_in(read_items(self._client, self._table, wanted, self._pause))

    def read(self, person_ids: Iterable[str], anchors: Iterable[str]) -> Reading:
        """Roots with their rows, and facts, all at once."""
        asked = [(one, self._executor.submit(self._person, one)) for one in person_ids]
        facts, pairs = self._folded(frozenset(anchors))
        told = {one: future.result() for one, future in asked}
        return Reading({one: found for one, found in told.items() if found}, facts, pairs)

    def coverage(self) -> Coverage:
        """What runs have published, at most a minute old."""
        now = self._now()
        if self._coverage is None or now - self._coverage[0] >= FRESH_SECONDS:
            self._coverage = now, read_coverage(self._client, self._table)
        return self._coverage[1]

    def values(self, keys: Iterable[str]) -> Mapping[str, Row]:
        """The value behind each key, how well it is known, and since when."""
        return {
            key: {"value": pointer.value, "assurance": pointer.assurance.name.lower()}
            for key, pointer in self.pointers(keys).items()
        }

    def strips(self, anchors: frozenset[str], page: Page, now_ms: int) -> list[list[Entry]]:
        """For each anchor its entries from the page's position on, one more than its reach."""
        after = _sort_key(page.after) if page.after else None
        window = Window(page.since_ms, page.until_ms, page.is_ascending)

        def strip(anchor: str) -> list[Entry]:
            return list(islice(self._facts.entries(anchor, now_ms, after, window), page.reach + 1))

        return list(self._executor.map(strip, sorted(anchors)))

    def _person(self, person_id: str) -> Person | Moved | None:
        """A person's whole partition in one query, or where it was merged into."""
        items = query_partition(self._client, self._table, root_key(person_id)["PK"])
        told = {item["SK"]["S"]: item for item in items}
        if HEAD not in told:
            return None
        root = root_of(person_id, attributes_of(told.pop(HEAD)))
        if root.state is RootState.MERGED and root.into is not None:
            return Moved(root.into)
        return Person(root, _rows(told))

    def _folded(self, anchors: frozenset[str]) -> tuple[dict[str, Facts], dict[str, Pair]]:
        """Anchors folded; pairs torn by a publish are read again, StoreError in the end."""
        folded: dict[str, Facts] = {}
        pairs: dict[str, Pair] = {}
        for attempt in range(1, MOST_TRIES + 1):
            for anchor, pair in self._facts.read(sorted(anchors - folded.keys())).items():
                facts = seen(pair.live, pair.base)
                if facts is not None:
                    folded[anchor] = facts
                    pairs[anchor] = pair
            if len(folded) == len(anchors):
                return folded, pairs
            self._pause(pause_seconds(attempt))
        raise StoreError("an anchor's items stayed torn")


def _sort_key(position: Position) -> str:
    return f"{PREFIX}{max(position.original_ms, 0):015d}#{position.key}"


def _rows(items: Mapping[str, Item]) -> dict[str, dict[str, Row]]:
    """What was published about a person, by section and name: `M#loyal`, `R#rfm`."""
    rows: dict[str, dict[str, Row]] = {}
    for sort_key, item in items.items():
        letter, _, name = sort_key.partition("#")
        if letter in SECTIONS and item.get("state") != LEFT:
            told = attributes_of(item)
            shown = {key: value for key, value in told.items() if key not in INTERNAL}
            rows.setdefault(SECTIONS[letter], {})[name] = shown
    return rows
