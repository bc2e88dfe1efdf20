"""A batch of queue messages as records, with what cannot be read set aside."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stamgast.ingestion.envelope import EnvelopeError, decode
from stamgast.ingestion.never_stored import NOTHING_MARKED, NeverStored
from stamgast.ingestion.tracking_plan import TrackingPlan, planned
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast.raw.unfold import unfold

POISON = "poison"
PLAN_NOTES = "plan_"
MOST_POISON_CHARACTERS = 256 * 1024
POISON_TRIES = 3


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the queue; `sent_ms` is when the queue took it, `tries` counts this one."""

    id: str
    body: str = field(repr=False)
    sent_ms: int
    tries: int = 1


@dataclass(slots=True)
class Batch:
    """The records of a batch, each with the id of its message; `returned` are to come again."""

    raw: list[tuple[str, RawRecord]] = field(default_factory=list)
    rejected: list[tuple[str, RejectedRecord]] = field(default_factory=list)
    returned: set[str] = field(default_factory=set)
    poisoned: int = 0
    flagged: int = 0
    quarantined: int = 0


def read_batch(
    messages: Iterable[Message],
    plan: TrackingPlan | None = None,
    never: NeverStored = NOTHING_MARKED,
) -> Batch:
    """All records; a message that is no envelope comes again, and then is set aside as poison.

    What is never stored is taken out first. What the tracking plan refuses is among the rejected,
    what it flags carries notes.

    It comes again because a newer version may have written it, which takes turns with this one
    while it is rolled out.
    """
    batch = Batch()
    for message in messages:
        try:
            envelope = never.out_of(decode(message.body))
            judged = envelope if plan is None else planned(envelope, plan)
            raw, rejected = unfold(judged)
        except (EnvelopeError, ValueError, TypeError, LookupError):
            if message.tries < POISON_TRIES:
                batch.returned.add(message.id)
                continue
            batch.poisoned += 1
            raw, rejected = [], [_poison(message, never)]
        else:
            batch.quarantined += len(judged.rejected) - len(envelope.rejected)
            batch.flagged += sum(map(is_flagged, raw))
        batch.raw += [(message.id, record) for record in raw]
        batch.rejected += [(message.id, record) for record in rejected]
    return batch


def is_flagged(record: RawRecord) -> bool:
    """Whether the tracking plan left a note on the event."""
    return any(note.startswith(PLAN_NOTES) for note in record.notes)


def _poison(message: Message, never: NeverStored) -> RejectedRecord:
    """Its text may hold anything: it is kept only where nothing is marked."""
    return RejectedRecord(
        receipt_id=f"{message.id}:0",
        received_ms=message.sent_ms,
        source_id="",
        code=POISON,
        path="",
        message="a queue message that no version wrote",
        original=message.body[:MOST_POISON_CHARACTERS] if never.is_idle else "",
    )
