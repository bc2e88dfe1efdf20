"""Write units an event of the live loop, by kind of item, against a naive layout in the same run.

Units are those that DynamoDB bills: one for each started kilobyte of the larger of an item's two
forms, twice that in a transaction. The stream is generated (seeded) and walks the real loop and
the real publishing steps, with a run after each day. Run: python -m bench.write_units
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from random import Random
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.identity.settings import DEFAULT
from stamgast.ingestion.verdicts import Accepted, Envelope
from stamgast.profile.facts import NOTHING, Facts, ShortId, digest_of, facts_of, merge
from stamgast.profile.live import Base
from stamgast.profile.ring import RunIds
from stamgast.profile.steps import is_worth_publishing, publish_anchor
from stamgast.profile.timeline import entry_of
from stamgast.profile.timeline_items import items_of
from stamgast.raw.unfold import unfold
from stamgast_lake.publishing.anchors import OLD
from tests.fakes.dynamodb import DynamoDB, size
from tests.fakes.live_batches import NOON_MS, message, receipt
from tests.fakes.live_loops import KEYS, Loop, no_pause

PEOPLE, DAYS, SESSION_CHANCE, SESSION_EVENTS = 60, 14, 0.5, 10
MESSAGES_A_BATCH = 10
MINUTE_MS, DAY_MS = 60_000, 24 * 60 * 60 * 1000
OLD_MS = OLD // timedelta(milliseconds=1)
NAIVE_IDS, NAIVE_EVENTS = 500, 50
KINDS = {"L": "live", "X": "timeline", "@": "pointers, roots", "E": "edges", "B": "publish"}


class Meter(DynamoDB):
    """Counts write units by the kind of item."""

    def __init__(self) -> None:
        super().__init__("profiles", "control")
        self.units: Counter[str] = Counter()
        self.is_publishing = False

    def _store(self, place: tuple[str, str, str], item: Any, factor: int = 1) -> None:
        before = self.write_units
        super()._store(place, item, factor)
        kind = "B" if self.is_publishing else place[2][0]
        self.units[KINDS.get(kind, "other")] += self.write_units - before


Said = tuple[str, dict[str, Any], int]


def sessions(random: Random, day: int) -> Iterator[list[Said]]:
    """The sessions of a day: pages, then for most a log-in, products, now and then an order."""
    for person in range(PEOPLE):
        if random.random() < SESSION_CHANCE:
            at_ms = NOON_MS + day * DAY_MS + random.randrange(600) * MINUTE_MS
            yield session(random, person, f"{day}-{person}", at_ms)


def session(random: Random, person: int, name: str, at_ms: int) -> list[Said]:
    """One visit of about `SESSION_EVENTS` events; a browser keeps its cookie for a few visits."""
    cookie = {"anonymousId": f"cookie-{person}-{random.randrange(3)}"}
    known = {**cookie, "userId": f"user-{person}"}
    has_login = random.random() < 0.7
    who = [cookie, cookie] + [known if has_login else cookie] * (SESSION_EVENTS - 2)
    traits = {"email": f"person{person}@example.org", "firstName": "Ann", "city": "Utrecht"}
    said: list[Said] = []
    for n, ids in enumerate(who):
        body: dict[str, Any] = {**ids, "type": "page", "properties": PAGE}
        if n == 2 and has_login:
            body = {**ids, "type": "identify", "traits": traits}
        elif n == SESSION_EVENTS - 1 and random.random() < 0.3:
            body = {**ids, "type": "track", "event": "Order Completed", "properties": ORDER}
        elif n % 3 == 1:
            body = {**ids, "type": "track", "event": "Product Viewed", "properties": PRODUCT}
        said.append((f"{name}-{n}-{random.getrandbits(64):016x}", body, at_ms + n * MINUTE_MS))
    return said


PAGE = {"path": "/coffee/beans", "title": "Beans", "url": "https://shop.example/coffee/beans"}
PRODUCT = {"product_id": "sku-1042", "name": "Espresso beans", "price": 12.5, "category": "Coffee"}
ORDER = {
    "order_id": "order-104211",
    "revenue": 37.5,
    "currency": "EUR",
    "products": [{"product_id": f"sku-{n}", "price": 12.5, "quantity": 1} for n in range(3)],
}


def envelopes(said: list[Said], events_a_message: int) -> Iterator[Envelope]:
    """The requests of one visit, each with so many events."""
    for start in range(0, len(said), events_a_message):
        part = said[start : start + events_a_message]
        stamped = tuple(
            Accepted(n, body["type"], name, at_ms, None, at_ms, orjson.dumps(body))
            for n, (name, body, at_ms) in enumerate(part)
        )
        yield Envelope(receipt(f"r-{part[0][0]}", part[-1][2]), stamped)


class Naive:
    """One item a person that holds everything, read, changed and written; one item an event."""

    def __init__(self) -> None:
        self.people: defaultdict[str, list[Event]] = defaultdict(list)
        self.by_event = self.by_batch = 0

    def take(self, events: list[Event]) -> None:
        """Counts the units of one message, written event by event and as one."""
        anchors = set()
        for event in events:
            told = self.people[event.anchor or ""]
            told.append(event)
            anchors.add(event.anchor or "")
            item = units(line_bytes(event))
            self.by_event += item + self._person(told)
            self.by_batch += item
        self.by_batch += sum(self._person(self.people[anchor]) for anchor in anchors)

    @staticmethod
    def _person(told: list[Event]) -> int:
        """Message ids for deduplication, the newest events and the traits, as plain attributes."""
        ids = sum(len(event.message_id) + 1 for event in told[-NAIVE_IDS:])
        timeline = sum(line_bytes(event) for event in told[-NAIVE_EVENTS:])
        return units(ids + timeline + 300)


def line_bytes(event: Event) -> int:
    """The size of an event's line as plain attributes, alone in an item."""
    return sum(len(orjson.dumps(told)) for _, told in items_of([entry_of(event, 90)]))


def units(size_bytes: int) -> int:
    """Write units of an item of this size."""
    return max(1, ceil(size_bytes / 1024))


def batches(random: Random, day: int, events_a_message: int) -> Iterator[list[Envelope]]:
    """A day's queue: each batch holds one message of each of up to ten people."""
    visits = [list(envelopes(said, events_a_message)) for said in sessions(random, day)]
    while visits:
        chosen = random.sample(visits, min(MESSAGES_A_BATCH, len(visits)))
        yield [visit.pop(0) for visit in chosen]
        visits = [visit for visit in visits if visit]


@dataclass
class History:
    """What a run knows of one anchor."""

    facts: Facts = NOTHING
    ids: list[ShortId] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """One more event."""
        self.facts = merge(self.facts, facts_of(event))
        self.ids.append(digest_of(event).short_id)


def publish(loop: Loop, history: dict[str, History], run: int, moment_ms: int) -> None:
    """A run over everything so far, published where a reader would see a difference."""
    store = loop.facts_store
    pairs = store.read(list(history))
    for anchor, known in history.items():
        if is_worth_publishing(pairs[anchor], known.facts, moment_ms, moment_ms - OLD_MS):
            base = Base(run, 0, moment_ms, known.facts)
            publish_anchor(store, anchor, base, RunIds.of(known.ids), no_pause, pairs[anchor])


@dataclass
class Figures:
    """Units by kind, events and the naive layout's units of some days."""

    spent: Counter[str]
    events: int
    naive_by_event: int
    naive_by_batch: int

    def __sub__(self, other: "Figures") -> "Figures":
        return Figures(
            self.spent - other.spent,
            self.events - other.events,
            self.naive_by_event - other.naive_by_event,
            self.naive_by_batch - other.naive_by_batch,
        )


class Stream:
    """The stream at so many events of a person in a batch, and what it has cost so far."""

    def __init__(self, events_a_message: int) -> None:
        self.random, self.meter, self.naive = Random(7), Meter(), Naive()
        self.loop = Loop(client=self.meter, now_ms=NOON_MS)
        self.history: defaultdict[str, History] = defaultdict(History)
        self.events_a_message, self.events = events_a_message, 0

    def day(self, day: int) -> None:
        """One day's batches, and the run after it."""
        for batch in batches(self.random, day, self.events_a_message):
            self._deliver(batch)
        self.meter.is_publishing = True
        publish(self.loop, self.history, day + 1, NOON_MS + (day + 1) * DAY_MS)
        self.meter.is_publishing = False

    def figures(self) -> Figures:
        """What was spent until now."""
        spent = Counter(self.meter.units)
        return Figures(spent, self.events, self.naive.by_event, self.naive.by_batch)

    def live_sizes(self) -> list[int]:
        """The bytes of each live item."""
        return [size(item) for item in self.meter.items("profiles") if item["SK"]["S"] == "L"]

    def _deliver(self, batch: list[Envelope]) -> None:
        texts = (message(envelope.receipt, *envelope.accepted) for envelope in batch)
        assert not self.loop.deliver(*texts).returned
        for envelope in batch:
            told = [interpret(record, DEFAULT, KEYS) for record in unfold(envelope)[0]]
            self.naive.take(told)
            self.events += len(told)
            for event in told:
                self.history[event.anchor or ""].take(event)


def row(name: str, figures: Figures) -> list[str]:
    """One line of the table."""
    each = {kind: figures.spent[kind] / figures.events for kind in dict.fromkeys(KINDS.values())}
    both = each["live"] + each["timeline"]
    facts = both + each["publish"]
    columns = [*each.values(), both, facts, sum(figures.spent.values()) / figures.events]
    naives = (figures.naive_by_event, figures.naive_by_batch)
    ratios = [f"{n / figures.events:.2f} ({n / figures.events / facts:.1f}x)" for n in naives]
    return [name, *(f"{column:.2f}" for column in columns), *ratios]


def main() -> None:
    """Prints the table."""
    table = Table(title="DynamoDB write units an event")
    kinds = dict.fromkeys(KINDS.values())
    sums = ("live + timeline", "all facts", "total", "naive", "naive folded")
    for name in ("events, days", *kinds, *sums):
        table.add_column(name, justify="right")
    for events_a_message in (1, 2, 5):
        stream = Stream(events_a_message)
        marks = [stream.figures()]
        for day in range(DAYS):
            stream.day(day)
            if day + 1 in (DAYS // 2, DAYS):
                marks.append(stream.figures())
        for half, name in enumerate((f"1-{DAYS // 2}", f"{DAYS // 2 + 1}-{DAYS}")):
            table.add_row(*row(f"{events_a_message}, {name}", marks[half + 1] - marks[half]))
    sizes = stream.live_sizes()
    console = Console(width=150)
    console.print(table)
    console.print(
        f"{stream.events} events, {len(sizes)} anchors, live items of {sum(sizes) // len(sizes)} "
        f"bytes on average, {max(sizes)} at most; a run after each day. Events: those of one "
        "person in a batch; in the first days everybody is new. All facts: live, timeline and "
        "publish. Naive: a write of the person for each event, folded: one for each batch; it "
        "knows no identity, so its ratio is to all facts."
    )


if __name__ == "__main__":
    main()
