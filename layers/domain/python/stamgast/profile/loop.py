"""The live loop: one batch of queue messages into the archive, identity and the facts."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from stamgast.erasure.gate import Gate, Read, count_suppressed
from stamgast.identity.event import Event
from stamgast.ingestion.never_stored import NOTHING_MARKED, NeverStored
from stamgast.ingestion.tracking_plan import TrackingPlan
from stamgast.metrics import Metric
from stamgast.profile.batch import Batch, Message, read_batch
from stamgast.profile.identify import Identified
from stamgast.profile.items import Live
from stamgast.profile.live import Contribution, contribution_of
from stamgast.profile.steps import take_events
from stamgast.profile.store import ContendedError, FactStore, Pair, Pause
from stamgast.profile.timeline import Entry, entry_of, is_expired
from stamgast.raw.record import RawRecord
from stamgast.store_error import StoreError

if TYPE_CHECKING:  # without live rules none of their code is loaded
    from stamgast.segments.live.rules import LiveRules

Line: TypeAlias = tuple[str, bytes]
UNINTERPRETABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class Archive(Protocol):
    """Where lines go before anything else happens to their events."""

    def put(self, lines: Sequence[Line]) -> set[str]:
        """Archives the lines, each with its message's id; the ids of those that were not."""
        ...


@dataclass(slots=True)
class Outcome:
    """What became of a batch: the messages to be delivered again, and figures."""

    returned: set[str] = field(default_factory=set)
    archived: int = 0
    rejected: int = 0
    poisoned: int = 0
    flagged: int = 0
    quarantined: int = 0
    suppressed: int = 0
    folded: int = 0
    without_anchor: int = 0
    not_interpreted: int = 0
    identifiers_refused: int = 0
    anchors_written: int = 0
    anchors_contended: int = 0
    memberships_changed: int = 0
    memberships_unsettled: int = 0
    identified: Identified = field(default_factory=Identified)
    oldest_received_ms: int | None = None

    def figures(self) -> dict[Metric, int]:
        """The figures under their metrics' names."""
        return {
            Metric.EVENTS_ARCHIVED: self.archived,
            Metric.EVENTS_REJECTED: self.rejected,
            Metric.EVENTS_FLAGGED: self.flagged,
            Metric.EVENTS_QUARANTINED: self.quarantined,
            Metric.EVENTS_SUPPRESSED: self.suppressed,
            Metric.EVENTS_FOLDED: self.folded,
            Metric.EVENTS_WITHOUT_ANCHOR: self.without_anchor,
            Metric.EVENTS_NOT_INTERPRETED: self.not_interpreted,
            Metric.MESSAGES_POISONED: self.poisoned,
            Metric.MESSAGES_RETURNED: len(self.returned),
            Metric.ANCHORS_WRITTEN: self.anchors_written,
            Metric.ANCHORS_CONTENDED: self.anchors_contended,
            Metric.IDENTITY_CHANGED: self.identified.changed,
            Metric.IDENTITY_PARKED: self.identified.parked,
            Metric.IDENTIFIERS_REFUSED: self.identifiers_refused,
            Metric.LINKS_REFUSED: self.identified.refused,
            Metric.CHANGES_NOT_PUBLISHED: self.identified.untold,
            Metric.MEMBERSHIPS_CHANGED: self.memberships_changed,
            Metric.MEMBERSHIPS_UNSETTLED: self.memberships_unsettled,
        }


@dataclass(frozen=True, slots=True)
class LiveLoop:
    """The stages of one batch in their order; time, waiting and all stores are handed in."""

    raw: Archive
    rejected: Archive
    interpret: Callable[[RawRecord], Event]
    identify: Callable[[Sequence[Event]], Identified]
    facts: FactStore
    timeline_days: int
    now_ms: Callable[[], int]
    pause: Pause
    live: "LiveRules | None" = None
    plan: TrackingPlan | None = None
    gate: Gate | None = None
    never: NeverStored = NOTHING_MARKED

    def process(self, messages: Sequence[Message]) -> Outcome:
        """Archives, identifies and folds; what it could not do is among `returned`.

        Every step may be repeated: a message delivered again has no second effect.
        """
        batch = read_batch(messages, self.plan, self.never)
        outcome = Outcome(
            returned=set(batch.returned),
            poisoned=batch.poisoned,
            flagged=batch.flagged,
            quarantined=batch.quarantined,
        )
        read = [(record, self._interpreted(record)) for _, record in batch.raw]
        read = self._through_the_gate(batch, read, outcome)
        self._archive(batch, read, outcome)
        told = self._events(batch, read, outcome)
        self._identify(told, outcome)
        groups = _by_anchor(told)
        self._fold(groups, outcome)
        self._settle(groups, outcome)
        return outcome

    def _interpreted(self, record: RawRecord) -> Event | None:
        try:
            return self.interpret(record)
        except UNINTERPRETABLE:
            return None

    def _through_the_gate(self, batch: Batch, read: list[Read], outcome: Outcome) -> list[Read]:
        """The records as erasures leave them; while tombstones cannot be read, all come again."""
        if self.gate is None:
            return read
        try:
            left = self.gate.accepted(read)
            refused = self.gate.rejected([record for _, record in batch.rejected])
        except StoreError:
            outcome.returned |= {message for message, _ in (*batch.raw, *batch.rejected)}
            batch.raw, batch.rejected = [], []
            return []
        outcome.suppressed = count_suppressed(read, left)
        messages = [message for message, _ in batch.rejected]
        batch.rejected = list(zip(messages, refused, strict=True))
        return left

    def _archive(self, batch: Batch, read: Sequence[Read], outcome: Outcome) -> None:
        kept = zip(batch.raw, read, strict=True)
        raw = [(message, record.to_json()) for (message, _), (record, _) in kept]
        rejected = [(message, record.to_json()) for message, record in batch.rejected]
        outcome.returned |= self.raw.put(raw)
        outcome.returned |= self.rejected.put(rejected)
        outcome.archived = sum(1 for message, _ in raw if message not in outcome.returned)
        outcome.rejected = sum(1 for message, _ in rejected if message not in outcome.returned)

    def _events(self, batch: Batch, read: Sequence[Read], outcome: Outcome) -> list["_Told"]:
        """The events of archived messages; one that cannot be read is left to the next run."""
        told = []
        for (message, _), (record, event) in zip(batch.raw, read, strict=True):
            if message in outcome.returned or record.is_suppressed:
                continue
            received_ms = record.received_ms
            outcome.oldest_received_ms = min(outcome.oldest_received_ms or received_ms, received_ms)
            if event is None:
                outcome.not_interpreted += 1
                continue
            outcome.identifiers_refused += len(event.refusals)
            if event.anchor is None:
                outcome.without_anchor += 1
                continue
            told.append(_Told(message, event.anchor, event))
        return told

    def _identify(self, told: Sequence["_Told"], outcome: Outcome) -> None:
        """Facts do not depend on the person: they are folded whatever happens here."""
        outcome.identified = self.identify([one.event for one in told])
        failed = outcome.identified.failed
        outcome.returned |= {one.message for one in told if one.anchor in failed}

    def _fold(self, groups: Mapping[str, list["_Told"]], outcome: Outcome) -> None:
        try:
            pairs = self.facts.read(list(groups))
            self.facts.put_entries(self._entries(groups, pairs))
        except StoreError:
            outcome.returned |= {one.message for group in groups.values() for one in group}
            return
        for anchor, group in groups.items():
            self._fold_anchor(anchor, group, pairs[anchor], outcome)

    def _fold_anchor(
        self, anchor: str, group: Sequence["_Told"], known: Pair, outcome: Outcome
    ) -> None:
        asked = None if self.live is None else self.live.plan
        contributions: list[Contribution] = [contribution_of(one.event, asked) for one in group]
        try:
            is_new = take_events(self.facts, anchor, contributions, known, self.pause)
        except (ContendedError, StoreError) as error:
            outcome.returned |= {one.message for one in group}
            outcome.anchors_contended += isinstance(error, ContendedError)
            return
        outcome.folded += len(group)
        outcome.anchors_written += is_new

    def _settle(self, groups: Mapping[str, list["_Told"]], outcome: Outcome) -> None:
        """Who entered or left a live segment; what is left undone comes again with its messages.

        Also of anchors without news: the attempt before may have ended right after their write.
        """
        if self.live is None or not self.live.plan.has_rules or not groups:
            return
        failed: Collection[str] = groups
        try:
            people = self.live.store.persons_of(groups)
            settled = self.live.settle(people.values())
        except StoreError:
            outcome.memberships_unsettled += 1
        else:
            outcome.memberships_changed += settled.changed
            outcome.memberships_unsettled += len(settled.failed)
            is_found = settled.failed <= set(people.values())
            failed = [a for a in people if not is_found or people[a] in settled.failed]
            failed = failed if settled.failed else ()
        outcome.returned |= {one.message for anchor in failed for one in groups[anchor]}

    def _entries(
        self, groups: Mapping[str, list["_Told"]], pairs: Mapping[str, Pair]
    ) -> Iterable[tuple[str, Entry]]:
        """Timeline items of what the ring does not know: an entry is written before its id."""
        now_ms = self.now_ms()
        for anchor, group in groups.items():
            for one in group:
                entry = entry_of(one.event, self.timeline_days)
                if not is_expired(entry, now_ms) and not _is_known(one.event, pairs[anchor].live):
                    yield anchor, entry


@dataclass(frozen=True, slots=True)
class _Told:
    """An event with the message that brought it and its anchor."""

    message: str
    anchor: str
    event: Event


def _by_anchor(told: Iterable[_Told]) -> dict[str, list[_Told]]:
    groups: dict[str, list[_Told]] = {}
    for one in told:
        groups.setdefault(one.anchor, []).append(one)
    return groups


def _is_known(event: Event, live: Live) -> bool:
    return any(one.key == event.short_id for one in live.ring.ids)
