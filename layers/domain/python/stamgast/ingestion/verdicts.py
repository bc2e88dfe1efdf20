"""The events of one request as they were read, and what became of each: accepted or rejected."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stamgast.identity.assurance import Assurance


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a request (or of a file's chunk) before its events are read.

    `sent_ms` is the client's clock when it sent the request. `is_import` leaves times as they
    were said. `file` is the content hash of a file, from which rows without a message id get one.
    `opt_outs` are notes that every event of the request gets.
    """

    request_id: str
    received_ms: int
    source_id: str
    assurance: Assurance
    ip: str | None = None
    user_agent: str | None = None
    sent_ms: int | None = None
    is_import: bool = False
    file: str | None = None
    opt_outs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that could only be read leniently, with notes on what was mended in it."""

    event: object
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The text of one event of a batch in which nothing can be read."""

    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an event was refused: a code of `reasons`, the field's path, and a text for people."""

    code: str
    path: str
    message: str


class Accepted(NamedTuple):
    """A stamped event; `body` is its JSON text after merging what the batch says for all.

    A named tuple, which is made four times as fast as a frozen dataclass: one is made per event.
    """

    position: int
    type: str
    message_id: str
    original_ms: int | None
    sent_ms: int | None
    event_ms: int
    body: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused event with its original text (cut at the bound; `length` tells its whole size).

    `stamps` are those of an event that only the tracking plan refused: with them it can be taken
    again once the plan is another one.
    """

    position: int
    fault: Fault
    original: str = field(repr=False)
    length: int
    message_id: str | None = None
    identifiers: dict[str, str] = field(default_factory=dict, repr=False)
    stamps: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """All events of one request, each either accepted or rejected exactly once."""

    receipt: Receipt
    accepted: tuple[Accepted, ...] = ()
    rejected: tuple[Rejected, ...] = ()
